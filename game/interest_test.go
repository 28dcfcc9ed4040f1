package game_test

import (
	"slices"
	"testing"

	"skirmish/game"
	"skirmish/protocol"
)

// Interest is held against a plain model in TestModel; these are its rules told one by one.

// field is a match without rows of its own: a test puts them by id.
type field struct {
	*game.Engine
	rows   map[uint32]any
	owners map[uint32]game.Seat
}

func newField(t testing.TB, in game.Interest, g *toy) *field {
	f := &field{rows: map[uint32]any{}, owners: map[uint32]game.Seat{}}
	g.bare = true
	g.spec = func(s *game.Spec) { s.Interest = in }
	g.hooks.frame = func(out *game.Frame) {
		for id, row := range f.rows {
			if owner := f.owners[id]; owner != 0 {
				out.PutFor(owner, id, row)
			} else {
				out.Put(id, row)
			}
		}
	}
	f.Engine = newToy(t, g, everyTick)
	for s := range game.Seat(3) {
		join(t, f.Engine, s+1)
	}
	return f
}

// at is a mover at a place in wire units.
func at(x, y int32) *Mover { return &Mover{X: x << 5, Y: y << 5} }

// sees plays a tick and fails unless the client sees exactly these ids.
func (f *field) sees(t testing.TB, story string, c *client, want ...uint32) {
	t.Helper()
	tick(f.Engine, 1)
	c.read(t)
	if !slices.Equal(c.Rows.IDs, want) {
		t.Errorf("%s: it sees %v, want %v", story, c.Rows.IDs, want)
	}
}

func TestInterestOfAPlace(t *testing.T) {
	f := newField(t, game.Interest{Radius: 100, Hysteresis: 20}, &toy{})
	one, spectator := newClient(f.Engine, 1), newClient(f.Engine, 0)
	f.rows[50], f.rows[60] = at(0, 0), &Mark{}
	f.sees(t, "who was nowhere yet sees what has no place", one, 60)
	f.rows[1] = at(1000, -1000)
	f.sees(t, "itself", one, 1, 60)
	f.rows[50] = at(1060, -920)
	f.sees(t, "a row on the edge", one, 1, 50, 60)
	f.rows[50] = at(1000, -880)
	f.sees(t, "one that goes no farther than the hysteresis", one, 1, 50, 60)
	f.rows[50] = at(1000, -879)
	f.sees(t, "one that goes away", one, 1, 60)
	f.rows[50] = at(1000, -881)
	f.sees(t, "one that is not near enough to come back", one, 1, 60)
	f.rows[50] = at(1000, -901)
	f.sees(t, "one that comes back", one, 1, 50, 60)
	f.rows[50] = &Mark{Kind: 2}
	f.sees(t, "one that becomes something else", one, 1, 50, 60)
	delete(f.rows, 1)
	f.rows[51] = at(1000, -1001)
	f.sees(t, "whose ship is gone sees around the place where it was", one, 50, 51, 60)
	f.rows[52] = at(1<<26-1, -1<<26) // as far as places go
	f.rows[1] = f.rows[52]
	f.sees(t, "at the end of the world", one, 1, 50, 52, 60)
	f.sees(t, "a spectator sees everything", spectator, 1, 50, 51, 52, 60)
}

func TestRowsOfOneSeat(t *testing.T) {
	var bot []uint32
	g := &toy{}
	g.hooks.think = func(v *game.View, _ *toyInput) { bot = append(bot[:0], v.Rows.IDs...) }
	f := newField(t, game.Interest{}, g)
	if err := f.Join(game.PlayerInfo{Seat: 9, Bot: true}); err != nil {
		t.Fatal(err)
	}
	one, two, spectator := newClient(f.Engine, 1), newClient(f.Engine, 2), newClient(f.Engine, 0)
	f.rows[5] = &Mark{}
	f.sees(t, "before there are any", one, 5)
	two.read(t)
	f.rows[6], f.rows[4], f.owners[6], f.owners[4] = at(3, 3), &Mark{}, 1, 9
	f.sees(t, "its own row", one, 5, 6)
	f.sees(t, "another's row", two, 5)
	f.sees(t, "a spectator", spectator, 5)
	if tick(f.Engine, 1); !slices.Equal(bot, []uint32{4, 5}) {
		t.Errorf("a bot sees %v", bot)
	}
	f.owners[6] = 2
	f.sees(t, "a row that changed hands", one, 5)
	f.sees(t, "to whom it came", two, 5, 6)
	f.owners[6] = 0
	f.sees(t, "a row that is everybody's now", one, 5, 6)
	f.sees(t, "a spectator, too", spectator, 5, 6)
	delete(f.owners, 4)
	delete(f.rows, 6)
	f.sees(t, "when there are none any more", one, 4, 5)
	f.sees(t, "when there are none any more", spectator, 4, 5)
}

func TestOwnRule(t *testing.T) {
	g := &toy{}
	g.hooks.view = func(p *game.Player, v *game.ViewSet) {
		if p.Seat == 1 {
			v.Show(50)
			v.Show(51)
			v.Show(52) // another's
			v.Show(99) // not there
			v.Hide(51)
			v.Hide(53) // its own: nothing hides it
			v.Priority(99, 5)
		}
	}
	f := newField(t, game.Interest{}, g)
	f.rows = map[uint32]any{50: at(1, 1), 51: at(2, 2), 52: at(3, 3), 53: &Mark{}, 54: &Mark{}}
	f.owners[52], f.owners[53] = 2, 1
	one, two, spectator := newClient(f.Engine, 1), newClient(f.Engine, 2), newClient(f.Engine, 0)
	f.sees(t, "what it is shown", one, 50, 53)
	f.sees(t, "who is shown nothing", two, 52)
	f.sees(t, "a spectator", spectator, 50, 51, 54)
}

// TestBudgetStarvesNobody: 200 rows that change all the time share a budget with room for few. Each is told again
// within a bounded number of states: with equal claims within one round, and the farthest one at most as many
// times later as its claim grows slower.
func TestBudgetStarvesNobody(t *testing.T) {
	const rows, budget = 200, 120
	for _, c := range []struct {
		name     string
		interest game.Interest
		slower   int // how much slower than the fastest the slowest claim grows
	}{
		{"equal claims", game.Interest{Budget: budget}, 1},
		{"claims by distance", game.Interest{Radius: 10000, Budget: budget}, 16},
	} {
		t.Run(c.name, func(t *testing.T) {
			f := newField(t, c.interest, &toy{})
			one := newClient(f.Engine, 1)
			f.rows[1] = at(0, 0)
			told := map[uint32]uint32{}
			longest, sum, states := uint32(0), 0, 0
			const most = 6 // bytes that the budget counts for one of these changes at most
			bound := uint32(c.slower * (rows*most/(budget-most) + 2))
			for n := range int32(1200) {
				for i := range int32(rows) {
					f.rows[uint32(100+i)] = at(i*49, n%1000)
				}
				tick(f.Engine, 1)
				one.read(t)
				if len(one.msg) > budget+30 {
					t.Fatalf("a state of %d bytes", len(one.msg))
				}
				for i, id := range one.Rows.IDs {
					if id > 1 && one.Rows.Row(i)[1] == n%1000 {
						told[id] = f.Now()
						sum++
					}
				}
				if n < 500 {
					sum = 0
					continue
				}
				states++
				for i := range uint32(rows) {
					longest = max(longest, f.Now()-told[100+i])
				}
			}
			if longest > bound {
				t.Errorf("a row waited %d states, the bound is %d", longest, bound)
			}
			t.Logf("%d rows, %.1f in each state, the longest wait %d states, bound %d", rows, float64(sum)/float64(states), longest, bound)
		})
	}
}

// TestBudgetAndPriority: what the game thinks important comes first, and a row larger than the whole budget comes.
func TestBudgetAndPriority(t *testing.T) {
	g := &toy{}
	g.hooks.view = func(p *game.Player, v *game.ViewSet) {
		for id := range uint32(100) {
			v.Show(100 + id)
		}
		v.Priority(150, 1000)
	}
	f := newField(t, game.Interest{Budget: 64}, g)
	one := newClient(f.Engine, 1)
	late := 0
	for n := range int32(1000) {
		for i := range int32(100) {
			f.rows[uint32(100+i)] = at(n*1000+i, -n*1000)
		}
		tick(f.Engine, 1)
		one.read(t)
		if i, ok := one.Rows.Find(150); n > 0 && (!ok || one.Rows.Row(i)[0] != n*1000+50) {
			late++
		}
	}
	if late > 30 { // another one's turn comes after up to 62 times its claim's growth
		t.Errorf("the important row was late %d of 1000 times", late)
	}
	if one.Rows.Len() != 100 {
		t.Errorf("%d of 100 rows came", one.Rows.Len())
	}
}

func TestKeyframeUnderABudgetComesInParts(t *testing.T) {
	f := newField(t, game.Interest{Budget: 100}, &toy{})
	one := newClient(f.Engine, 1)
	for i := range uint32(60) {
		f.rows[100+i] = at(int32(i)*100, 7)
	}
	for n := range 3 {
		one.v.Rebase()
		states := 0
		for first := true; first || one.v.Waiting() > 0; first = false {
			tick(f.Engine, 1)
			if one.read(t); first != one.full() {
				t.Fatalf("state %d is full: %v", states, one.full())
			}
			if states++; states > 20 {
				t.Fatal("it never ends")
			}
		}
		if one.Rows.Len() != 60 || states < 5 {
			t.Errorf("time %d: %d rows in %d states", n, one.Rows.Len(), states)
		}
	}
}

// TestHealing: whatever a client gets wrong, the next checksum tells, and a keyframe repairs it.
func TestHealing(t *testing.T) {
	for _, c := range []struct {
		name     string
		interest game.Interest
		seat     game.Seat
	}{
		{"a spectator", game.Interest{}, 0},
		{"a player", game.Interest{}, 1},
		{"a player with a view", game.Interest{Radius: 3000, Hysteresis: 500}, 1},
		{"a player with a view and a budget", game.Interest{Radius: 3000, Budget: 100}, 1},
	} {
		for name, corrupt := range map[string]func(r *protocol.Rows){
			"a value": func(r *protocol.Rows) { r.Values[len(r.Values)/2]++ },
			"an id":   func(r *protocol.Rows) { r.IDs[r.Len()-1]++ },
			"a kind":  func(r *protocol.Rows) { r.Kinds[0] ^= 1 },
			"a row that went": func(r *protocol.Rows) {
				r.IDs, r.Kinds, r.At, r.Values = r.IDs[:4], r.Kinds[:4], r.At[:4], r.Values[:r.At[4]]
			},
			"two values at odd": func(r *protocol.Rows) { r.Values[0], r.Values[1] = r.Values[1]+1, r.Values[0] },
		} {
			t.Run(c.name+", "+name, func(t *testing.T) {
				f := newField(t, c.interest, &toy{})
				me := newClient(f.Engine, c.seat)
				f.rows[1] = at(0, 0)
				for i := range uint32(30) {
					f.rows[100+i] = at(int32(i)*50, 70)
				}
				for range 200 {
					f.rows[100] = at(int32(f.Now()), 70)
					tick(f.Engine, 1)
					me.read(t) // all sound
				}
				corrupt(&me.Rows)
				for n := 1; ; n++ {
					f.rows[100] = at(int32(f.Now()), 70)
					tick(f.Engine, 1)
					me.msg = f.AppendState(me.msg[:0], me.v)
					if err := me.Apply(me.msg); err != nil || !me.Sound() {
						break // a client asks for a keyframe on either
					}
					if n > 2*64 {
						t.Fatalf("not noticed in %d states", n)
					}
				}
				me.v.Rebase()
				for range 70 {
					tick(f.Engine, 1)
					me.read(t)
				}
				if want, ok := me.v.Picture(); !ok || !me.Rows.Equal(&want) {
					t.Errorf("after the keyframe the client has %v, the server %v", me.Rows, want)
				}
			})
		}
	}
}

// TestViewersWithoutAPlayer: a connection may outlive its player by a moment.
func TestViewersWithoutAPlayer(t *testing.T) {
	f := newField(t, game.Interest{Radius: 10}, &toy{})
	f.rows = map[uint32]any{1: at(0, 0), 5: &Mark{}}
	one := newClient(f.Engine, 1)
	f.sees(t, "a player", one, 1, 5)
	f.Leave(1, game.ReasonKicked)
	f.rows[5] = &Mark{Kind: 1}
	f.sees(t, "no player any more", one, 1, 5)
	if one.HasPrivate {
		t.Log("the private row stays as it was")
	}
}

func TestManyOfOneId(t *testing.T) {
	g := &toy{bare: true}
	g.hooks.frame = func(f *game.Frame) {
		f.PutFor(1, 5, &Mark{})
		f.Put(5, &Mark{})
	}
	e := newToy(t, g, nil)
	defer func() {
		if v := recover(); v != "game: Frame put two rows of id 5" {
			t.Error(v)
		}
	}()
	tick(e, 1)
	t.Error("no panic")
}
