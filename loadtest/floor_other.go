//go:build !linux

package main

import (
	"context"
	"errors"
	"time"
)

type floor struct {
	connections, bytes, rate int
	writeCore, readCore      int
}

func (floor) measure(context.Context, time.Duration) (time.Duration, error) {
	return 0, errors.New("only Linux can pin threads")
}
