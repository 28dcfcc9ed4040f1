package main

import (
	"context"
	"fmt"
	"net/netip"
	"runtime"
	"time"

	"golang.org/x/sys/unix"
)

// floor is what nothing that serves players can go below: bare writes of as many bytes as often to as many sockets,
// with no thought given to what stands in them.
type floor struct {
	connections, bytes, rate int
	writeCore, readCore      int
}

// measure is the CPU time of one write, by the accounting of the thread that writes. Another thread on its own core
// reads what comes, as a generator's does.
func (f floor) measure(ctx context.Context, length time.Duration) (time.Duration, error) {
	pairs, err := socketPairs(f.connections)
	defer func() {
		for _, p := range pairs {
			unix.Close(p[0])
			unix.Close(p[1])
		}
	}()
	if err != nil {
		return 0, fmt.Errorf("the floor's sockets: %w", err)
	}
	ctx, cancel := context.WithTimeout(ctx, length)
	defer cancel()
	read := make(chan error, 1)
	go func() { read <- drain(ctx, pairs, f.readCore) }()
	spent, writes, err := f.write(ctx, pairs)
	if fault := <-read; err == nil {
		err = fault
	}
	if err == nil && writes == 0 {
		err = context.Canceled
	}
	if err != nil {
		return 0, err
	}
	return spent / time.Duration(writes), nil
}

// write writes to each socket once in a period, spread over it as matches are, 16 at a time.
func (f floor) write(ctx context.Context, pairs [][2]int) (spent time.Duration, writes int, err error) {
	done := make(chan struct{})
	go func() { // a thread of its own, which ends with it
		defer close(done)
		runtime.LockOSThread()
		if err = pin(f.writeCore); err != nil {
			return
		}
		const together = 16
		message := make([]byte, f.bytes)
		period := int64(time.Second) / int64(f.rate)
		begun, start := threadTime(), nanos()
		for at := 0; ctx.Err() == nil; at++ {
			from := at * together % len(pairs)
			round := int64(at * together / len(pairs))
			t := unix.NsecToTimespec(start + round*period + int64(from)*period/int64(len(pairs)))
			unix.ClockNanosleep(unix.CLOCK_REALTIME, unix.TIMER_ABSTIME, &t, nil)
			for _, p := range pairs[from:min(from+together, len(pairs))] {
				if n, _ := sendNow(p[0], message); n == len(message) {
					writes++
				}
			}
		}
		spent = threadTime() - begun
	}()
	<-done
	return spent, writes, err
}

// drain reads what comes until ctx ends.
func drain(ctx context.Context, pairs [][2]int, core int) (err error) {
	done := make(chan struct{})
	go func() {
		defer close(done)
		runtime.LockOSThread()
		if err = pin(core); err != nil {
			return
		}
		var set int
		if set, err = unix.EpollCreate1(unix.EPOLL_CLOEXEC); err != nil {
			return
		}
		defer unix.Close(set)
		for _, p := range pairs {
			if err = unix.EpollCtl(set, unix.EPOLL_CTL_ADD, p[1], &unix.EpollEvent{Events: unix.EPOLLIN, Fd: int32(p[1])}); err != nil {
				return
			}
		}
		events, buf := make([]unix.EpollEvent, 512), make([]byte, readBytes)
		for ctx.Err() == nil {
			time.Sleep(time.Millisecond)
			n, _ := unix.EpollWait(set, events, 0)
			for i := range events[:max(n, 0)] {
				unix.Read(int(events[i].Fd), buf)
			}
		}
	}()
	<-done
	return err
}

// socketPairs are n connections over loopback, each the writer's and the reader's end. Those that were made are
// returned with an error as well.
func socketPairs(n int) (pairs [][2]int, err error) {
	door, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
	if err != nil {
		return nil, err
	}
	defer unix.Close(door)
	if err = unix.Bind(door, &unix.SockaddrInet4{Addr: netip.MustParseAddr("127.0.0.1").As4()}); err != nil {
		return nil, err
	}
	if err = unix.Listen(door, 128); err != nil {
		return nil, err
	}
	at, err := unix.Getsockname(door)
	if err != nil {
		return nil, err
	}
	for range n {
		near, err := unix.Socket(unix.AF_INET, unix.SOCK_STREAM|unix.SOCK_CLOEXEC, unix.IPPROTO_TCP)
		if err != nil {
			return pairs, err
		}
		far := -1
		if err = unix.Connect(near, at); err == nil {
			far, _, err = unix.Accept4(door, unix.SOCK_CLOEXEC)
		}
		if err == nil {
			err = unix.SetsockoptInt(far, unix.IPPROTO_TCP, unix.TCP_NODELAY, 1)
		}
		if err != nil {
			unix.Close(near)
			return pairs, err
		}
		pairs = append(pairs, [2]int{far, near})
	}
	return pairs, nil
}

// pin keeps the calling thread, which has to be locked, on one core.
func pin(core int) error {
	var only unix.CPUSet
	only.Set(core)
	return unix.SchedSetaffinity(0, &only)
}

// threadTime is what the calling thread has used so far.
func threadTime() time.Duration {
	var t unix.Timespec
	unix.ClockGettime(unix.CLOCK_THREAD_CPUTIME_ID, &t) // it exists since Linux 2.6.12
	return time.Duration(t.Nano())
}
