package session

import (
	"errors"
	"time"
)

// ErrHandOver is the cause of a context that ends rooms so that another process goes on with their matches.
var ErrHandOver = errors.New("session: another process takes over")

// handOver takes the match down as it is and sends its players off to come back at once. There is no outcome.
func (r *Room) handOver() {
	now := time.Now()
	r.Between(now) // whoever has got this far has a token to come back with
	late := r.shut(true)
	r.writeJournal(now)
	r.checkpoint(now)
	r.sendOff(late, endRestart)
	for len(r.sessions) > 0 {
		r.release(r.sessions[len(r.sessions)-1], endRestart)
	}
	r.flushCounts()
	r.log.Info().Uint32("tick", r.engine.Now()).Msg("match handed over")
}

// handedOver tells whether another process goes on with the match. Safe from any goroutine.
func (r *Room) handedOver() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.handed
}
