//go:build !linux

package main

import (
	"errors"
	"os/exec"
)

func startOn(*exec.Cmd, int) error { return errors.New("processes are pinned to cores on Linux only") }
