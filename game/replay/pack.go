package replay

import (
	"bytes"
	"compress/gzip"
	"errors"
	"io"
	"time"
)

// keepEvery is how far apart the checkpoints of a packed recording are at least: a replay runs a thousand times faster than
// the match did, so nobody waits for what lies between two.
const keepEvery = time.Minute

var gzipMagic = []byte{0x1f, 0x8b}

// Pack writes a stream in the form for keeping: compressed with gzip, and with fewer checkpoints. Read reads both. A head
// in the middle, as a journal writes before each checkpoint, and a torn tail are left out.
func Pack(w io.Writer, stream []byte) error {
	z, err := gzip.NewWriterLevel(w, gzip.BestCompression)
	if err != nil {
		return err
	}
	apart, next := uint32(0), uint32(0)
	var out []byte
	for first := true; len(stream) > 0; first = false {
		kind, payload, rest, err := nextChunk(stream)
		if errors.Is(err, ErrTorn) {
			break
		}
		if err != nil {
			return err
		}
		out = append(out[:0], stream[:len(stream)-len(rest)]...)
		stream = rest
		switch {
		case kind == kindHead && first:
			h, err := parseHead(payload)
			if err != nil {
				return err
			}
			apart = uint32(keepEvery.Seconds()) * uint32(h.Match.TickRate)
			next = apart
		case kind == kindHead:
			continue
		case kind == kindCheckpoint:
			c := cursor{b: payload}
			if tick := uint32(c.uvarint(1<<32 - 1)); tick >= next {
				next = tick + apart
			} else {
				out = appendChunk(out[:0], kindForget, payload[:len(payload)-len(c.b)])
			}
		}
		if _, err := z.Write(out); err != nil {
			return err
		}
	}
	return z.Close()
}

// unpacked is b, unpacked if it is packed. What is broken off is good up to there.
func unpacked(b []byte) (stream []byte, torn bool, err error) {
	if !bytes.HasPrefix(b, gzipMagic) {
		return b, false, nil
	}
	z, err := gzip.NewReader(bytes.NewReader(b))
	if err != nil {
		return nil, false, ErrForeign
	}
	stream, err = io.ReadAll(io.LimitReader(z, MaxRecordingBytes+1))
	return stream, err != nil, nil
}
