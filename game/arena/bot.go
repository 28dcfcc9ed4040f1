package arena

import "skirmish/game"

// Bot plays one seat by what a player sees, in the server and in the load generator alike. It decides a few
// times a second, as a human does; in between it holds the stick and follows its target with the guns. After
// the first ticks of a round it allocates nothing. One goroutine owns it.
type Bot struct {
	rand   game.Rand
	nature nature
	eyes   eyes
	path   path

	clock int32 // ticks thought
	next  int32 // clock of the next decision

	// The plan of the last decision.
	target  game.Seat // 0: none
	inSight bool      // the target
	ax, ay  int8
	dash    bool  // once
	circle  int32 // 1 or −1: the way round a target
	turn    int32 // clock of the next change of circle

	goal      Spot // where it walks when it does not fight
	walking   bool
	until     int32 // clock at which it looks for another goal
	stuckAt   Spot  // where it was
	stuckTill int32 // clock of the next look at that
	freeing   int32 // clock until which it only gets away from here

	// The guns.
	aim       uint16
	miss      int32 // what it aims beside, in angles
	missNext  int32
	missClock int32
	ready     int32 // clock from which it fires at this target
	railFrom  int32 // clock from which it uses the rail
	burst     int32 // clock until which it keeps firing bolts
	rest      int32 // clock from which it fires again
}

// nature is what makes bots differ.
type nature struct {
	skill    int32 // 0 to 100
	near     int32 // the distance it likes to fight at
	caution  int32 // hp below which it looks for repair
	pace     int32 // ms between decisions
	reaction int32 // ms from the sight of a target to the first shot
	wobble   int32 // the most it aims beside, in angles
	turning  int32 // angles per second it turns the guns by at most
	lead     int32 // of 256: how much of the right lead it gives bolts
	late     int32 // ms that it sees a moving target behind, when it aims the rail
	daring   int32 // of 100: how often it dashes at somebody
}

// NewBot makes a bot whose skill and temper follow from seed.
func NewBot(seed uint64) *Bot {
	r := game.NewRand(seed)
	return NewBotOfSkill(seed, 15+r.IntN(71))
}

// NewBotOfSkill makes a bot of a skill from 0, a beginner, to 100.
func NewBotOfSkill(seed uint64, skill int) *Bot {
	b := &Bot{circle: 1}
	b.rand.Seed(seed)
	k := int32(min(max(skill, 0), 100))
	b.nature = nature{
		skill:    k,
		near:     (150 + b.rand.Int32N(200)) * Unit,
		caution:  25 + b.rand.Int32N(35),
		pace:     90 + (100-k)*2/3,
		reaction: 140 + (100-k)*4,
		wobble:   400 + (100-k)*26,
		turning:  (6 + k/5) * fullTurn / 8,
		lead:     100 + k*156/100,
		late:     20 + (100-k)*3/2,
		daring:   10 + b.rand.Int32N(60),
	}
	b.aim = uint16(b.rand.Int32N(fullTurn))
	if b.rand.IntN(2) == 0 {
		b.circle = -1
	}
	return b
}

// Think fills in the next input.
func (b *Bot) Think(v *game.View, in any) {
	out := in.(*Input)
	out.Aim = b.aim
	b.clock++
	fresh, there := b.eyes.look(v)
	if fresh && b.eyes.relaid { // dead as well: the walls are told apart once
		b.path.lay(&b.eyes)
	}
	if !there {
		b.target, b.walking, b.stuckTill = 0, false, 0
		return
	}
	if b.clock >= b.next {
		b.next = b.clock + b.ms(b.nature.pace)
		b.decide()
	}
	out.AX, out.AY = b.ax, b.ay
	if b.dash {
		b.dash = false
		out.Buttons |= ButtonDash
	}
	b.shoot(out)
	out.Aim = b.aim
}

// ms is a time in ticks.
func (b *Bot) ms(ms int32) int32 { return max(ms*b.eyes.rate/1000, 1) }
