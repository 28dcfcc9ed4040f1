package main

import (
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"sync"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// ClientFigures are what one client saw. Times are in ms.
type ClientFigures struct {
	AgeP50     float64 `json:"age_p50"`
	AgeP99     float64 `json:"age_p99"`
	AgeMax     float64 `json:"age_max"`
	Connected  bool    `json:"connected"` // to the end
	Ended      string  `json:"ended"`     // why not
	States     uint64  `json:"states"`
	Kbit       float64 `json:"kbit"` // per second, of states
	Keyframes  uint64  `json:"keyframes"`
	SlowNotice int     `json:"slow_notices"`
	Faults     uint64  `json:"faults"` // states that could not be applied
}

// playSide is the client's end: it takes the seat that the other side left in the folder, plays, and writes what it saw.
func playSide(args []string) error {
	flags := flag.NewFlagSet("play", flag.ExitOnError)
	dir := flags.String("dir", "", "folder that both sides share")
	duration := flags.Duration("duration", time.Minute, "measured time")
	flags.Parse(args)
	var seats []seat
	if err := awaitFile(filepath.Join(*dir, seatFile), &seats); err != nil {
		return err
	}
	f, err := play(&seats[0], *duration)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(*dir, clientFile), f); err != nil {
		return err
	}
	return awaitFile(filepath.Join(*dir, serverFile), new(ServerFigures)) // when this side goes, the other is ended
}

// play plays a seat for a time.
func play(s *seat, duration time.Duration) (*ClientFigures, error) {
	var mu sync.Mutex // guards what the client's goroutine writes
	f := &ClientFigures{}
	age := ages{rate: tickRate}
	c, err := client.Dial(context.Background(), s.URL, client.Options{
		Token: s.Token,
		OnState: func(st *protocol.State) {
			mu.Lock()
			defer mu.Unlock()
			age.state(&st.Head, time.Now())
		},
		OnNotice: func(n *protocol.Notice) {
			mu.Lock()
			defer mu.Unlock()
			if n.Kind == protocol.NoticeSlow {
				f.SlowNotice++
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("join: %w", err)
	}
	defer c.Close()
	steer(c, warmUp)
	before := c.Link().Stats
	mu.Lock()
	age.begin(time.Now())
	mu.Unlock()
	f.Connected = true
	if err := steer(c, duration); err != nil {
		f.Connected, f.Ended = false, err.Error()
	}
	after := c.Link().Stats
	mu.Lock()
	defer mu.Unlock()
	age.until(time.Now())
	f.AgeP50, f.AgeP99, f.AgeMax = age.quantile(0.5), age.quantile(0.99), age.quantile(1)
	f.States = after.States - before.States
	f.Kbit = float64(after.StateBytes-before.StateBytes) * 8 / 1000 / duration.Seconds()
	f.Keyframes = after.Fulls - before.Fulls
	f.Faults = after.Faults - before.Faults
	return f, nil
}

// steer sends an input for each tick, flying in circles; it returns after d, with an error if the connection ended before.
func steer(c *client.Client, d time.Duration) error {
	end := time.NewTimer(d)
	defer end.Stop()
	tick := time.NewTicker(time.Second / tickRate)
	defer tick.Stop()
	for n := 0; ; n++ {
		select {
		case <-end.C:
			return nil
		case <-c.Done():
			err := c.Wait(context.Background())
			<-end.C // the newest state goes on ageing
			return fmt.Errorf("the connection ended: %w", err)
		case <-tick.C:
			turn := float64(n) / tickRate
			c.SendFields(map[string]float64{"ax": math.Round(127 * math.Cos(turn)), "ay": math.Round(127 * math.Sin(turn))}) // its error is the end, told above
		}
	}
}

// awaitFile reads JSON that the other side is about to write.
func awaitFile(name string, into any) error {
	for end := time.Now().Add(seatWait); ; time.Sleep(20 * time.Millisecond) {
		b, err := os.ReadFile(name)
		if err == nil {
			return json.Unmarshal(b, into)
		}
		if time.Now().After(end) {
			return fmt.Errorf("the other side did not get ready: %w", err)
		}
	}
}

// writeFile writes JSON whole or not at all.
func writeFile(name string, v any) error {
	b, err := json.Marshal(v)
	if err != nil {
		return err
	}
	if err := os.WriteFile(name+".new", b, 0o600); err != nil {
		return err
	}
	return os.Rename(name+".new", name)
}
