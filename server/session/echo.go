package session

import (
	"time"

	"skirmish/server/wsconn"
)

// Echo sends every message back: the socket and frame layers by themselves, for conformance tests. It runs on the
// lobby's goroutine.
type Echo struct {
	scratch []byte
}

// Message answers m with the same kind and payload (Receiver).
func (e *Echo) Message(l *Lobby, s *Session, m wsconn.Message, _ []byte) (moved bool, err error) {
	e.scratch = wsconn.AppendFrame(e.scratch[:0], m.Op, m.Payload)
	l.send(s, e.scratch, time.Now())
	return false, nil
}
