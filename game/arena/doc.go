// Package arena is the bundled game: a top-down ship brawl for 2 to 64 players.
//
// All state is integer: positions are int32 at 256 to the unit, velocities int32 at 256 to the unit per second,
// angles uint16 at 65,536 to the turn. Randomness comes from the match's own generator. The same seed,
// parameters and inputs therefore give the same match on every machine. README.md has the table of numbers.
package arena
