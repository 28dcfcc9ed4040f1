package arena

import "skirmish/game"

// phase moves the match on when its time has come: warm-up, round, intermission, round …
func (s *Sim) phase(t *game.Tick) {
	now := t.Now()
	switch {
	case s.Phase == PhaseWarmup && s.Ends == 0:
		if len(t.Players()) > 0 {
			s.enter(t, PhaseWarmup, s.tune.warmup, 0)
		}
	case now < s.Ends:
	case s.Phase == PhaseWarmup:
		s.begin(t)
	case s.Phase == PhasePlaying:
		s.end(t)
	case s.params.Rounds > 0 && s.Number >= int32(s.params.Rounds):
		if s.Ends > 0 {
			t.Finish(s.result())
		}
	default:
		s.Number++
		s.lay()
		s.begin(t)
	}
}

// enter begins a phase that lasts so many ticks and tells everybody.
func (s *Sim) enter(t *game.Tick, phase uint8, lasts int32, winner uint16) {
	s.Phase, s.Ends = phase, t.Now()+uint32(lasts)
	s.events.phase = PhaseEvent{Phase: phase, Number: uint16(s.Number), Winner: winner}
	t.Emit(nil, &s.events.phase)
}

// begin starts the round: scores at zero, everybody at a spawn point, everything in place.
func (s *Sim) begin(t *game.Tick) {
	s.Bolts, s.Beams = s.Bolts[:0], s.Beams[:0]
	s.Red, s.Blue = 0, 0
	s.layPickups()
	for i := range s.Ships {
		p := &s.Ships[i]
		p.Score, p.Kills, p.Deaths = 0, 0, 0
		p.Dead = 1 // so that places are looked for on an empty ground
	}
	for i := range s.Ships {
		if s.Ships[i].Seat != 0 {
			s.spawn(t, i, true)
		}
	}
	s.enter(t, PhasePlaying, s.tune.round, 0)
}

// limit ends the round when somebody, or a team, has reached the score limit.
func (s *Sim) limit(t *game.Tick) {
	if s.Phase != PhasePlaying || s.params.ScoreLimit == 0 {
		return
	}
	top := max(s.Red, s.Blue)
	if !s.teams() {
		for i := range s.Ships {
			top = max(top, s.Ships[i].Score)
		}
	}
	if top >= int32(s.params.ScoreLimit) {
		s.end(t)
	}
}

// end closes the round: its record, the totals and the intermission with the final scores on show.
func (s *Sim) end(t *game.Tick) {
	s.enter(t, PhaseIntermission, s.tune.intermission, s.close())
	s.Bolts = s.Bolts[:0]
}

// close adds the round up and returns its winner: a seat, a team in teams, 0 for a draw.
func (s *Sim) close() (winner uint16) {
	record := RoundRecord{Number: s.Number, Red: s.Red, Blue: s.Blue}
	if s.teams() {
		switch {
		case s.Red > s.Blue:
			winner, record.Winner = TeamRed, "red"
		case s.Blue > s.Red:
			winner, record.Winner = TeamBlue, "blue"
		}
	} else if best := s.best(); best >= 0 {
		winner, record.Winner = uint16(s.Ships[best].Seat), s.Ships[best].ID
	}
	if len(s.Rounds) == MaxRounds {
		copy(s.Rounds, s.Rounds[1:])
		s.Rounds = s.Rounds[:MaxRounds-1]
	}
	s.Rounds = append(s.Rounds, record)
	for i := range s.Ships {
		p := &s.Ships[i]
		if p.Seat == 0 {
			continue
		}
		p.Total = p.sum()
		if winner != 0 && (s.teams() && winner == uint16(p.Team) || !s.teams() && winner == uint16(p.Seat)) {
			p.Total.Wins++
		}
	}
	return winner
}

// sum is the ship's total with the running round.
func (p *Ship) sum() Tally {
	return Tally{
		Score: p.Total.Score + p.Score, Kills: p.Total.Kills + p.Kills,
		Deaths: p.Total.Deaths + p.Deaths, Wins: p.Total.Wins,
	}
}

// best is the slot that has won a free for all, −1 if two are level or nobody is there: the score counts, then
// kills, then fewer deaths.
func (s *Sim) best() int {
	best, level := -1, false
	for i := range s.Ships {
		p := &s.Ships[i]
		if p.Seat == 0 {
			continue
		}
		if best < 0 {
			best = i
			continue
		}
		a, b := Tally{Score: p.Score, Kills: p.Kills, Deaths: p.Deaths}, &s.Ships[best]
		switch order := a.compare(Tally{Score: b.Score, Kills: b.Kills, Deaths: b.Deaths}); {
		case order < 0:
			best, level = i, false
		case order == 0:
			level = true
		}
	}
	if level {
		return -1
	}
	return best
}
