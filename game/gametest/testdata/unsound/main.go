package unsound

import (
	"os"

	"skirmish/server/node"
)

func main() { node.Main(base{}); os.Exit(0) }
