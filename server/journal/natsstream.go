package journal

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/nats-io/nats.go"
	"github.com/nats-io/nats.go/jetstream"
)

// natsStream is one stream of JetStream. A record's key is the last token of its subject.
type natsStream struct {
	n      *NATS
	name   string
	prefix string // of the subjects

	mu     sync.Mutex
	of     jetstream.JetStream // what stream belongs to
	stream jetstream.Stream    // as it was told once: to ask for it costs as much as to read a record
}

// at is the stream as js knows it. The lock is held while js is asked the first time, so that it is asked once.
func (s *natsStream) at(ctx context.Context, js jetstream.JetStream) (jetstream.Stream, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.of != js {
		stream, err := js.Stream(ctx, s.name)
		if err != nil {
			return nil, readError(err)
		}
		s.of, s.stream = js, stream
	}
	return s.stream, nil
}

// Keys have no '%' in them, and a subject's token must have no '.'.
func token(key string) string   { return strings.ReplaceAll(key, ".", "%") }
func keyOf(token string) string { return strings.ReplaceAll(token, "%", ".") }

// call runs f with JetStream under a timeout. A store that is down is asked to come back.
func (s *natsStream) call(ctx context.Context, f func(ctx context.Context, js jetstream.JetStream) error) error {
	js, err := s.n.stream()
	if err == nil {
		bound, cancel := context.WithTimeout(ctx, callTimeout)
		err = f(bound, js)
		cancel()
	}
	if err != nil && !errors.Is(err, ErrNotFound) && !errors.Is(err, ErrFull) {
		s.n.revive(ctx)
	}
	return err
}

func (s *natsStream) Append(ctx context.Context, key, id string, data []byte) (seq uint64, err error) {
	if s.n.broken.Load() {
		if s.n.revive(ctx); s.n.broken.Load() {
			return 0, ErrFull
		}
	}
	err = s.call(ctx, func(ctx context.Context, js jetstream.JetStream) error {
		options := []jetstream.PublishOpt{jetstream.WithExpectStream(s.name), jetstream.WithRetryAttempts(0)}
		if id != "" {
			options = append(options, jetstream.WithMsgID(id))
		}
		ack, err := js.PublishMsg(ctx, &nats.Msg{Subject: s.prefix + token(key), Data: data}, options...)
		if err != nil {
			return appendError(err)
		}
		seq = ack.Sequence
		return nil
	})
	return seq, err
}

// Codes of JetStream's errors that say that there is no room.
const (
	codeResources   = 10023 // insufficient resources
	codeStoreFailed = 10077 // the store refuses the record: its text says why
	codeStorage     = 10047 // insufficient storage resources
)

// Codes of JetStream's errors that say that there is no such record.
const (
	codeNoMessage  = 10037
	codeNoSequence = "err_code=10043"
)

func appendError(err error) error {
	if e, ok := errors.AsType[*jetstream.APIError](err); ok {
		full := e.ErrorCode == codeResources || e.ErrorCode == codeStorage ||
			e.ErrorCode == codeStoreFailed && strings.Contains(e.Description, "maximum bytes")
		if full {
			return ErrFull
		}
	}
	return fmt.Errorf("append a record: %w", err)
}

func (s *natsStream) Last(ctx context.Context, key string) (r Record, err error) {
	err = s.call(ctx, func(ctx context.Context, js jetstream.JetStream) error {
		stream, err := s.at(ctx, js)
		if err != nil {
			return err
		}
		msg, err := stream.GetLastMsgForSubject(ctx, s.prefix+token(key))
		if err != nil {
			return readError(err)
		}
		r = s.record(msg)
		return nil
	})
	return r, err
}

func (s *natsStream) Read(ctx context.Context, seq uint64) (r Record, err error) {
	err = s.call(ctx, func(ctx context.Context, js jetstream.JetStream) error {
		stream, err := s.at(ctx, js)
		if err != nil {
			return err
		}
		msg, err := stream.GetMsg(ctx, seq)
		if err != nil {
			return readError(err)
		}
		r = s.record(msg)
		return nil
	})
	return r, err
}

func (s *natsStream) List(ctx context.Context, from uint64, limit int) (out []Record, err error) {
	for seq := max(from, 1); len(out) < limit; {
		err := s.call(ctx, func(ctx context.Context, js jetstream.JetStream) error {
			stream, err := s.at(ctx, js)
			if err != nil {
				return err
			}
			msg, err := stream.GetMsg(ctx, seq, jetstream.WithGetMsgSubject(s.prefix+"*"))
			if err != nil {
				return readError(err)
			}
			out = append(out, s.record(msg))
			return nil
		})
		if errors.Is(err, ErrNotFound) {
			break
		}
		if err != nil {
			return nil, err
		}
		seq = out[len(out)-1].Seq + 1
	}
	return out, nil
}

func (s *natsStream) Delete(ctx context.Context, seq uint64) error {
	err := s.call(ctx, func(ctx context.Context, js jetstream.JetStream) error {
		stream, err := s.at(ctx, js)
		if err != nil {
			return err
		}
		return readError(stream.DeleteMsg(ctx, seq))
	})
	if errors.Is(err, ErrNotFound) {
		return nil
	}
	return err
}

func (s *natsStream) Truncate(ctx context.Context, before uint64) error {
	if before <= 1 {
		return nil // to JetStream sequence 0 means everything
	}
	return s.call(ctx, func(ctx context.Context, js jetstream.JetStream) error {
		stream, err := s.at(ctx, js)
		if err != nil {
			return err
		}
		if err := stream.Purge(ctx, jetstream.WithPurgeSequence(before)); err != nil {
			return fmt.Errorf("truncate a stream: %w", err)
		}
		return nil
	})
}

func (s *natsStream) Consume(ctx context.Context, name string, take func(Record) error) error {
	for ctx.Err() == nil {
		if err := s.consume(ctx, name, take); err != nil && ctx.Err() == nil {
			s.n.opts.Log("warn", fmt.Sprintf("read the stream %s: %v", s.name, err))
			s.n.revive(ctx)
			select {
			case <-ctx.Done():
			case <-time.After(consumeAgain):
			}
		}
	}
	return nil
}

// consume reads until something fails or the connection is another. One record at a time is underway, so that they keep their order.
func (s *natsStream) consume(ctx context.Context, name string, take func(Record) error) error {
	js, err := s.n.stream()
	if err != nil {
		return err
	}
	dials := s.n.dials.Load()
	reader, err := s.reader(ctx, js, name)
	if err != nil {
		return err
	}
	for ctx.Err() == nil {
		if s.n.dials.Load() != dials {
			return nil // a server that was killed may have lost an acknowledgement, and waits for it
		}
		msg, err := next(ctx, reader)
		if errors.Is(err, nats.ErrTimeout) || errors.Is(err, jetstream.ErrNoMessages) {
			continue
		}
		if err != nil {
			return err
		}
		meta, err := msg.Metadata()
		if err != nil {
			return err
		}
		err = take(Record{
			Seq: meta.Sequence.Stream, Key: keyOf(strings.TrimPrefix(msg.Subject(), s.prefix)),
			ID: msg.Headers().Get(nats.MsgIdHdr), Time: meta.Timestamp, Data: msg.Data(),
		})
		if err == nil {
			err = msg.Ack()
		} else {
			err = msg.NakWithDelay(consumeAgain)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// reader makes the JetStream consumer of a reader, which goes on behind what was acknowledged. It is a new one each time: a
// process that was killed leaves a record underway, and JetStream would wait for its acknowledgement. Two names take turns,
// so that there is one with the reader's place at every moment.
func (s *natsStream) reader(ctx context.Context, js jetstream.JetStream, name string) (jetstream.Consumer, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	names := [2]string{name + "-a", name + "-b"}
	var place uint64 // the last record that was acknowledged
	newest := 1      // the name that has it
	var exists [2]bool
	for i := range names {
		c, err := js.Consumer(ctx, s.name, names[i])
		if errors.Is(err, jetstream.ErrConsumerNotFound) {
			continue
		}
		if err != nil {
			return nil, err
		}
		exists[i] = true
		info := c.CachedInfo()
		at := info.AckFloor.Stream
		if begin := info.Config.OptStartSeq; begin > 0 {
			at = max(at, begin-1)
		}
		if at >= place {
			place, newest = at, i
		}
	}
	other := 1 - newest
	if exists[other] {
		if err := js.DeleteConsumer(ctx, s.name, names[other]); err != nil {
			return nil, err
		}
	}
	reader, err := js.CreateOrUpdateConsumer(ctx, s.name, jetstream.ConsumerConfig{
		Durable: names[other], DeliverPolicy: jetstream.DeliverByStartSequencePolicy, OptStartSeq: place + 1,
		AckPolicy: jetstream.AckExplicitPolicy, AckWait: ackWait, MaxAckPending: 1, MaxDeliver: -1,
	})
	if err != nil || !exists[newest] {
		return reader, err
	}
	return reader, js.DeleteConsumer(ctx, s.name, names[newest])
}

// next waits for the next record, for callTimeout at the most.
func next(ctx context.Context, reader jetstream.Consumer) (jetstream.Msg, error) {
	ctx, cancel := context.WithTimeout(ctx, callTimeout)
	defer cancel()
	msg, err := reader.Next(jetstream.FetchContext(ctx))
	if errors.Is(err, context.DeadlineExceeded) || errors.Is(err, context.Canceled) {
		err = nats.ErrTimeout
	}
	return msg, err
}

func (s *natsStream) record(m *jetstream.RawStreamMsg) Record {
	return Record{
		Seq: m.Sequence, Key: keyOf(strings.TrimPrefix(m.Subject, s.prefix)),
		ID: m.Header.Get(nats.MsgIdHdr), Time: m.Time, Data: m.Data,
	}
}

// readError makes ErrNotFound of what JetStream says about a record that is not there.
func readError(err error) error {
	switch e, ok := errors.AsType[*jetstream.APIError](err); {
	case err == nil:
		return nil
	case errors.Is(err, jetstream.ErrMsgNotFound), ok && e.ErrorCode == codeNoMessage:
		return ErrNotFound
	case errors.Is(err, jetstream.ErrMsgDeleteUnsuccessful) && strings.Contains(err.Error(), codeNoSequence):
		return ErrNotFound // the library passes the text on and not the error
	}
	return fmt.Errorf("read a record: %w", err)
}
