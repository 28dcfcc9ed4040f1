package unsound

import "os"

var _ = os.Args
