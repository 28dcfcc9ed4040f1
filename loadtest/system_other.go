//go:build !unix

package main

import "time"

func checkFiles(bots, connections int) error { return nil }

// cpuTime is unknown on this system.
func cpuTime() time.Duration { return 0 }

// childTime is unknown on this system.
func childTime() time.Duration { return 0 }
