// Package journal keeps what must outlive the process: ordered streams of small records, each durable when Append
// returns. NATS JetStream holds them, embedded or elsewhere; Memory stands in for it in tests.
package journal

import (
	"context"
	"errors"
	"time"
)

// Journal is a set of streams. Safe from any goroutine.
type Journal interface {
	// Open returns the stream of that name and makes it when there is none; its bounds become those of c.
	Open(ctx context.Context, c StreamConfig) (Stream, error)
	// Close gives everything up. What Append has confirmed stays.
	Close() error
}

// StreamConfig describes a stream.
type StreamConfig struct {
	Name       string        // upper case letters, digits, '_' and '-'
	MaxBytes   int64         // what it holds at most; then Append says ErrFull
	MaxAge     time.Duration // records go away by themselves; 0: never
	Unsynced   bool          // Append does not wait for the disk: see Stream.Append. It stays as the stream was made
	DropOldest bool          // a stream that is full drops its oldest records and takes the new one
}

// Stream is an ordered list of records. Safe from any goroutine.
type Stream interface {
	// Append adds a record and returns when it is on the disk. On an unsynced stream it returns earlier: the record is handed to
	// the system within UnsyncedWait, so that it outlives the process, but a power cut may take it and those behind it. A
	// record whose id was appended within DuplicateWindow is there already: its number is returned and nothing changes. An
	// empty id is none. An error leaves open whether the record was kept: ask again with the same id. ErrFull.
	Append(ctx context.Context, key, id string, data []byte) (seq uint64, err error)
	// Last returns the newest record with that key. ErrNotFound.
	Last(ctx context.Context, key string) (Record, error)
	// Read returns the record of that number. ErrNotFound.
	Read(ctx context.Context, seq uint64) (Record, error)
	// List returns up to limit records from number from on, oldest first.
	List(ctx context.Context, from uint64, limit int) ([]Record, error)
	// Delete removes a record. One that is gone already is no error.
	Delete(ctx context.Context, seq uint64) error
	// Truncate removes every record before number before.
	Truncate(ctx context.Context, before uint64) error
	// Consume gives every record to take, in order, until ctx is done, and returns nil then. The reader called name goes on
	// where it was, also after a restart. A record that take refuses comes again after a while, before those behind it; one
	// that it has taken may come again after a crash.
	Consume(ctx context.Context, name string, take func(Record) error) error
}

// Record is one record of a stream. Data is the caller's own.
type Record struct {
	Seq  uint64 // 1 and up, rising
	Key  string
	ID   string
	Time time.Time // of the append
	Data []byte
}

// DuplicateWindow is how long a stream remembers the ids of its records.
const DuplicateWindow = 10 * time.Minute

// UnsyncedWait is how long a record of an unsynced stream may stay in the process, at the most on an idle machine.
const UnsyncedWait = 20 * time.Millisecond

// MaxRecordBytes bounds the data of one record.
const MaxRecordBytes = 4 << 20

var (
	ErrFull     = errors.New("journal: the stream is full")
	ErrNotFound = errors.New("journal: there is no such record")
	ErrClosed   = errors.New("journal: closed")
)
