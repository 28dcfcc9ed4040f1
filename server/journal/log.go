package journal

import (
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"slices"
	"sync"
	"sync/atomic"
	"time"
)

// Log is a write-ahead log of many writers on one stream: what they append is gathered and goes to the stream a few times a
// second, as one record for all of them. Its old end is cut off behind the oldest newest checkpoint. A stream that refuses
// records holds nobody up: entries wait within a bound, and beyond it they are dropped together; then the log has a gap, behind
// which only checkpoints count. Append, Checkpoint, End and Gaps are safe from any goroutine; one goroutine calls Run.
type Log struct {
	stream Stream
	cfg    LogConfig
	gaps   atomic.Uint32

	mu      sync.Mutex
	batches []*batch // to be written, the last one still grows; never empty
	waiting int      // bytes in them
	idle    *batch   // kept for its memory

	flushing sync.Mutex        // held while the stream is written to
	marks    map[string]uint64 // by key: the record of its newest checkpoint
	last     uint64            // the newest record
	cutAt    time.Time         // when the old end was cut off last
	cutTo    uint64            // where it will be the next time; 0: nowhere
}

// LogConfig is how a Log is written.
type LogConfig struct {
	// Gather is called before each record, by Run or Flush, to append what else there is. nil: nothing.
	Gather func()
	// Before is called before each record is written, when it is known what is in it. nil: nothing.
	Before func()
	// Wrote tells what became of a record of so many bytes: nil, or what the stream had against it; then the entries wait, or
	// are dropped, which Gaps counts. nil: nobody is told.
	Wrote func(bytes int, err error)
}

// How a Log is written.
const (
	LogEvery      = 40 * time.Millisecond // a record, if there is anything to write
	logCutEvery   = 5 * time.Second       // the old end
	logRecord     = 1 << 20               // bytes after which the next record begins
	logWaiting    = 16 << 20              // bytes that wait for a stream that refuses them
	MaxEntryBytes = 3 << 20
	maxKeyBytes   = 256
)

// batch is one record on its way.
type batch struct {
	data  []byte
	marks []string // keys with a checkpoint in it
	ends  []string // keys that are done with
}

// Entry is one entry of a log, as OpenLog gives it.
type Entry struct {
	Kind byte
	Data []byte
}

// Kinds of entries that the log itself knows. Writers choose theirs from KindFirst on.
const (
	kindCheckpoint = 1 // the key begins anew
	kindEnd        = 2 // nothing of the key is needed any more
	kindGap        = 3 // entries are missing here
	KindFirst      = 16
)

const logVersion = 1

// ErrEntry says that an entry is too large for a record.
var ErrEntry = errors.New("journal: an entry is too large")

// OpenLog goes on with the log on a stream and returns what it holds of each key: its newest checkpoint, which is the first
// entry, and those behind it. A key that was ended, and one whose checkpoint is not there, has nothing; what comes behind a
// record that cannot be read is left out up to the key's next checkpoint. What it returns is kept until the key's next
// checkpoint or its end.
func OpenLog(ctx context.Context, stream Stream, cfg LogConfig) (*Log, map[string][]Entry, error) {
	if cfg.Gather == nil {
		cfg.Gather = func() {}
	}
	if cfg.Before == nil {
		cfg.Before = func() {}
	}
	if cfg.Wrote == nil {
		cfg.Wrote = func(int, error) {}
	}
	r := logReader{keys: map[string][]Entry{}, marks: map[string]uint64{}, deaf: map[string]bool{}}
	if err := r.read(ctx, stream); err != nil {
		return nil, nil, fmt.Errorf("read the log: %w", err)
	}
	return &Log{stream: stream, cfg: cfg, marks: r.marks, last: r.last, batches: []*batch{{}}, cutAt: time.Now()}, r.keys, nil
}

// Append adds an entry for a key behind its checkpoint. data is copied. ErrEntry.
func (l *Log) Append(key string, kind byte, data []byte) error { return l.append(key, kind, data) }

// Checkpoint adds the entry with which a key begins anew: those before it are not needed any more. ErrEntry.
func (l *Log) Checkpoint(key string, data []byte) error { return l.append(key, kindCheckpoint, data) }

// End says that nothing of a key is needed any more.
func (l *Log) End(key string) { l.append(key, kindEnd, nil) }

// Gaps counts how often entries were dropped: when it has risen, it is time for a checkpoint.
func (l *Log) Gaps() uint32 { return l.gaps.Load() }

func (l *Log) append(key string, kind byte, data []byte) error {
	if len(data) > MaxEntryBytes || len(key) > maxKeyBytes {
		return ErrEntry
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.batches[len(l.batches)-1]
	if len(b.data)+len(data) > logRecord && len(b.data) > 0 {
		b = &batch{}
		l.batches = append(l.batches, b)
	}
	before := len(b.data)
	b.data = appendEntry(b.data, key, kind, data)
	l.waiting += len(b.data) - before
	switch kind {
	case kindCheckpoint:
		b.marks = append(b.marks, key)
	case kindEnd:
		b.ends = append(b.ends, key)
	}
	if l.waiting > logWaiting {
		l.drop()
	}
	return nil
}

// drop gives up what waits, but for the ends, which are small. Called with the lock held.
func (l *Log) drop() {
	b := &batch{data: appendEntry(nil, "", kindGap, nil)}
	for _, old := range l.batches {
		for _, key := range old.ends {
			b.data = appendEntry(b.data, key, kindEnd, nil)
			b.ends = append(b.ends, key)
		}
	}
	l.batches, l.waiting = []*batch{b}, len(b.data)
	l.gaps.Add(1)
}

// appendEntry appends one entry: key, kind, data, the outer two with their lengths.
func appendEntry(dst []byte, key string, kind byte, data []byte) []byte {
	if len(dst) == 0 {
		dst = append(dst, logVersion)
	}
	dst = append(binary.AppendUvarint(dst, uint64(len(key))), key...)
	dst = append(dst, kind)
	return append(binary.AppendUvarint(dst, uint64(len(data))), data...)
}

// Run writes the log until ctx is done, then writes what is left, if the stream takes it, cuts the old end off, and returns.
func (l *Log) Run(ctx context.Context) {
	t := time.NewTicker(LogEvery)
	defer t.Stop()
	for ctx.Err() == nil {
		select {
		case <-ctx.Done():
		case <-t.C:
			l.Flush(ctx)
		}
	}
	last, cancel := context.WithTimeout(context.WithoutCancel(ctx), callTimeout)
	defer cancel()
	l.cutSoon()
	l.Flush(last)
}

// Flush writes everything that was appended before it. It tells what the stream has against that.
func (l *Log) Flush(ctx context.Context) error {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	l.cfg.Gather()
	for {
		b := l.take()
		if b == nil {
			l.cut(ctx)
			return nil
		}
		l.cfg.Before()
		sum := crc32.Checksum(b.data, castagnoli)
		seq, err := l.stream.Append(ctx, "log", "", binary.LittleEndian.AppendUint32(b.data, sum))
		l.cfg.Wrote(len(b.data), err)
		if err != nil {
			l.giveBack(b)
			return fmt.Errorf("write the log: %w", err)
		}
		l.wrote(b, seq)
	}
}

// take takes the oldest batch, nil when there is nothing to write.
func (l *Log) take() *batch {
	l.mu.Lock()
	defer l.mu.Unlock()
	b := l.batches[0]
	if len(b.data) == 0 {
		return nil
	}
	l.waiting -= len(b.data)
	if l.batches = l.batches[1:]; len(l.batches) == 0 {
		next := l.idle
		if l.idle = nil; next == nil {
			next = &batch{}
		}
		l.batches = append(l.batches, next)
	}
	return b
}

// giveBack lets a batch wait for another try.
func (l *Log) giveBack(b *batch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.batches = slices.Insert(l.batches, 0, b)
	l.waiting += len(b.data)
}

// wrote notes where the newest checkpoints are. Called with flushing held.
func (l *Log) wrote(b *batch, seq uint64) {
	l.last = seq
	for _, key := range b.marks {
		l.marks[key] = seq
	}
	for _, key := range b.ends {
		delete(l.marks, key)
	}
	*b = batch{data: b.data[:0], marks: b.marks[:0], ends: b.ends[:0]}
	l.mu.Lock()
	if cap(b.data) <= 2*logRecord {
		l.idle = b
	}
	l.mu.Unlock()
}

// cutSoon has the next Flush cut the old end off: who opens the log next has the less to read.
func (l *Log) cutSoon() {
	l.flushing.Lock()
	defer l.flushing.Unlock()
	l.cutAt = time.Time{}
}

// cut removes what is before every key's newest checkpoint, once in a while. Called with flushing held.
func (l *Log) cut(ctx context.Context) {
	if l.last == 0 || time.Since(l.cutAt) < logCutEvery {
		return
	}
	before, needed := l.cutTo, l.needed() // what was written before the last cut is on the disk by now, and the checkpoints of since may not be
	if l.cutAt.IsZero() {
		before = needed
	}
	l.cutAt, l.cutTo = time.Now(), needed
	if before == 0 {
		return
	}
	if err := l.stream.Truncate(ctx, before); err != nil {
		l.cfg.Wrote(0, err)
	}
}

// needed is the first record that may be needed: that of the oldest of the keys' newest checkpoints. Called with flushing held.
func (l *Log) needed() uint64 {
	before := l.last + 1
	for _, seq := range l.marks {
		before = min(before, seq)
	}
	return before
}

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// logReader collects what counts.
type logReader struct {
	keys  map[string][]Entry
	marks map[string]uint64 // by key: the record of its checkpoint
	deaf  map[string]bool   // keys with a gap behind what is collected: they wait for a checkpoint
	last  uint64            // the newest record
}

// read reads a whole stream.
func (r *logReader) read(ctx context.Context, stream Stream) error {
	const page = 32
	for {
		records, err := stream.List(ctx, r.last+1, page)
		if err != nil {
			return err
		}
		for i := range records {
			r.last = records[i].Seq
			r.record(records[i].Data)
		}
		if len(records) < page {
			return nil
		}
	}
}

// record takes one record in.
func (r *logReader) record(b []byte) {
	const sumBytes = 4
	if len(b) < 1+sumBytes || b[0] != logVersion {
		r.gap()
		return
	}
	body := b[:len(b)-sumBytes]
	if crc32.Checksum(body, castagnoli) != binary.LittleEndian.Uint32(b[len(body):]) {
		r.gap()
		return
	}
	for rest := body[1:]; len(rest) > 0; {
		var key string
		var e Entry
		var ok bool
		if key, e, rest, ok = nextEntry(rest); !ok {
			r.gap()
			return
		}
		r.entry(key, e)
	}
}

func (r *logReader) entry(key string, e Entry) {
	switch e.Kind {
	case kindGap:
		r.gap()
	case kindCheckpoint:
		r.keys[key], r.marks[key] = []Entry{e}, r.last
		delete(r.deaf, key)
	case kindEnd:
		delete(r.keys, key)
		delete(r.marks, key)
		delete(r.deaf, key)
	default:
		if have := r.keys[key]; have != nil && !r.deaf[key] {
			r.keys[key] = append(have, e)
		}
	}
}

// gap stops every key until its next checkpoint.
func (r *logReader) gap() {
	for key := range r.keys {
		r.deaf[key] = true
	}
}

// nextEntry takes the first entry off b. Its data lies in b.
func nextEntry(b []byte) (key string, e Entry, rest []byte, ok bool) {
	k, b, ok := lengthed(b, maxKeyBytes)
	if !ok || len(b) == 0 {
		return "", Entry{}, nil, false
	}
	e.Kind = b[0]
	e.Data, rest, ok = lengthed(b[1:], MaxEntryBytes)
	return string(k), e, rest, ok
}

// lengthed takes bytes off b that have their length in front.
func lengthed(b []byte, most uint64) (v, rest []byte, ok bool) {
	n, w := binary.Uvarint(b)
	if w <= 0 || n > most || n > uint64(len(b)-w) {
		return nil, nil, false
	}
	b = b[w:]
	return b[:n:n], b[n:], true
}
