package client

import (
	"context"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"time"

	"skirmish/protocol"
)

// Send sends the next input, wire values in the order of the plan's input, and returns its number.
func (c *Client) Send(values ...int32) (seq uint32, err error) {
	c.mu.Lock()
	if err = c.ready(); err == nil {
		err = c.fits(values)
	}
	if err == nil {
		at := c.now()
		if due, ok := c.session.Pacer.Due(at); ok {
			at = due
		}
		seq = c.session.Input(values, at)
	}
	c.mu.Unlock()
	if err == nil {
		c.flush()
	}
	return seq, err
}

// Tick waits until the next input is due: once per tick of the server, so that it gets there in time for its own
// tick and does not wait there for long (see Pacer). While the connection is broken it waits for the resume. The
// error is ctx's cause, or how the client ended.
//
//	for c.Tick(ctx) == nil {
//		c.Send(values...)
//	}
func (c *Client) Tick(ctx context.Context) error {
	var timer *time.Timer
	for {
		wait := tickLook
		c.mu.Lock()
		if c.err == nil && c.wire != nil && !c.closing {
			now := c.now()
			at, ok := c.session.Pacer.Due(now)
			if ok {
				c.mu.Unlock()
				return nil
			}
			if at > now {
				wait = min(wait, time.Duration(at-now))
			}
		}
		c.mu.Unlock()
		if timer == nil {
			timer = time.NewTimer(wait)
			defer timer.Stop()
		} else {
			timer.Reset(wait)
		}
		select {
		case <-timer.C:
		case <-c.done:
			if err := c.Wait(ctx); err != nil {
				return err
			}
			return ErrClosed
		case <-ctx.Done():
			return context.Cause(ctx)
		}
	}
}

// fits checks an input against the plan, so that a slip of the caller is not the server's 4400.
func (c *Client) fits(values []int32) error {
	if c.session.Welcome.Role == protocol.RoleSpectator {
		return ErrRole
	}
	fields := c.session.Welcome.Plan.Input.Fields
	if len(values) != len(fields) {
		return fmt.Errorf("client: an input has %d fields, not %d", len(fields), len(values))
	}
	for i, v := range values {
		if f := &fields[i]; v < f.Min || v > f.Max {
			return fmt.Errorf("client: input field %s: %d is not in %d to %d", f.Name, v, f.Min, f.Max)
		}
	}
	return nil
}

// SendFields sends the next input by the names of its fields, in the game's units: each value is multiplied by
// its field's scale and rounded. Fields left out are 0, or what lies next to 0 in their range.
func (c *Client) SendFields(fields map[string]float64) (seq uint32, err error) {
	plan := c.Plan()
	values := make([]int32, len(plan.Input.Fields))
	used := 0
	for i := range values {
		f := &plan.Input.Fields[i]
		v, ok := fields[f.Name]
		if ok {
			used++
		}
		v = math.Round(v * float64(f.Scale))
		switch {
		case !ok:
			v = min(max(0, float64(f.Min)), float64(f.Max))
		case !(v >= float64(f.Min) && v <= float64(f.Max)): // NaN as well
			return 0, fmt.Errorf("client: input field %s: %v is out of its range", f.Name, fields[f.Name])
		}
		values[i] = int32(v)
	}
	if used != len(fields) {
		for name := range fields {
			if _, ok := FieldIndex(&plan.Input, name); !ok {
				return 0, fmt.Errorf("client: the input has no field %q", name)
			}
		}
	}
	return c.Send(values...)
}

// SetView tells the coming inputs what is on screen, see Session.SetView.
func (c *Client) SetView(tick uint32, fraction uint8) error {
	return c.with(func(s *Session) { s.SetView(tick, fraction) })
}

// Request makes a game's own call and waits for its reply. Status is protocol.ReplyOK or why not.
func (c *Client) Request(ctx context.Context, op uint16, payload []byte) (status uint16, out []byte, err error) {
	if len(payload) > protocol.MaxRequestBytes {
		return 0, nil, fmt.Errorf("client: a request of %d bytes: at most %d", len(payload), protocol.MaxRequestBytes)
	}
	ch := make(chan reply, 1)
	var id uint32
	full := false
	err = c.with(func(s *Session) {
		if full = len(c.calls) >= maxPendingCalls; full {
			return
		}
		c.lastCall++
		id = c.lastCall
		c.calls[id] = ch
		s.Request(id, op, payload)
	})
	if full {
		return 0, nil, fmt.Errorf("client: %d requests already wait for their replies", maxPendingCalls)
	}
	if err != nil {
		return 0, nil, err
	}
	select {
	case r, ok := <-ch:
		if !ok {
			return 0, nil, ErrClosed
		}
		return r.status, r.payload, nil
	case <-ctx.Done():
		c.mu.Lock()
		delete(c.calls, id)
		c.mu.Unlock()
		return 0, nil, context.Cause(ctx)
	}
}

// Plan tells what rows, inputs and events of the match are made of. It does not change; do not write to it.
func (c *Client) Plan() *protocol.Plan {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.Welcome.Plan
}

// Welcome is the newest welcome.
func (c *Client) Welcome() protocol.Welcome {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.Welcome
}

// State copies the newest state into dst, whose memory is re-used. False: there is none yet.
func (c *Client) State(dst *protocol.State) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &c.session.State
	dst.Plan, dst.Head, dst.CRC, dst.HasCRC, dst.HasPrivate = s.Plan, s.Head, s.CRC, s.HasCRC, s.HasPrivate
	dst.Rows.CopyFrom(&s.Rows)
	dst.Private = append(dst.Private[:0], s.Private...)
	return s.Begun()
}

// Roster copies the table of seats.
func (c *Client) Roster() []protocol.RosterEntry {
	c.mu.Lock()
	defer c.mu.Unlock()
	return append([]protocol.RosterEntry(nil), c.session.Roster...)
}

// Link tells how the connection does.
type Link struct {
	RTT   time.Duration // of the newest pong
	Age   time.Duration // of the newest state, now
	Known bool          // a pong has come: RTT and Age mean something
	Stats Stats         // of this connection
}

// Link tells how the connection does now.
func (c *Client) Link() Link {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := c.session
	l := Link{RTT: time.Duration(s.Clock.RTT) * time.Microsecond, Stats: s.Stats}
	l.Age, l.Known = s.Age(c.now())
	return l
}

// Resumption is what another Client needs to take this seat over, Options.Resume.
func (c *Client) Resumption() Resume {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.session.Resumption()
}

// Result is the match's outcome, false while the match goes on.
func (c *Client) Result() (protocol.Result, bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.result, c.over
}

// Done is closed when the client has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Wait waits for the end: nil after the match's end, Leave or Close, else a *CloseError or why a resume was
// declined. When ctx ends first it returns ctx's cause, and the client plays on.
func (c *Client) Wait(ctx context.Context) error {
	select {
	case <-c.done:
	case <-ctx.Done():
		return context.Cause(ctx)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if ce, ok := errors.AsType[*CloseError](c.err); ok {
		switch {
		case ce.Code == protocol.CloseMatchOver, c.over, c.closing:
			return nil
		}
	}
	return c.err
}

// Leave gives the seat up, waits for the server's answer, 3 s at most or until ctx ends, and closes.
func (c *Client) Leave(ctx context.Context) error {
	if err := c.with(func(s *Session) { s.Bye(0); c.closing = true }); err != nil {
		return c.Close()
	}
	ctx, cancel := context.WithTimeout(ctx, leaveLimit)
	defer cancel()
	select {
	case <-c.done:
	case <-ctx.Done():
	}
	return c.Close()
}

// Close breaks the connection off and returns when the client's goroutines have ended. The seat stays held for
// Welcome.ReconnectMS; Resumption leads back into it. Safe to call twice.
func (c *Client) Close() error {
	c.mu.Lock()
	c.closing = true
	w := c.wire
	c.mu.Unlock()
	c.cancel()
	if w != nil {
		w.conn.Close()
	}
	c.wg.Wait()
	return nil
}

// resume makes the next connection of a held seat: nil and nil when the time is over.
func (c *Client) resume(s *Session, lost *CloseError) (*line, error) {
	r := s.Resumption()
	window := milliseconds(s.Welcome.ReconnectMS)
	ctx, cancel := context.WithTimeout(c.ctx, window)
	defer cancel()
	backoff := NewBackoff(lost)
	for {
		t := time.NewTimer(backoff.Wait(rand.Float64()))
		select {
		case <-t.C:
		case <-ctx.Done():
			t.Stop()
			return nil, nil
		}
		l, err := c.join(ctx, "", r)
		if err == nil {
			return l, nil
		}
		if !backoff.Failed(err) {
			return nil, err
		}
	}
}
