package session

import (
	"runtime"
	"sync"

	"golang.org/x/sys/unix"
)

// threadID is the calling thread's. It means something as long as the goroutine is bound to it (runtime.LockOSThread).
func threadID() int32 { return int32(unix.Gettid()) }

// lowerThread has a thread run only where a core has nothing else to do: whoever wakes up takes the core at once, where it would
// wait for the end of the thread's slice.
func lowerThread(id int32) error { return setPolicy(id, unix.SCHED_IDLE) }

// raiseThread undoes lowerThread, if the system lets it: see mayRaise.
func raiseThread(id int32) error { return setPolicy(id, unix.SCHED_NORMAL) }

func setPolicy(id int32, policy uint32) error {
	return unix.SchedSetAttr(int(id), &unix.SchedAttr{Policy: policy}, 0)
}

// mayRaise tells whether raiseThread works: it takes CAP_SYS_NICE or an RLIMIT_NICE of 20.
var mayRaise = sync.OnceValue(func() bool {
	may := make(chan bool)
	go func() {
		runtime.LockOSThread()
		id := threadID()
		err := lowerThread(id)
		if err == nil {
			err = raiseThread(id)
		}
		may <- err == nil
		if err == nil {
			runtime.UnlockOSThread()
		} // else the thread ends with the goroutine
	}()
	return <-may
})
