package session

import (
	"errors"
	"fmt"
	"sync"
	"testing"
	"time"

	"skirmish/protocol"
)

// player asks for a seat of the usual kind.
func player(id string) SeatRequest { return SeatRequest{PlayerID: id, TTL: 30 * time.Second} }

func TestLedgerReservesAllOrNothing(t *testing.T) {
	now := time.Unix(1000, 0)
	l := newLedger(2, 1, nil)
	if _, err := l.reserve([]SeatRequest{player("a"), player("b"), player("c")}, now); !errors.Is(err, ErrFull) {
		t.Fatalf("three into two seats: %v", err)
	}
	if _, c := l.all(now); c.Open != 2 {
		t.Fatalf("a refused reservation left %d open seats, want 2", c.Open)
	}
	if _, err := l.reserve([]SeatRequest{player("a"), player("a")}, now); !errors.Is(err, ErrSeatTaken) {
		t.Fatalf("the same player twice: %v", err)
	}
	seats, err := l.reserve([]SeatRequest{player("a"), {PlayerID: "w", Role: protocol.RoleSpectator, TTL: time.Second}, player("b")}, now)
	if err != nil {
		t.Fatal(err)
	}
	if seats[0].Number != 1 || seats[1].Number != 3 || seats[2].Number != 2 {
		t.Fatalf("numbers %d %d %d, want 1 3 2: players first, then spectators", seats[0].Number, seats[1].Number, seats[2].Number)
	}
	if _, err := l.reserve([]SeatRequest{player("a")}, now); !errors.Is(err, ErrSeatTaken) {
		t.Fatalf("a player who has a seat: %v", err)
	}
}

func TestLedgerSeatIsFreeAgainWhenNobodyCame(t *testing.T) {
	now := time.Unix(1000, 0)
	l := newLedger(1, 0, nil)
	if _, err := l.reserve([]SeatRequest{player("a")}, now); err != nil {
		t.Fatal(err)
	}
	if _, err := l.reserve([]SeatRequest{player("b")}, now.Add(29*time.Second)); !errors.Is(err, ErrFull) {
		t.Fatalf("before the time is over: %v", err)
	}
	seats, err := l.reserve([]SeatRequest{player("b")}, now.Add(31*time.Second))
	if err != nil || seats[0].Number != 1 {
		t.Fatalf("after it: %v %v", seats, err)
	}
}

func TestLedgerGenerationsRetireOldTokens(t *testing.T) {
	now := time.Unix(1000, 0)
	l := newLedger(1, 0, nil)
	l.reserve([]SeatRequest{player("a")}, now)
	first := l.set(1, protocol.SeatActive)
	if !l.accept(1, first) {
		t.Fatal("the first token is not good")
	}
	second := l.set(1, protocol.SeatActive)
	third := l.set(1, protocol.SeatActive)
	if !l.accept(1, first) {
		t.Fatal("the first token is void, though no welcome behind it is known to have arrived")
	}
	if !l.accept(1, second) || l.accept(1, first) {
		t.Fatal("whoever shows the second token has it: the first must be void, and the second good")
	}
	l.prove(1, third)
	if l.accept(1, second) || !l.accept(1, third) || l.accept(1, third+1) {
		t.Fatal("after a word on the third connection its token alone is good")
	}
	l.set(1, protocol.SeatLeft)
	l.reserve([]SeatRequest{player("b")}, now)
	for g := range third + 1 {
		if l.accept(1, g) {
			t.Fatal("a token of the seat's last player works for its next one")
		}
	}
	l.set(1, protocol.SeatActive)
	if l.accept(1, third) {
		t.Fatal("a token of the seat's last player works after its next one came")
	}
}

func TestLedgerRosterTellsChangesOnly(t *testing.T) {
	now := time.Unix(1000, 0)
	l := newLedger(4, 0, nil)
	l.reserve([]SeatRequest{player("a"), player("b")}, now)
	all, seq := l.changes(nil, 0)
	if len(all) != 2 {
		t.Fatalf("the first roster has %d entries, want 2", len(all))
	}
	if none, again := l.changes(nil, seq); len(none) != 0 || again != seq {
		t.Fatalf("nothing changed, yet %d entries", len(none))
	}
	l.set(2, protocol.SeatActive)
	l.set(2, protocol.SeatLost)
	one, _ := l.changes(nil, seq)
	if len(one) != 1 || one[0].Seat != 2 || one[0].State != protocol.SeatLost {
		t.Fatalf("changes %+v, want seat 2 lost", one)
	}
}

// Racing matchmakers never oversell, and what they got adds up.
func TestLedgerUnderRacingMatchmakers(t *testing.T) {
	now := time.Unix(1000, 0)
	l := newLedger(100, 0, nil)
	var mu sync.Mutex
	sold := map[uint16]string{}
	var wg sync.WaitGroup
	for m := range 3 {
		wg.Go(func() {
			for i := range 60 {
				id := fmt.Sprintf("m%d-%d", m, i)
				seats, err := l.reserve([]SeatRequest{player(id)}, now)
				if errors.Is(err, ErrFull) {
					continue
				}
				mu.Lock()
				if other, taken := sold[seats[0].Number]; taken {
					t.Errorf("seat %d went to %s and %s", seats[0].Number, other, id)
				}
				sold[seats[0].Number] = id
				mu.Unlock()
			}
		})
	}
	wg.Wait()
	if _, c := l.all(now); len(sold) != 100 || c.Open != 0 || c.Reserved != 100 {
		t.Fatalf("sold %d seats, %d open, %d reserved; want 100, 0, 100", len(sold), c.Open, c.Reserved)
	}
}
