package node

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"math"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"skirmish/server/session"
)

// A game can end the whole process: by os.Exit, by a map that two goroutines write, by a stack without end. No recover
// catches that, and the match, which goes on in the next process, can do it again. So each match notes in a file that is
// mapped into memory while its game has the word, which costs a store and outlives the process. A match whose game had the
// word at each of several deaths in a row, none long after the start before it, is not taken up again.

const (
	atWorkFile = "at-work" // in DataDir: a place of placeBytes for each match
	deathsFile = "deaths"  // in DataDir, while a death is not long ago: JSON, by uid

	placeBytes = 64 // tick at work, or 0, as a little-endian uint32; then the match's uid, and zeros
	placeUID   = 4
	restoring  = math.MaxUint32 // as a tick: the game is made anew and plays what it has played

	// maxDeaths is how often in a row the process may die of one match.
	maxDeaths = 3
	// outlived is how long after its start a process has outlived the matches that it has found.
	outlived = session.CheckpointEvery
)

// deaths is what a match is suspected of.
type deaths struct {
	Count int    `json:"count"` // in a row
	Tick  uint32 `json:"tick"`  // at work at the last one
}

// witness tells which matches' games are at work, for the process after this one, and what the one before has told. Safe
// from any goroutine.
type witness struct {
	dir    string // DataDir
	log    zerolog.Logger
	before map[string]deaths // at the start, by uid
	recent bool              // deathsFile is there; only the watch of the matches looks

	mu     sync.Mutex
	places []byte   // mapped; nil: this system or this folder does not do that, and nobody is ever suspected
	free   []uint32 // places that are not taken
}

// openWitness takes in what the process before has left in dir and begins anew. An empty dir keeps nothing.
func openWitness(dir string, log zerolog.Logger) *witness {
	w := &witness{dir: dir, log: log, before: map[string]deaths{}}
	if dir == "" {
		return w
	}
	w.hear()
	var err error
	if w.places, err = mapFile(w.path(atWorkFile), MaxMatches*placeBytes); err == nil {
		for i := range uint32(MaxMatches) {
			w.free = append(w.free, MaxMatches-1-i)
		}
		err = w.remember()
	}
	if err != nil {
		log.Warn().Err(err).Msg("no match that kills the process will be found out")
	}
	return w
}

// hear counts the deaths: of whom was at work at the last one, and of nobody else any more.
func (w *witness) hear() {
	known := map[string]deaths{}
	b, err := os.ReadFile(w.path(deathsFile))
	if err == nil {
		json.Unmarshal(b, &known) //nolint:errcheck // a torn file tells nothing
	}
	places, _ := os.ReadFile(w.path(atWorkFile))
	for ; len(places) >= placeBytes; places = places[placeBytes:] {
		if tick := binary.LittleEndian.Uint32(places); tick != 0 {
			uid := strings.TrimRight(string(places[placeUID:placeBytes]), "\x00")
			w.before[uid] = deaths{Count: known[uid].Count + 1, Tick: tick}
		}
	}
}

// remember brings the deaths to the disk, for the process after this one. It comes behind the new file of places, so that none
// is counted twice.
func (w *witness) remember() error {
	if w.recent = len(w.before) > 0; !w.recent {
		return w.forget()
	}
	b, err := json.Marshal(w.before)
	if err != nil {
		return err
	}
	next := w.path(deathsFile + ".next")
	if err := os.WriteFile(next, b, 0o600); err != nil {
		return err
	}
	return os.Rename(next, w.path(deathsFile))
}

func (w *witness) path(name string) string { return filepath.Join(w.dir, name) }

// suspects tells whether the process before may have died while it restored a match: then they are restored one by one.
func (w *witness) suspects() bool {
	for _, d := range w.before {
		if d.Tick == restoring {
			return true
		}
	}
	return false
}

// verdict is why a match is not taken up again, nil when it is.
func (w *witness) verdict(uid string) error {
	switch d := w.before[uid]; {
	case d.Count < maxDeaths:
		return nil
	case d.Tick == restoring:
		return fmt.Errorf("the node has died %d times in a row while the game was at work, the last time while the match was restored", d.Count)
	default:
		return fmt.Errorf("the node has died %d times in a row while the game was at work, the last time in tick %d", d.Count, d.Tick)
	}
}

// outlive forgets the deaths once the process has served for long enough.
func (w *witness) outlive(served time.Duration) {
	if w.recent && served >= outlived {
		w.recent = false
		if err := w.forget(); err != nil {
			w.log.Warn().Err(err).Msg("old deaths are not forgotten")
		}
	}
}

// forget removes the file of deaths.
func (w *witness) forget() error {
	if err := os.Remove(w.path(deathsFile)); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

// watch gives a match a place. atWork notes the tick that its game works on, 0: none; leave gives the place up.
func (w *witness) watch(uid string) (atWork func(tick uint32), leave func()) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if len(w.free) == 0 || len(uid) > placeBytes-placeUID {
		return func(uint32) {}, func() {}
	}
	at := w.free[len(w.free)-1]
	w.free = w.free[:len(w.free)-1]
	place := w.places[at*placeBytes:][:placeBytes:placeBytes]
	clear(place)
	copy(place[placeUID:], uid)
	atWork = func(tick uint32) { binary.LittleEndian.PutUint32(place, tick) }
	leave = sync.OnceFunc(func() {
		atWork(0)
		w.mu.Lock()
		w.free = append(w.free, at)
		w.mu.Unlock()
	})
	return atWork, leave
}
