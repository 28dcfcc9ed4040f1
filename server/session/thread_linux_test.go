package session

import (
	"sync/atomic"
	"testing"

	"golang.org/x/sys/unix"
)

func policyOf(t *testing.T, thread int32) uint32 {
	t.Helper()
	attr, err := unix.SchedGetAttr(int(thread), 0)
	if err != nil {
		t.Fatal(err)
	}
	return attr.Policy
}

// A game that spins runs with what the others leave it, and as before when it comes back; where the system does not let it rise
// again, its goroutine stays on its thread.
func TestThreadOfAGameThatSpins(t *testing.T) {
	if !mayRaise() {
		t.Log("raising takes CAP_SYS_NICE, which this process does not have")
	}
	var r Room
	var back atomic.Bool
	lent, reclaimed, seen := make(chan struct{}), make(chan int32), make(chan struct{})
	go func() {
		r.lend()
		close(lent)
		for !back.Load() {
		}
		r.reclaim()
		reclaimed <- threadID()
		<-seen
	}()
	<-lent
	thread := r.watch.thread.Load()
	if got := policyOf(t, thread); got != unix.SCHED_NORMAL {
		t.Errorf("before it is late its policy is %d", got)
	}
	r.watch.lower()
	if got := policyOf(t, thread); got != unix.SCHED_IDLE {
		t.Errorf("lowered its policy is %d, not %d", got, unix.SCHED_IDLE)
	}
	back.Store(true)
	want := uint32(unix.SCHED_NORMAL)
	if !mayRaise() {
		want = unix.SCHED_IDLE
	}
	if on := <-reclaimed; on != thread {
		t.Errorf("it came back on thread %d, not on %d", on, thread)
	}
	if got := policyOf(t, thread); got != want {
		t.Errorf("back its policy is %d, not %d", got, want)
	}
	close(seen)
	if r.watch.lower(); holder(r.watch.holder.Load()) != heldByHost {
		t.Error("a thread that the game is not on was lowered")
	}
}
