package netpoll_test

import (
	"runtime"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"skirmish/server/netpoll"
)

// A match that comes back late from its game may set an alarm that is closed: the timer's descriptor is somebody else's by then.
func TestAlarmLeavesTheTimersOfOthersAlone(t *testing.T) {
	d, err := netpoll.Open(netpoll.Epoll)
	if err != nil {
		t.Fatal(err)
	}
	before := runtime.NumGoroutine()
	a := netpoll.NewAlarm(d)
	if n := runtime.NumGoroutine(); n > before {
		t.Errorf("%d goroutines more before it is used", n-before)
	}
	a.At(time.Now().Add(time.Hour))
	a.Close()
	var others []int
	for range 8 { // one of them has its number
		fd, err := unix.TimerfdCreate(unix.CLOCK_MONOTONIC, unix.TFD_NONBLOCK|unix.TFD_CLOEXEC)
		if err != nil {
			t.Fatal(err)
		}
		defer unix.Close(fd)
		others = append(others, fd)
	}
	a.At(time.Now().Add(time.Minute))
	for _, fd := range others {
		var set unix.ItimerSpec
		if err := unix.TimerfdGettime(fd, &set); err != nil || set.Value != (unix.Timespec{}) {
			t.Errorf("the timer of somebody else is set to %v: %v", set.Value, err)
		}
	}
	a.Close()
}
