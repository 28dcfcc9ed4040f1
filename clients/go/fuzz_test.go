package client_test

import (
	"testing"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// FuzzFeed throws any stream at a session, whole and byte by byte: both must tell the same and none may panic.
func FuzzFeed(f *testing.F) {
	stream, _ := story()
	f.Add(stream, true)
	f.Add(stream[len(stream)/2:], false)
	f.Add(message(delta(102, 101, 0, rows(4, 10), rows(5, 12), 0)), false)
	f.Add(message(protocol.AppendPong(nil, &protocol.Pong{ID: 1, T1: 1 << 63})), false)
	f.Add([]byte("HTTP/1.1 400 Bad\r\nTransfer-Encoding: chunked\r\n\r\nzz"), true)
	f.Fuzz(func(t *testing.T, p []byte, early bool) {
		var seen [2][]client.Signal
		var ends [2]error
		for i, n := range []int{1, max(1, len(p))} {
			s := client.NewSession(client.Config{Token: "t"})
			if !early {
				s = playing(t)
				feed(t, s, message(snapshot(101, 0, rows(4, 10))), 1000)
				s.Ping(1)
			}
			ends[i] = feedErr(s, p, n, func(what client.Signal) { seen[i] = append(seen[i], what) })
			if s.End(nil) == nil {
				t.Fatal("an ended session without an error")
			}
			s.Input([]int32{1, 2}, 1)
			s.Resumption()
			s.Age(1)
		}
		if len(seen[0]) != len(seen[1]) || (ends[0] == nil) != (ends[1] == nil) {
			t.Fatalf("byte by byte %v %v, whole %v %v", seen[0], ends[0], seen[1], ends[1])
		}
	})
}
