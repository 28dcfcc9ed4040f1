package game

import "skirmish/protocol"

// Viewer is the replication cursor of one connection: what was last written to it, and which event comes next.
// It belongs to the engine that made it and to that engine's goroutine.
type Viewer struct {
	e    *Engine
	seat Seat

	base    *frame // the last frame written
	number  uint64 // its number; another one in base: the baseline is gone
	private []int32
	hasPriv bool

	event uint32 // number of the last event passed

	// Where viewers see different rows:
	gathered bool    // known is kept
	known    []known // what it has, or is about to have; ascending ids
	centre   centre
	sumDue   bool
}

// NewViewer makes the cursor of a connection that plays seat s, or of a spectator with s = 0. Its first state
// is a full snapshot; its events are those emitted from now on.
func (e *Engine) NewViewer(s Seat) *Viewer {
	v := &Viewer{e: e, seat: s}
	v.event = v.program().last
	return v
}

// Rebase makes the next state a full snapshot.
func (v *Viewer) Rebase() {
	if v.baseline() != nil {
		v.base.refs--
	}
	v.base, v.hasPriv = nil, false
}

// Close gives the baseline back early. A viewer that is just forgotten costs at most MaxBaselines frames for a
// while.
func (v *Viewer) Close() { v.Rebase() }

// Follow makes v have what o has: its state and its events. Both are spectators'.
func (v *Viewer) Follow(o *Viewer) {
	v.Rebase()
	if base := o.baseline(); base != nil {
		base.refs++
		v.base, v.number = base, o.number
	}
	v.event = o.event
}

// InStep tells whether v and o have the same, so that what is next for one is next for the other. Both are spectators'.
func (v *Viewer) InStep(o *Viewer) bool { return v.event == o.event && v.baseline() == o.baseline() }

// baseline is the frame last written, nil if there is none or it is gone.
func (v *Viewer) baseline() *frame {
	if v.base != nil && v.base.number == v.number {
		return v.base
	}
	return nil
}

// AppendState appends the newest frame that v may see as one message: a delta against the last one appended for v,
// or a full snapshot. The caller writes it whole or drops the connection; one that it cannot write yet it does not ask
// for. Nothing is appended before the first frame and when v has the newest one already.
func (e *Engine) AppendState(dst []byte, v *Viewer) []byte {
	stage := v.stage()
	now := stage.newest
	base := v.baseline()
	if now == nil || now == base {
		return dst
	}
	if v.seat == 0 {
		return append(dst, e.SharedState(v)...)
	}
	if e.gather != nil && !v.gathered { // what it has is not written down yet
		v.Rebase()
		v.gathered, base = true, nil
	}
	var head protocol.StateHead
	var private, before []int32
	if p := e.seat(v.seat); p != nil {
		if now.moment != 0 {
			p.written.add(now.moment)
		}
		head.Ack, head.LeadMS, head.Flags = p.shown.ack, p.shown.lead, p.shown.flags
		private = p.shown.private
	}
	if v.hasPriv = v.hasPriv && base != nil; v.hasPriv { // a snapshot stands alone
		before = v.private
	}
	dst = appendHead(dst, &head, base, now)
	if v.gathered {
		dst = e.appendGathered(dst, v, base)
	} else {
		dst = append(dst, e.frames.body(e.def.Plan, base).bytes...)
	}
	dst = protocol.AppendPrivate(dst, e.def.Plan.Private, before, private)
	if v.gathered {
		dst = e.appendGatheredSum(dst, v, base)
	} else {
		dst = e.frames.appendSum(dst, base)
	}
	v.advance(base, now, private)
	return dst
}

// SharedState is what AppendState appends for the viewer of a spectator, without the copy: the same bytes for all that have
// the same baseline, valid until the next frame. It is nil when there is nothing to send.
func (e *Engine) SharedState(v *Viewer) []byte {
	stage := v.stage()
	now, base := stage.newest, v.baseline()
	if now == nil || now == base {
		return nil
	}
	v.advance(base, now, nil)
	return stage.spectacle(e.def.Plan, base)
}

// appendHead appends the elements before the rows of a state that turns base into now, or tells now in full. What
// differs from player to player is in h.
func appendHead(dst []byte, h *protocol.StateHead, base, now *frame) []byte {
	h.Tick = now.tick
	if base == nil {
		h.ServerTime = uint64(now.at.UnixMicro())
		return protocol.AppendSnapshotHead(dst, h)
	}
	h.BaseTick = base.tick
	return protocol.AppendDeltaHead(dst, h)
}

// advance makes now the viewer's baseline in place of base.
func (v *Viewer) advance(base, now *frame, private []int32) {
	if base != nil {
		base.refs--
	}
	now.refs++
	v.base, v.number = now, now.number
	if len(private) > 0 {
		v.private = append(v.private[:0], private...)
		v.hasPriv = true
	}
}
