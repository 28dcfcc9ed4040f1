package main

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Share is a part of a whole, 0 to 1: written 5% or 0.05.
type Share float64

// ByteRate is bytes per second, ByteCount bytes: written 64kB, 1MB, 16KiB or a plain number.
type (
	ByteRate  float64
	ByteCount float64
)

func (s *Share) parse(text string) error {
	digits, percent := strings.CutSuffix(text, "%")
	v, err := strconv.ParseFloat(digits, 64)
	if percent {
		v /= 100
	}
	if err != nil || !(v >= 0 && v <= 1) {
		return fmt.Errorf("%q is not a share such as 5%% or 0.05", cut(text, 32))
	}
	*s = Share(v)
	return nil
}

func (r *ByteRate) parse(text string) error {
	v, err := parseBytes(strings.TrimSuffix(text, "/s"))
	*r = ByteRate(v)
	return err
}

func (c *ByteCount) parse(text string) error {
	v, err := parseBytes(text)
	*c = ByteCount(v)
	return err
}

func (t *Threshold) parse(text string) (err error) {
	*t, err = ParseThreshold(text)
	return err
}

// byteUnits from the longest name on, so that kB is not read as B.
var byteUnits = []struct {
	name   string
	factor float64
}{{"KiB", 1024}, {"MiB", 1 << 20}, {"kB", 1e3}, {"MB", 1e6}, {"B", 1}}

func parseBytes(text string) (float64, error) {
	digits, factor := text, 1.0
	for _, u := range byteUnits {
		if d, ok := strings.CutSuffix(text, u.name); ok {
			digits, factor = strings.TrimSpace(d), u.factor
			break
		}
	}
	v, err := strconv.ParseFloat(digits, 64)
	if v *= factor; err != nil || !(v >= 0 && v <= math.MaxInt32) {
		return 0, fmt.Errorf("%q is not a number of bytes such as 64kB", cut(text, 32))
	}
	return v, nil
}
