package main

// team are the bots of one match. With scouts, one of them decodes what the server sends and the brains of all of them
// look at that: their inputs are as real as ever, at a small part of the generator's cost. The others read the heads,
// their own rows and that each delta follows the state before; the scout checks the server's checksums as well. The
// loop of the match's bots owns it.
type team struct{ scout *bot }

// join gives a welcomed bot its part.
func (l *loop) join(b *bot, at int64) {
	if !l.scouts {
		return
	}
	if b.team.scout == nil && b.life.manner != watches {
		b.team.scout = b
	}
	b.session.Skim(b.team.scout != b && b.marks == nil, at)
}

// leave is called when a bot loses its connection or ends.
func (t *team) leave(b *bot) {
	if t.scout == b {
		t.scout = nil
	}
}

// eyes is the bot whose picture b looks at. With the scout gone it takes its place, and sees from the keyframe on that
// it asks for.
func (l *loop) eyes(b *bot, now int64) *bot {
	if !l.scouts {
		return b
	}
	if b.team.scout == nil {
		b.team.scout = b
		b.session.Skim(false, now)
	}
	return b.team.scout
}
