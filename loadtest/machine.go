package main

import (
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"time"
)

// Machine is where the generator ran.
type Machine struct {
	Processor string `json:"processor"`
	Cores     int    `json:"cores"`
	System    string `json:"system"`
	Go        string `json:"go"`
}

func thisMachine() Machine {
	m := Machine{Processor: runtime.GOARCH, Cores: runtime.NumCPU(), System: runtime.GOOS + "/" + runtime.GOARCH, Go: runtime.Version()}
	if text, err := os.ReadFile("/proc/cpuinfo"); err == nil {
		for line := range strings.SplitSeq(string(text), "\n") {
			if name, value, ok := strings.Cut(line, ":"); ok && strings.TrimSpace(name) == "model name" {
				m.Processor = strings.TrimSpace(value)
				break
			}
		}
	}
	if text, err := os.ReadFile("/proc/sys/kernel/osrelease"); err == nil {
		m.System = "Linux " + strings.TrimSpace(string(text))
	}
	return m
}

// commandLine is how the run was called, to be shown and pasted.
func commandLine(args []string) string {
	var b strings.Builder
	for i, arg := range args {
		if i == 0 {
			arg = filepath.Base(arg)
		} else {
			b.WriteByte(' ')
		}
		if arg == "" || strings.ContainsAny(arg, " \t\n'\"$&|;<>()*?[]{}\\`#~!%") {
			arg = "'" + strings.ReplaceAll(arg, "'", `'\''`) + "'"
		}
		b.WriteString(arg)
	}
	return b.String()
}

// coreBusy is the share of a time that a core spends on anything, 0 when the system does not tell.
func coreBusy(core int, d time.Duration) float64 {
	total, idle := coreTimes(core)
	time.Sleep(d)
	total2, idle2 := coreTimes(core)
	if total2 <= total {
		return 0
	}
	return 1 - (idle2-idle)/(total2-total)
}

// coreTimes are a core's ticks in all and of them idle, from /proc/stat.
func coreTimes(core int) (total, idle float64) {
	text, err := os.ReadFile("/proc/stat")
	if err != nil {
		return 0, 0
	}
	for line := range strings.SplitSeq(string(text), "\n") {
		fields := strings.Fields(line)
		if len(fields) < 6 || fields[0] != "cpu"+strconv.Itoa(core) {
			continue
		}
		for i, f := range fields[1:] {
			v, _ := strconv.ParseFloat(f, 64)
			total += v
			if i == 3 || i == 4 { // idle, waiting for a disk
				idle += v
			}
		}
	}
	return total, idle
}
