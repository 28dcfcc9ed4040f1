// Command server runs matches of the bundled games. An own server is the same main with other games.
package main

import (
	"skirmish/game/arena"
	"skirmish/game/pong"
	"skirmish/server/node"
)

func main() { node.Main(arena.New(), pong.Game{}) }
