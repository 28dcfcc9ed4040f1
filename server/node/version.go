package node

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"skirmish/protocol"
)

// module is the path that builds of an own server have this one under.
const module = "skirmish"

// version tells what runs: this module's version and commit as far as the build knows them, the wire, Go.
func version() string {
	release, commit := "(devel)", ""
	if info, ok := debug.ReadBuildInfo(); ok {
		if info.Main.Path == module {
			release = info.Main.Version
			for _, s := range info.Settings {
				if s.Key == "vcs.revision" && len(s.Value) >= 12 {
					commit = " " + s.Value[:12]
				}
			}
		}
		for _, dep := range info.Deps {
			if dep.Path == module {
				release = dep.Version
			}
		}
	}
	if release == "" {
		release = "(devel)"
	}
	return fmt.Sprintf("skirmish %s%s, wire version %d, %s %s/%s", release, commit, protocol.Version, runtime.Version(), runtime.GOOS, runtime.GOARCH)
}
