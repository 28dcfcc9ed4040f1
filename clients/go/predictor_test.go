package client_test

import (
	"testing"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// cart is a body on a rail: an input is how far it goes in a tick.
type cart struct{ x, life int32 }

// table is a server of one cart that a client predicts, a few ticks behind it.
type table struct {
	*client.Predictor[cart]
	server cart
	tick   uint32
	ack    uint32
	sent   []int32
	now    int64
}

func newTable() *table {
	t := &table{Predictor: &client.Predictor[cart]{
		Step:  func(b *cart, in []int32) { b.x += in[0] },
		Equal: func(a, b *cart) bool { return a.x == b.x },
		Apart: func(a, b *cart) (float64, float64) { return float64(b.x - a.x), 0 },
		Snap:  50,
	}, now: int64(time.Second)}
	t.Read = func(*protocol.State) (cart, uint64, bool) { return t.server, uint64(t.server.life), t.server.life >= 0 }
	t.tell()
	return t
}

// send plays an input of the client.
func (t *table) send(v int32) {
	t.sent = append(t.sent, v)
	t.Input(uint32(len(t.sent)), []int32{v})
}

// use is a tick of the server with the next input.
func (t *table) use() {
	t.tick++
	if t.server.life >= 0 {
		t.server.x += t.sent[t.ack]
	}
	t.ack++
	t.tell()
}

// miss is a tick of the server without one: the last again.
func (t *table) miss() {
	t.tick++
	t.server.x += t.sent[t.ack-1]
	t.tell()
}

func (t *table) tell() {
	s := &protocol.State{Head: protocol.StateHead{Tick: t.tick, Ack: t.ack}}
	t.State(s, t.now)
}

func (t *table) at(test *testing.T, want int32) {
	test.Helper()
	if b, ok := t.Body(); !ok || b.x != want {
		test.Errorf("the cart is drawn at %d (%v), want %d", b.x, ok, want)
	}
}

func TestPredictions(t *testing.T) {
	for name, story := range map[string]func(t *testing.T, k *table){
		"an input shows at once": func(t *testing.T, k *table) {
			k.send(3)
			k.at(t, 3)
			k.send(4)
			k.at(t, 7)
		},
		"what comes true is left alone": func(t *testing.T, k *table) {
			for range 100 {
				k.send(2)
				if len(k.sent) > 5 {
					k.use()
				}
			}
			k.at(t, 200)
			if k.Stats != (client.PredictorStats{Right: 95, Begun: 1}) {
				t.Errorf("%+v", k.Stats)
			}
		},
		"a push is taken in under the inputs that are on their way": func(t *testing.T, k *table) {
			for range 6 {
				k.send(2)
			}
			k.use()
			k.server.x += 10
			k.use()
			k.at(t, 22)
			if dx, _ := k.Shift(k.now); dx != -10 {
				t.Errorf("at first it is shown %v beside its place, want -10", dx)
			}
			if dx, _ := k.Shift(k.now + int64(50*time.Millisecond)); dx != -5 {
				t.Errorf("half-way it is shown %v beside its place, want -5", dx)
			}
			if dx, _ := k.Shift(k.now + int64(time.Second)); dx != 0 {
				t.Errorf("in the end it is shown %v beside its place", dx)
			}
			for range 4 {
				k.use()
			}
			if k.Stats.Corrections != 1 || k.Stats.Snaps != 0 || k.Stats.Right != 5 {
				t.Errorf("%+v", k.Stats)
			}
		},
		"a second push comes upon what is left of the first": func(t *testing.T, k *table) {
			for range 6 {
				k.send(0)
			}
			k.server.x += 10
			k.use()
			k.now += int64(50 * time.Millisecond)
			k.server.x += 10
			k.use()
			if dx, _ := k.Shift(k.now); dx != -15 {
				t.Errorf("it is shown %v beside its place, want -15", dx)
			}
		},
		"a large one is shown at once": func(t *testing.T, k *table) {
			k.send(1)
			k.server.x += 1000
			k.use()
			k.at(t, 1001)
			if dx, _ := k.Shift(k.now); dx != 0 || k.Stats.Snaps != 1 {
				t.Errorf("shown %v beside its place, %+v", dx, k.Stats)
			}
		},
		"a tick without an input is nobody's mistake": func(t *testing.T, k *table) {
			for range 4 {
				k.send(2)
			}
			k.use()
			k.miss()
			k.use()
			k.at(t, 10)
			if k.Stats.Corrections != 0 || k.Stats.Missed != 1 || k.Stats.Right != 2 {
				t.Errorf("%+v", k.Stats)
			}
		},
		"another life is a new beginning": func(t *testing.T, k *table) {
			for range 6 {
				k.send(2)
			}
			k.use()
			k.server.life = -1
			k.use()
			if _, ok := k.Body(); ok {
				t.Error("there is nothing to move")
			}
			k.send(2)
			k.server = cart{x: 500, life: 2}
			k.use()
			k.at(t, 502+4*2)
			if dx, _ := k.Shift(k.now); dx != 0 || k.Stats.Corrections != 0 || k.Stats.Begun != 2 {
				t.Errorf("shown %v beside its place, %+v", dx, k.Stats)
			}
		},
		"more inputs on their way than are kept": func(t *testing.T, k *table) {
			for range 1000 {
				k.send(1)
			}
			k.use() // of which nobody knows any more
			k.use()
			for range 990 {
				k.use()
			}
			k.at(t, 1000)
		},
	} {
		t.Run(name, func(t *testing.T) { story(t, newTable()) })
	}
}
