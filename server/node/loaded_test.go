package node_test

import (
	"os"
	"runtime"
	"strconv"
	"strings"
)

// loaded tells whether more wants to run on this machine than it has processors for.
func loaded() bool {
	b, err := os.ReadFile("/proc/loadavg")
	if err != nil {
		return true
	}
	first, _, _ := strings.Cut(string(b), " ")
	load, err := strconv.ParseFloat(first, 64)
	return err != nil || load > float64(runtime.NumCPU())/2
}
