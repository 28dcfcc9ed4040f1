package session

import (
	"math"
	"time"
)

// tickLog sums up how long ticks take, in buckets that grow by a quarter: from 4 µs to over 10 s, each figure right to
// 25 %. The zero value is ready.
type tickLog struct {
	buckets  [68]uint32
	ticks    uint64
	overruns uint64
}

// tickFloor is the upper bound of the first bucket.
const tickFloor = 4 * time.Microsecond

// add takes in one tick and the steps that were dropped before it.
func (l *tickLog) add(took time.Duration, missed int) {
	i := 0
	if took > tickFloor {
		i = min(len(l.buckets)-1, int(math.Ceil(math.Log(float64(took)/float64(tickFloor))/math.Log(1.25))))
	}
	l.buckets[i]++
	l.ticks++
	l.overruns += uint64(missed)
}

// p99 is the time that 99 of 100 ticks stay within; 0 without any.
func (l *tickLog) p99() time.Duration {
	left := (l.ticks + 99) / 100
	for i := len(l.buckets) - 1; i >= 0; i-- {
		n := uint64(l.buckets[i])
		if n >= left && n > 0 {
			return time.Duration(float64(tickFloor) * math.Pow(1.25, float64(i)))
		}
		left -= min(left, n)
	}
	return 0
}
