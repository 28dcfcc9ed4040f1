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
}

// NewViewer makes the cursor of a connection that plays seat s, or of a spectator with s = 0. Its first state
// is a full snapshot; its events are those emitted from now on.
func (e *Engine) NewViewer(s Seat) *Viewer {
	return &Viewer{e: e, seat: s, event: e.events.last}
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

// baseline is the frame last written, nil if there is none or it is gone.
func (v *Viewer) baseline() *frame {
	if v.base != nil && v.base.number == v.number {
		return v.base
	}
	return nil
}

// AppendState appends the newest frame as one message: a delta against the last one appended for v, or a full
// snapshot. The caller writes it whole or drops the connection; one that it cannot write yet it does not ask
// for. Nothing is appended before the first frame and when v has the newest one already.
func (e *Engine) AppendState(dst []byte, v *Viewer) []byte {
	now := e.frames.newest
	base := v.baseline()
	if now == nil || now == base {
		return dst
	}
	head := protocol.StateHead{Tick: now.tick}
	var private, before []int32
	if p := e.seat(v.seat); p != nil {
		if now.moment != 0 {
			p.written.add(now.moment)
		}
		head.Ack, head.LeadMS, head.Flags = p.shown.ack, p.shown.lead, p.shown.flags
		private = p.shown.private
	}
	if base == nil {
		v.hasPriv = false // a snapshot stands alone
		head.ServerTime = uint64(now.at.UnixMicro())
		dst = protocol.AppendSnapshotHead(dst, &head)
	} else {
		head.BaseTick = base.tick
		dst = protocol.AppendDeltaHead(dst, &head)
	}
	if v.hasPriv {
		before = v.private
	}
	dst = append(dst, e.frames.body(e.def.Plan, base)...)
	dst = protocol.AppendPrivate(dst, e.def.Plan.Private, before, private)
	dst = protocol.AppendCRC(dst, now.crc, now.hasCRC)
	v.advance(base, now, private)
	return dst
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
