// Package client plays a match of a Skirmish server from Go, any game of it: what rows, inputs and events are
// made of comes in the welcome.
//
// Dial returns a Client, one player in one seat:
//
//	c, err := client.Dial(ctx, seat.URL, client.Options{
//		Token:      seat.Token, // from the matchmaker
//		AutoResume: true,
//		OnState:    func(s *protocol.State) { … },
//	})
//	…
//	c.SendFields(map[string]float64{"ax": 127}) // once per tick
//
// A Client has one reading goroutine (and one that pings); callbacks run there, one at a time. Beneath it lies
// Session, the same without I/O: bytes in, bytes out, no goroutine, no clock, no allocation per input or
// snapshot. Whoever has an own loop, as the load generator does for thousands of bots, drives Sessions.
//
// Nothing that the server sends is trusted: lengths are checked before memory is taken, a state that cannot be
// applied costs a keyframe, and every other breach ends the session with the fitting close code.
package client
