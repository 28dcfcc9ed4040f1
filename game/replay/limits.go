package replay

const (
	Version = 1 // of the format

	MaxChunkBytes      = 1 << 20   // a chunk, but for a checkpoint
	MaxCheckpointBytes = 64 << 20  // a checkpoint
	MaxRecordingBytes  = 512 << 20 // a whole recording, unpacked: a day of 16 players at 20 Hz takes 170 MB

	cutBytes  = 64 << 10 // the writer ends a chunk that is longer
	keptBytes = 4 << 10  // of room for chunks that a writer keeps between two Cuts

	maxTextBytes    = 256       // a reason, an id, a name
	maxPayloadBytes = 256 << 10 // of a request or a signal, a player's data, a match's params, a result
)
