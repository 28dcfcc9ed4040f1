package game

import "encoding/json"

// Match describes one match to its game. It does not change while the match lives.
type Match struct {
	ID           string
	Game         string
	Seed         uint64
	Params       json.RawMessage // the game's own settings, as the matchmaker sent them
	TickRate     int             // Hz
	SnapshotRate int             // Hz, divides TickRate
	Players      int             // seats for players
}
