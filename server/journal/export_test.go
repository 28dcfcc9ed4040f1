package journal

import (
	"context"
	"encoding/binary"
	"hash/crc32"
	"time"
)

// Cut cuts the old end off now.
func (l *Log) Cut(ctx context.Context) {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	l.cutAt = time.Time{}
	l.cut(ctx)
}

// Sealed is data with the checksum of a record.
func Sealed(data []byte) []byte {
	return binary.LittleEndian.AppendUint32(append([]byte(nil), data...), crc32.Checksum(data, castagnoli))
}
