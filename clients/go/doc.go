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
//	for c.Tick(ctx) == nil { // once per tick of the server, in time for it
//		c.SendFields(map[string]float64{"ax": 127})
//	}
//
// A Client has one reading goroutine (and one that pings); callbacks run there, one at a time. Beneath it lies
// Session, the same without I/O: bytes in, bytes out, no goroutine, no clock, no allocation per input or
// snapshot. Whoever has an own loop, as the load generator does for thousands of bots, drives Sessions.
//
// What makes a slow link feel like none is beside it, without I/O as well: the Pacer of a Session keeps the inputs
// on their ticks, a Predictor moves the own body at once and corrects it where the server says otherwise, a Picture
// draws the others smoothly and gives what it shows a name, for the server's lag compensation.
//
// Nothing that the server sends is trusted: lengths are checked before memory is taken, a state that cannot be
// applied costs a keyframe, and every other breach ends the session with the fitting close code.
package client
