package session

import (
	"context"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

// StartRule says when a match begins to tick. Before that its players are connected and welcomed, and see nothing move.
type StartRule struct {
	Now        bool          // at once, with nobody there
	AllSeated  bool          // when no seat is reserved for a player any more: each has come or is expired
	MinPlayers int           // and this many play, bots included; at least one of them is connected whatever this says
	Countdown  time.Duration // from then on; begins again when the rule is broken in between
}

// gatherRate is how often a second a match that waits reads its players' sockets.
const gatherRate = 40

// immediate tells that the first connection starts the match.
func (s *StartRule) immediate() bool {
	return !s.AllSeated && s.MinPlayers <= 1 && s.Countdown == 0
}

// wait returns true when the match is to begin. Its beats are on a grid of the match's own, as its ticks will be, so that the
// matches which wait on a node do not wake up together.
func (r *Room) wait(ctx context.Context) (bool, error) {
	if r.cfg.Start.Now {
		return true, nil
	}
	begun, clock := time.Now(), game.NewClock(r.cfg.Match.ID, gatherRate)
	noShow := begun.Add(r.cfg.NoShow)
	timer := time.NewTimer(0)
	defer timer.Stop()
	w := watched{r}
	every := housekeepEvery // as long as nobody is there
	for {
		now := time.Now()
		next := every - (now.Sub(begun)-clock.Stagger())%every
		if r.cfg.NoShow > 0 {
			next = min(next, noShow.Sub(now))
		}
		timer.Reset(next)
		select {
		case <-ctx.Done():
			return false, context.Cause(ctx)
		case <-r.wake:
		case <-timer.C:
		}
		now = time.Now()
		if r.cfg.NoShow > 0 && !now.Before(noShow) {
			w.halt(game.ReasonNoShow)
			return false, nil
		}
		if every == housekeepEvery {
			switch o := r.takeOrder(); {
			case o != nil:
				w.halt(o.why)
				return false, nil
			case r.somebodyCame() && r.cfg.Start.immediate():
				return true, nil
			case !r.somebodyCame() && !r.called.Load():
				r.ledger.sweep(now)
				r.writeJournal(now)
				continue
			}
			every = time.Second / gatherRate
		}
		w.Collect(now)
		w.Deliver(now, false)
		if _, over := r.engine.Ended(); over {
			return false, nil
		}
		if r.begins(now) {
			return true, nil
		}
		if len(r.sessions) == 0 && len(r.lost) == 0 && r.deadline.IsZero() && !r.somebodyCame() { // there was only a call, or who came has left
			every = housekeepEvery
		}
	}
}

// begins tells whether the start rule is kept and its countdown over.
func (r *Room) begins(now time.Time) bool {
	rule := &r.cfg.Start
	connected := 0
	for _, s := range r.sessions {
		if s.player.role == protocol.RolePlayer {
			connected++
		}
	}
	seats, c := r.ledger.all(now)
	reserved := 0
	for i := range seats {
		if seats[i].Role == protocol.RolePlayer && seats[i].State == protocol.SeatReserved {
			reserved++
		}
	}
	if connected == 0 || c.Players < rule.MinPlayers || rule.AllSeated && reserved > 0 {
		r.startAt = time.Time{}
		return false
	}
	if r.startAt.IsZero() {
		r.startAt = now.Add(rule.Countdown)
	}
	return !now.Before(r.startAt)
}
