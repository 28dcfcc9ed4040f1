package journal

import (
	"context"
	"slices"
	"sync"
	"time"
)

// Memory is a Journal without a disk, for tests. Its streams outlive Close as a disk would. The zero value is ready.
type Memory struct {
	// Fault, when it is set, is asked before every call of a stream, with its name such as "Append": its error is the call's.
	Fault func(call string) error
	// Delay, when it is set, is how long a call of a Mount takes, by its name and what it is about. Somewhere in that time it has
	// its effect.
	Delay func(call, about string) time.Duration
	// Lies is a disk that confirms what it has not kept: a crash may lose the newest records of any stream. No store is meant
	// to bear that; tests of tests want it.
	Lies bool

	mu      sync.Mutex
	streams map[string]*memoryStream
}

// Open returns the stream of that name (Journal).
func (m *Memory) Open(_ context.Context, c StreamConfig) (Stream, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	s := m.streams[c.Name]
	if s == nil {
		if m.streams == nil {
			m.streams = map[string]*memoryStream{}
		}
		s = &memoryStream{journal: m, cursors: map[string]uint64{}, grown: make(chan struct{})}
		m.streams[c.Name] = s
	}
	s.mu.Lock()
	s.cfg = c
	s.mu.Unlock()
	return s, nil
}

// Close does nothing (Journal).
func (m *Memory) Close() error { return nil }

func (m *Memory) fault(call string) error {
	if m.Fault == nil {
		return nil
	}
	return m.Fault(call)
}

type memoryStream struct {
	journal *Memory

	mu      sync.Mutex
	cfg     StreamConfig
	records []Record // ascending
	bytes   int64
	last    uint64
	cursors map[string]uint64 // the last record each reader has taken
	grown   chan struct{}     // closed and replaced by Append
}

func (s *memoryStream) Append(ctx context.Context, key, id string, data []byte) (uint64, error) {
	if err := s.journal.fault("Append"); err != nil {
		return 0, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.records) - 1; i >= 0; i-- {
		if r := &s.records[i]; id != "" && r.ID == id && time.Since(r.Time) < DuplicateWindow {
			return r.Seq, nil
		}
	}
	over := func() bool { return s.cfg.MaxBytes > 0 && s.bytes+int64(len(data)) > s.cfg.MaxBytes }
	for s.cfg.DropOldest && over() && len(s.records) > 0 {
		s.bytes -= int64(len(s.records[0].Data))
		s.records = slices.Delete(s.records, 0, 1)
	}
	if over() {
		return 0, ErrFull
	}
	s.last++
	s.bytes += int64(len(data))
	s.records = append(s.records, Record{Seq: s.last, Key: key, ID: id, Time: time.Now(), Data: slices.Clone(data)})
	close(s.grown)
	s.grown = make(chan struct{})
	return s.last, ctx.Err()
}

func (s *memoryStream) Last(_ context.Context, key string) (Record, error) {
	if err := s.journal.fault("Last"); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	for i := len(s.records) - 1; i >= 0; i-- {
		if s.records[i].Key == key {
			return s.records[i], nil
		}
	}
	return Record{}, ErrNotFound
}

func (s *memoryStream) Read(_ context.Context, seq uint64) (Record, error) {
	if err := s.journal.fault("Read"); err != nil {
		return Record{}, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.find(seq); ok {
		return s.records[i], nil
	}
	return Record{}, ErrNotFound
}

func (s *memoryStream) List(_ context.Context, from uint64, limit int) ([]Record, error) {
	if err := s.journal.fault("List"); err != nil {
		return nil, err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, _ := s.find(from)
	return slices.Clone(s.records[i:min(len(s.records), i+limit)]), nil
}

func (s *memoryStream) Delete(_ context.Context, seq uint64) error {
	if err := s.journal.fault("Delete"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	if i, ok := s.find(seq); ok {
		s.bytes -= int64(len(s.records[i].Data))
		s.records = slices.Delete(s.records, i, i+1)
	}
	return nil
}

func (s *memoryStream) Truncate(_ context.Context, before uint64) error {
	if err := s.journal.fault("Truncate"); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	i, _ := s.find(before)
	for _, r := range s.records[:i] {
		s.bytes -= int64(len(r.Data))
	}
	s.records = slices.Delete(s.records, 0, i)
	return nil
}

func (s *memoryStream) Consume(ctx context.Context, name string, take func(Record) error) error {
	for {
		s.mu.Lock()
		i, _ := s.find(s.cursors[name] + 1)
		grown := s.grown
		var r Record
		if i < len(s.records) {
			r = s.records[i]
		}
		s.mu.Unlock()
		var again <-chan time.Time
		if r.Seq != 0 {
			if err := take(r); err == nil {
				s.mu.Lock()
				s.cursors[name] = r.Seq
				s.mu.Unlock()
				if ctx.Err() == nil {
					continue
				}
			}
			again = time.After(consumeAgain)
		}
		select {
		case <-ctx.Done():
			return nil
		case <-grown:
		case <-again:
		}
	}
}

// find returns the place of the first record with that number or a later one. Called with the lock held.
func (s *memoryStream) find(seq uint64) (int, bool) {
	return slices.BinarySearchFunc(s.records, seq, func(r Record, seq uint64) int {
		switch {
		case r.Seq < seq:
			return -1
		case r.Seq > seq:
			return 1
		}
		return 0
	})
}
