package main

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"
)

// Files of the folder that both sides share.
const (
	seatFile   = "seat.json"
	clientFile = "client.json"
	serverFile = "server.json"
)

// seat is where the client goes.
type seat struct {
	Token string `json:"token"`
	URL   string `json:"url"`
}

// ServerFigures are what the server's side saw.
type ServerFigures struct {
	Sent        float64 `json:"sent"`    // snapshots, of both kinds
	Skipped     float64 `json:"skipped"` // snapshots
	MissedTicks float64 `json:"missed_ticks"`
	GrowthMiB   float64 `json:"growth_mib"` // of resident memory from the warm-up to its most
}

// serveSide is the server's end: it runs the server, makes a match, leaves the client's seat in the folder, and writes what it
// saw as soon as the client has done so. Then the client goes, and the emulator ends this side.
func serveSide(args []string) error {
	flags := flag.NewFlagSet("serve", flag.ExitOnError)
	dir := flags.String("dir", "", "folder that both sides share")
	binary := flags.String("server", "", "the server's binary")
	driver := flags.String("driver", "epoll", "the server's --driver")
	players := flags.Int("players", 1, "how many seats are for players")
	bots := flags.Int("bots", 0, "how many of the match's seats bots play")
	flags.Parse(args)
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, os.Interrupt)
	defer stop()
	if err := bareEcho(ctx); err != nil {
		return err
	}

	admin := fmt.Sprintf("127.0.0.1:%d", adminPort)
	server := exec.Command(*binary, "serve", "--addr", fmt.Sprintf("%s:%d", serverAddr, gamePort), "--admin-addr", admin,
		"--data-dir", filepath.Join(*dir, "data"), "--driver", *driver, "--log-level", "warn", "--drain-timeout", "0s")
	server.Stderr = os.Stderr
	if err := server.Start(); err != nil {
		return err
	}
	defer func() {
		server.Process.Signal(syscall.SIGTERM)
		timer := time.AfterFunc(stopWait, func() { server.Process.Kill() })
		server.Wait()
		timer.Stop()
	}()
	seats, err := makeMatch("http://"+admin, *players, *bots)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(*dir, seatFile), seats); err != nil {
		return err
	}
	f := &ServerFigures{}
	f.GrowthMiB = watchMemory(ctx, server.Process.Pid, filepath.Join(*dir, clientFile))
	if err := f.scrape("http://" + admin + "/metrics"); err != nil {
		return err
	}
	if err := writeFile(filepath.Join(*dir, serverFile), f); err != nil {
		return err
	}
	<-ctx.Done()
	return nil
}

// makeMatch makes a big arena full of bots and returns the seats for players.
func makeMatch(admin string, players, bots int) ([]seat, error) {
	type request struct {
		PlayerID string `json:"player_id"`
		Bot      bool   `json:"bot,omitempty"`
	}
	var seats []request
	for i := range players {
		seats = append(seats, request{PlayerID: "player" + strconv.Itoa(i)})
	}
	for i := range bots {
		seats = append(seats, request{PlayerID: "bot" + strconv.Itoa(i), Bot: true})
	}
	body, err := json.Marshal(map[string]any{
		"game": "arena", "params": map[string]int{"rounds": 0}, "seed": matchSeed, "tick_rate": tickRate, "snapshot_rate": tickRate,
		"capacity": map[string]int{"players": matchSize}, "seats": seats,
	})
	if err != nil {
		return nil, err
	}
	for end := time.Now().Add(startWait); ; time.Sleep(20 * time.Millisecond) {
		res, err := http.Post(admin+"/v1/matches", "application/json", bytes.NewReader(body))
		if err != nil && time.Now().Before(end) {
			continue // the server is not there yet
		} else if err != nil {
			return nil, err
		}
		answer, err := io.ReadAll(res.Body)
		res.Body.Close()
		if err != nil || res.StatusCode != http.StatusCreated {
			return nil, fmt.Errorf("create a match: %s %s %v", res.Status, answer, err)
		}
		var made struct {
			Seats []seat `json:"seats"`
		}
		if err := json.Unmarshal(answer, &made); err != nil || len(made.Seats) < players {
			return nil, fmt.Errorf("create a match: no seats in %s", answer)
		}
		for i := range made.Seats {
			made.Seats[i].URL = fmt.Sprintf("ws://%s:%d/play", serverAddr, gamePort)
		}
		return made.Seats[:players], nil
	}
}

// watchMemory returns by how much the memory of a process grew at the most after the warm-up, once the file exists.
func watchMemory(ctx context.Context, pid int, file string) (grownMiB float64) {
	look := time.NewTicker(residentTick)
	defer look.Stop()
	begin := time.Now().Add(warmUp)
	var first, most float64
	for {
		select {
		case <-ctx.Done():
			return most - first
		case now := <-look.C:
			if _, err := os.Stat(file); err == nil {
				return most - first
			}
			r := resident(pid)
			if now.Before(begin) || first == 0 {
				first = r
			}
			most = max(most, r)
		}
	}
}

// resident is the memory of a process in MiB.
func resident(pid int) float64 {
	b, err := os.ReadFile(fmt.Sprintf("/proc/%d/statm", pid))
	fields := strings.Fields(string(b))
	if err != nil || len(fields) < 2 {
		return 0
	}
	pages, _ := strconv.ParseFloat(fields[1], 64)
	return pages * float64(os.Getpagesize()) / (1 << 20)
}

// scrape reads the server's own figures.
func (f *ServerFigures) scrape(url string) error {
	res, err := http.Get(url)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	page, err := io.ReadAll(res.Body)
	if err != nil {
		return err
	}
	for line := range strings.Lines(string(page)) {
		name, text, _ := strings.Cut(strings.TrimSpace(line), " ")
		v, err := strconv.ParseFloat(text, 64)
		if err != nil {
			continue
		}
		switch name {
		case `skirmish_snapshots_total{kind="full"}`, `skirmish_snapshots_total{kind="delta"}`:
			f.Sent += v
		case `skirmish_snapshots_total{kind="skipped"}`:
			f.Skipped = v
		case "skirmish_ticks_missed_total":
			f.MissedTicks = v
		}
	}
	return nil
}
