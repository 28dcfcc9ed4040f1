// Package replay records matches and plays them again. A recording holds what reached a match from outside and
// nothing that follows from it, so it is a few bytes per player and tick, and the replay is the match itself, to the
// last bit of its state.
//
// A Writer is the game.Recorder of one match; it makes the chunks of a stream that may be cut anywhere between two
// chunks and read up to there. A Recording is such a stream, and a Player plays it on a fresh engine.
//
// # Format
//
// A stream is a row of chunks:
//
//	kind     u8       'H' head, 'T' ticks, 'C' checkpoint, 'F' forget, 'E' end
//	length   uvarint  of the payload, in bytes
//	payload
//	crc      u32      CRC-32C over everything before it, little-endian as all fixed-width numbers
//
// The first chunk is a head. A stream that ends within a chunk, or whose chunk has another checksum, is torn: what is
// before that chunk counts. A stream may be packed whole with gzip. Strings and bytes have a uvarint length in front.
//
//	head        magic "skirmish", uvarint format version, match id, game, game version, u32 plan hash, uvarint fields
//	            of an input, u64 seed, uvarint tick rate, snapshot rate, players, spectator delay in ms, params,
//	            u64 time in ms since the Unix epoch
//	ticks       uvarint number of the last step before it, then operations to its end
//	checkpoint  uvarint number of the last step, the engine's saved state packed with S2, the host's own
//	            bytes
//	forget      uvarint number of the last step: there was a checkpoint here, which was left out, or another writer has gone
//	            on from here
//	end         uvarint number of the last step, reason, result
//
// An operation begins with one byte:
//
//	0x01 step     u16 digest: one step was made with what came before
//	0x02 hash     u64: of the state after the step
//	0x03 join     uvarint seat, u8 1 = bot, varint team, id, name, data
//	0x04 leave    uvarint seat, reason
//	0x05 lost     uvarint seat: its connection is gone
//	0x06 back     uvarint seat: it is back
//	0x07 request  uvarint seat, uvarint op, payload
//	0x08 signal   op, u8 1 = payload follows, payload
//	0x09 stop     reason
//	0x40 thought  of a bot, with flags
//	0x80 input    of a player, with flags
//
// Flags tell what is as expected and therefore left out:
//
//	0x01 seat     it is the one that came after the seat before the last time; else uvarint seat
//	0x02 number   one input, numbered by one more than the seat's last; else varint difference to that, uvarint count
//	0x04 view     base and next tick are where the seat's picture would be a tick later; else varint differences of
//	              base and of next − base
//	0x08 part     the fraction is, too; else u8
//	0x10 values   all are the seat's last ones; else, for each input, uvarint mask of the fields that differ from the
//	              input before, and a varint difference for each (modulo 2^32, zigzag)
//
// What is expected begins from zero at a head and at every checkpoint, so that reading can begin there.
package replay
