package pong

import "skirmish/game"

// Lengths are 1/256 units, so that a speed divided by the tick rate stays exact enough in whole numbers. Speeds
// are lengths per second.
const (
	unit        = 256
	width       = 640 * unit
	height      = 360 * unit
	paddle      = 70 * unit // how long a paddle is
	margin      = 24 * unit // from the end of the court to a paddle
	paddleSpeed = 380 * unit
	serveSpeed  = 300 * unit
	maxSpeed    = 1200 * unit
	goals       = 7 // to win
)

// Ids of rows: the paddles are rows 1 and 2, left and right.
const (
	paddleID = 1
	ballID   = 3
)

// Input is one tick of a player.
type Input struct {
	Move int8 `net:"move,min=-1,max=1"` // 1 is down
}

// Ball is the one ball.
type Ball struct {
	X int32 `net:"x,scale=256,shift=5,interp=linear"`
	Y int32 `net:"y,scale=256,shift=5,interp=linear"`
}

// Paddle is one side of the court.
type Paddle struct {
	Y     int32     `net:"y,scale=256,shift=5,interp=linear"` // its upper end
	Seat  game.Seat `net:"seat"`                              // 0: nobody yet
	Score uint8     `net:"score,max=7"`
}

// Goal is told to everybody.
type Goal struct {
	Seat game.Seat `net:"seat"` // who scored
}

// Result ends the match.
type Result struct {
	Winner string   `json:"winner"` // player id
	Scores [2]uint8 `json:"scores"` // left, right
}

// Game is pong as a node serves it.
type Game struct{}

// Spec describes the game.
func (Game) Spec() game.Spec {
	return game.Spec{
		Name: "pong", Version: "1",
		Input: Input{}, Kinds: []any{Ball{}, Paddle{}}, Events: []any{Goal{}},
		TickRate: 60, SnapshotRate: 30, MaxPlayers: 2, Idle: game.IdleNeutral,
		QuickPlay: game.QuickPlay{Bots: 1},
	}
}
