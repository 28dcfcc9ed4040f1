package client_test

import (
	"context"
	"fmt"
	"log"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// A player that flies to the right for a second.
func Example() {
	ctx := context.Background()
	c, err := client.Dial(ctx, "ws://127.0.0.1:7350/play", client.Options{
		Token: "mt1.…", // from the matchmaker
		OnEvent: func(e *protocol.Event) {
			fmt.Println("event", e.Op, "at tick", e.Tick)
		},
	})
	if err != nil {
		log.Fatal(err)
	}
	defer c.Leave(ctx)
	rate := time.Second / time.Duration(c.Welcome().TickRate)
	var state protocol.State
	for range time.Tick(rate) { // one input per tick
		if _, err := c.SendFields(map[string]float64{"ax": 127}); err != nil {
			log.Fatal(err)
		}
		if c.State(&state) && state.Head.Tick > 600 {
			break
		}
	}
}
