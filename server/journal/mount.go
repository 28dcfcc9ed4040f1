package journal

import (
	"cmp"
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"time"
)

// What a crash may undo, besides what Append promises: a record that was taken comes again, one that was deleted is back.
const (
	forgetTaken   = time.Second
	forgetDeleted = 100 * time.Millisecond
	powerLoss     = time.Second // of an unsynced stream, with the power
)

// Mount is a Memory as one process has it: a Journal that can crash. Whoever still holds it then gets ErrClosed, and
// nothing he does reaches the Memory any more.
type Mount struct {
	memory *Memory
	crash  chan struct{} // closed by Crash

	mu      sync.RWMutex // held for reading while a call works, for writing by Crash
	crashed bool

	log struct {
		sync.Mutex
		taken   []takenRecord
		deleted []deletedRecord
	}
}

type takenRecord struct {
	stream *memoryStream
	name   string
	before uint64 // where the reader was
	at     time.Time
}

type deletedRecord struct {
	stream *memoryStream
	record Record
	at     time.Time
}

// Mount opens the memory as a process does that begins.
func (m *Memory) Mount() *Mount { return &Mount{memory: m, crash: make(chan struct{})} }

// Open returns the stream of that name (Journal).
func (m *Mount) Open(ctx context.Context, c StreamConfig) (s Stream, err error) {
	err = m.work(ctx, "Open", c.Name, func() error {
		s, err = m.memory.Open(ctx, c)
		return err
	})
	if err != nil {
		return nil, err
	}
	return &mountedStream{m, s.(*memoryStream), c.Name}, nil
}

// Close does nothing (Journal).
func (m *Mount) Close() error { return nil }

// work does a call: it takes its time, fails when it shall, has its effect at a moment of its own, and none after a crash. About
// half of those that are underway at a crash have had theirs, and nobody is told.
func (m *Mount) work(ctx context.Context, call, about string, f func() error) error {
	var before, after time.Duration
	m.mu.RLock()
	crashed := m.crashed
	m.mu.RUnlock()
	if crashed {
		return ErrClosed
	}
	if m.memory.Delay != nil {
		d := m.memory.Delay(call, about)
		before = d * (1 + d%999) / 1000 // some share of it
		after = d - before
	}
	if err := m.wait(ctx, before); err != nil {
		return err
	}
	m.mu.RLock()
	if m.crashed {
		m.mu.RUnlock()
		return ErrClosed
	}
	err := f()
	m.mu.RUnlock()
	return cmp.Or(err, m.wait(ctx, after))
}

// wait waits, for a crash or the context at the most.
func (m *Mount) wait(ctx context.Context, d time.Duration) error {
	if d <= 0 {
		return nil
	}
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-m.crash:
		return ErrClosed
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Crash ends the mount at once, with what is lost drawn from rnd: as when a process dies, or with the power.
func (m *Mount) Crash(rnd *rand.Rand, power bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.crashed {
		return
	}
	m.crashed = true
	close(m.crash)
	now := time.Now()
	m.memory.mu.Lock()
	names := make([]string, 0, len(m.memory.streams))
	for name := range m.memory.streams {
		names = append(names, name)
	}
	slices.Sort(names)
	for _, name := range names {
		s := m.memory.streams[name]
		switch {
		case !s.cfg.Unsynced && !m.memory.Lies:
		case power || m.memory.Lies:
			s.tear(rnd, now.Add(-powerLoss))
		default:
			s.tear(rnd, now.Add(-UnsyncedWait))
		}
	}
	m.memory.mu.Unlock()
	m.log.Lock()
	defer m.log.Unlock()
	for i := len(m.log.taken) - 1; i >= 0 && rnd.IntN(3) > 0; i-- {
		t := m.log.taken[i]
		if now.Sub(t.at) > forgetTaken {
			break
		}
		t.stream.mu.Lock()
		t.stream.cursors[t.name] = min(t.stream.cursors[t.name], t.before)
		t.stream.mu.Unlock()
	}
	for i := len(m.log.deleted) - 1; power && i >= 0 && rnd.IntN(3) > 0; i-- {
		d := m.log.deleted[i]
		if now.Sub(d.at) > forgetDeleted {
			break
		}
		d.stream.mu.Lock()
		if at, ok := d.stream.find(d.record.Seq); !ok {
			d.stream.records = slices.Insert(d.stream.records, at, d.record)
			d.stream.bytes += int64(len(d.record.Data))
		}
		d.stream.mu.Unlock()
	}
}

// tear loses some of the newest records, of those that are younger than since.
func (s *memoryStream) tear(rnd *rand.Rand, since time.Time) {
	s.mu.Lock()
	defer s.mu.Unlock()
	young := 0
	for young < len(s.records) && s.records[len(s.records)-1-young].Time.After(since) {
		young++
	}
	for range rnd.IntN(young + 1) {
		last := s.records[len(s.records)-1]
		s.bytes -= int64(len(last.Data))
		s.records = s.records[:len(s.records)-1]
		s.last = last.Seq - 1
	}
}

// mountedStream is a stream of a mount.
type mountedStream struct {
	mount  *Mount
	stream *memoryStream
	name   string
}

// work does a call about a part of the stream.
func (s *mountedStream) work(ctx context.Context, call string, about any, f func() error) error {
	return s.mount.work(ctx, call, fmt.Sprint(s.name, "/", about), f)
}

func (s *mountedStream) Append(ctx context.Context, key, id string, data []byte) (seq uint64, err error) {
	err = s.work(ctx, "Append", key+"/"+id, func() error {
		seq, err = s.stream.Append(ctx, key, id, data)
		return err
	})
	return seq, err
}

func (s *mountedStream) Last(ctx context.Context, key string) (r Record, err error) {
	err = s.work(ctx, "Last", key, func() error {
		r, err = s.stream.Last(ctx, key)
		return err
	})
	return r, err
}

func (s *mountedStream) Read(ctx context.Context, seq uint64) (r Record, err error) {
	err = s.work(ctx, "Read", seq, func() error {
		r, err = s.stream.Read(ctx, seq)
		return err
	})
	return r, err
}

func (s *mountedStream) List(ctx context.Context, from uint64, limit int) (list []Record, err error) {
	err = s.work(ctx, "List", from, func() error {
		list, err = s.stream.List(ctx, from, limit)
		return err
	})
	return list, err
}

func (s *mountedStream) Delete(ctx context.Context, seq uint64) error {
	return s.work(ctx, "Delete", seq, func() error {
		r, err := s.stream.Read(ctx, seq)
		if err == nil {
			s.mount.log.Lock()
			s.mount.log.deleted = append(s.mount.log.deleted, deletedRecord{s.stream, r, time.Now()})
			s.mount.log.Unlock()
		}
		return s.stream.Delete(ctx, seq)
	})
}

func (s *mountedStream) Truncate(ctx context.Context, before uint64) error {
	return s.work(ctx, "Truncate", before, func() error { return s.stream.Truncate(ctx, before) })
}

func (s *mountedStream) Consume(ctx context.Context, name string, take func(Record) error) error {
	ctx, stop := context.WithCancel(ctx)
	defer stop()
	go func() {
		select {
		case <-s.mount.crash:
			stop()
		case <-ctx.Done():
		}
	}()
	return s.stream.Consume(ctx, name, func(r Record) error {
		err := take(r)
		s.mount.mu.RLock()
		defer s.mount.mu.RUnlock()
		if s.mount.crashed {
			return ErrClosed
		}
		if err == nil {
			s.mount.log.Lock()
			s.mount.log.taken = append(s.mount.log.taken, takenRecord{s.stream, name, r.Seq - 1, time.Now()})
			s.mount.log.Unlock()
		}
		return err
	})
}
