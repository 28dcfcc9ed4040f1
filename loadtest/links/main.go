package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

func main() {
	var err error
	switch args := os.Args[1:]; {
	case len(args) > 0 && args[0] == "serve":
		err = serveSide(args[1:])
	case len(args) > 0 && args[0] == "play":
		err = playSide(args[1:])
	case len(args) > 0 && args[0] == "cut":
		err = cutSide(args[1:])
	case len(args) > 0 && args[0] == "resume":
		err = resumes(args[1:])
	default:
		err = table(args)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "links:", err)
		os.Exit(1)
	}
}

// table runs every link in every way that the flags let through and prints the medians.
func table(args []string) error {
	r := runner{players: 1}
	flags := flag.NewFlagSet("links", flag.ExitOnError)
	flags.StringVar(&r.emulator, "emulator", os.Getenv("LINKEM"), "the link emulator's `binary`")
	flags.StringVar(&r.servers, "servers", "", "`folder` with the servers: server, blind (-tags blindwrites), plain (-tags plainsockets)")
	flags.StringVar(&r.link, "link", "", "only these `links`, with commas between")
	flags.StringVar(&r.way, "way", "", "only these `ways` of sending, with commas between")
	flags.StringVar(&r.congestion, "cc", "cubic", "the kernel's congestion `control`, of both sides")
	flags.IntVar(&r.bots, "bots", 56, "`number` of bots in the match: the size of the stream")
	flags.IntVar(&r.runs, "runs", 3, "`number` of runs of each, of which the median is told; all ways of a run go side by side")
	flags.IntVar(&r.atOnce, "at-once", 1, "`number` of runs at the same time")
	flags.DurationVar(&r.duration, "duration", defaultDuration, "measured time of a run")
	flags.Parse(args)
	if r.emulator == "" {
		return fmt.Errorf("no link emulator: set LINKEM to its binary")
	}
	if r.runs < 1 || r.atOnce < 1 {
		return fmt.Errorf("-runs and -at-once are at least 1")
	}
	if r.servers == "" {
		return fmt.Errorf("give the servers' folder with -servers, or use loadtest/links/run")
	}
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return r.table(ctx, os.Stdout)
}
