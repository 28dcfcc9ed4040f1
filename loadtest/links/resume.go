package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	client "skirmish/clients/go"
	"skirmish/protocol"
)

// CutFigures are what players saw whose connections were cut again and again. Times are in ms.
type CutFigures struct {
	Cuts     int       `json:"cuts"`
	Sent     int       `json:"sent"`     // events, to a player who was never cut, for each of the others
	Received int       `json:"received"` // by them
	Lost     int       `json:"lost"`
	Doubled  int       `json:"doubled"`
	Resumes  []float64 `json:"resumes"` // from each cut to the first state behind it
	Bare     []float64 `json:"bare"`    // meanwhile, on the same link: a TCP connection, and a byte there and back over it
}

// quantile of times in ms; 0 if there are none.
func quantile(of []float64, q float64) float64 {
	if len(of) == 0 {
		return 0
	}
	sorted := slices.Sorted(slices.Values(of))
	return sorted[min(len(sorted)-1, int(q*float64(len(sorted))))]
}

// roundTrip is the link's, ms: half of a bare connection and a byte over it, which is the least that a resume takes.
func (f *CutFigures) roundTrip() float64 { return quantile(f.Bare, 0.5) / 2 }

// resumes prints how long it takes until a player who was cut off sees the match again, and what became of the events: with
// and without TCP Fast Open, which takes TCP's own handshake out of it. A round trip is the one that the emulated link has in
// the same run, its own processing included.
func resumes(args []string) error {
	r := runner{congestion: "cubic", bots: cutBots, players: 1 + cutPlayers}
	flags := flag.NewFlagSet("resume", flag.ExitOnError)
	flags.StringVar(&r.emulator, "emulator", os.Getenv("LINKEM"), "the link emulator's `binary`")
	flags.StringVar(&r.servers, "servers", "", "`folder` with the server")
	rtt := flags.Duration("rtt", 60*time.Millisecond, "the link's round `trip`")
	cuts := flags.Int("cuts", 1000, "`number` of cuts, over all players")
	flags.Parse(args)
	if r.emulator == "" || r.servers == "" {
		return fmt.Errorf("give the link emulator's binary and the server's folder, or use loadtest/links/resume")
	}
	fmt.Printf("%d cuts of %d players, round trip %v; from the cut to the first state behind it\n", *cuts, cutPlayers, *rtt)
	kept := true
	for _, mode := range []struct {
		name string
		fast int     // net.ipv4.tcp_fastopen
		most float64 // round trips, of the median
	}{{"plain TCP", 0, plainMost}, {"TCP Fast Open", 3, fastMost}} {
		l := &link{name: mode.name, args: []string{"-rtt", rtt.String(), "-clients", fmt.Sprint(cutAddresses), "-sysctl", fmt.Sprint("net.ipv4.tcp_fastopen=", mode.fast)}}
		ctx, cancel := context.WithTimeout(context.Background(), cutsMost+runSlack)
		dir, err := r.emulate(ctx, l, &ways[0], 1, fmt.Sprintf("cut -cuts %d", *cuts))
		cancel()
		f := &CutFigures{}
		if err == nil {
			err = readFile(filepath.Join(dir, clientFile), f)
		}
		os.RemoveAll(dir)
		if err != nil {
			return fmt.Errorf("%s: %w", mode.name, err)
		}
		f.print(os.Stdout, mode.name)
		kept = kept && f.Lost+f.Doubled == 0 && f.Received == f.Sent && len(f.Resumes) >= f.Cuts && quantile(f.Resumes, 0.5) <= mode.most*f.roundTrip()
	}
	if !kept {
		return fmt.Errorf("MISSED: an event lost or doubled, or a median above %.2f round trips (%.1f with Fast Open)", plainMost, fastMost)
	}
	return nil
}

func milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

func (f *CutFigures) print(w io.Writer, mode string) {
	p50, p90, p99 := quantile(f.Resumes, 0.5), quantile(f.Resumes, 0.9), quantile(f.Resumes, 0.99)
	fmt.Fprintf(w, "%-14s %d cuts, %d resumes: median %.1f ms = %.2f round trips of %.1f ms, p90 %.1f, p99 %.1f; a bare connection and a byte over it, %d times: median %.1f ms, p90 %.1f; events sent %d, received %d, lost %d, doubled %d\n",
		mode, f.Cuts, len(f.Resumes), p50, p50/f.roundTrip(), f.roundTrip(), p90, p99,
		len(f.Bare), quantile(f.Bare, 0.5), quantile(f.Bare, 0.9), f.Sent, f.Received, f.Lost, f.Doubled)
}

// cutSide is the client's end: one player who is never cut tells what there is to be seen, the others must see the same.
func cutSide(args []string) error {
	flags := flag.NewFlagSet("cut", flag.ExitOnError)
	dir := flags.String("dir", "", "folder that both sides share")
	cuts := flags.Int("cuts", 1000, "number of cuts, over all players")
	flags.Parse(args)
	var seats []seat
	if err := awaitFile(filepath.Join(*dir, seatFile), &seats); err != nil {
		return err
	}
	f, err := cutAll(seats, *cuts)
	if err != nil {
		return err
	}
	if err := writeFile(filepath.Join(*dir, clientFile), f); err != nil {
		return err
	}
	return awaitFile(filepath.Join(*dir, serverFile), new(ServerFigures))
}

func cutAll(seats []seat, cuts int) (*CutFigures, error) {
	witness, err := newCutPlayer(&seats[0], 0)
	if err != nil {
		return nil, err
	}
	defer witness.Close()
	time.Sleep(time.Second) // its events begin before anybody else's
	var wg sync.WaitGroup
	players := make([]*cutPlayer, len(seats)-1)
	errs := make([]error, len(players))
	for i := range players {
		n := cuts / len(players)
		if i < cuts%len(players) {
			n++
		}
		wg.Go(func() {
			p, err := newCutPlayer(&seats[i+1], i+1)
			if err == nil {
				players[i] = p
				err = p.suffer(n, rand.New(rand.NewPCG(1, uint64(i))))
			}
			errs[i] = err
		})
	}
	f := &CutFigures{Cuts: cuts}
	ctx, cancel := context.WithCancel(context.Background())
	var bare sync.WaitGroup
	bare.Go(func() {
		for ctx.Err() == nil {
			if took, err := bareTrip(); err == nil {
				f.Bare = append(f.Bare, milliseconds(took))
			}
			time.Sleep(bareEvery)
		}
	})
	wg.Wait()
	cancel()
	bare.Wait()
	if err := errors.Join(errs...); err != nil {
		return nil, err
	}
	last := witness.newest()
	for _, p := range players {
		for end := time.Now().Add(seatWait); p.newest() < last && time.Now().Before(end); {
			time.Sleep(20 * time.Millisecond)
		}
		p.Close()
		f.Resumes = append(f.Resumes, p.resumes...)
	}
	witness.Close()
	for _, p := range players {
		f.compare(witness.seen, p.seen, last)
	}
	return f, nil
}

// bareTrip is how long a connection and a byte there and back over it take.
func bareTrip() (time.Duration, error) {
	begun := time.Now()
	c, err := net.DialTimeout("tcp", fmt.Sprintf("%s:%d", serverAddr, barePort), seatWait)
	if err != nil {
		return 0, err
	}
	defer c.Close()
	b := []byte{1}
	if _, err = c.Write(b); err == nil {
		_, err = io.ReadFull(c, b)
	}
	return time.Since(begun), err
}

// bareEcho gives each connection its first byte back, until ctx is done.
func bareEcho(ctx context.Context) error {
	l, err := net.Listen("tcp", fmt.Sprintf("%s:%d", serverAddr, barePort))
	if err != nil {
		return err
	}
	context.AfterFunc(ctx, func() { l.Close() })
	go func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			go func() {
				defer c.Close()
				io.CopyN(c, c, 1)
				io.Copy(io.Discard, c)
			}()
		}
	}()
	return nil
}

// compare counts the events that came between a player's first one and the last that counts.
func (f *CutFigures) compare(all, seen []uint32, last uint32) {
	if len(seen) == 0 {
		f.Sent, f.Lost = f.Sent+len(all), f.Lost+len(all)
		return
	}
	times := map[uint32]int{}
	for _, seq := range seen {
		if times[seq]++; times[seq] > 1 {
			f.Doubled++
		}
	}
	if !slices.IsSorted(seen) {
		f.Doubled++ // out of order is as bad
	}
	for _, seq := range all {
		if seq < seen[0] || seq > last {
			continue
		}
		f.Sent++
		if times[seq] == 0 {
			f.Lost++
		} else {
			f.Received++
		}
	}
}

// cutPlayer is a client that comes back by itself, and the socket that it plays over.
type cutPlayer struct {
	*client.Client
	mu      sync.Mutex // guards what follows
	conn    net.Conn   // the newest
	cutAt   time.Time  // zero: nothing is awaited
	back    bool       // welcomed since the cut
	state   chan struct{}
	seen    []uint32 // numbers of the events that everybody gets
	resumes []float64
}

// newCutPlayer joins from one of several addresses: the server counts connections per address, and the kernel keeps the
// cookies of Fast Open for few of them.
func newCutPlayer(s *seat, n int) (*cutPlayer, error) {
	p := &cutPlayer{state: make(chan struct{}, 1)}
	dial := client.Dialer()
	dial.LocalAddr = &net.TCPAddr{IP: net.IPv4(10, 99, 0, byte(2+n%cutAddresses))}
	var private int
	c, err := client.Dial(context.Background(), s.URL, client.Options{
		Token: s.Token, AutoResume: true,
		Dial: func(ctx context.Context, network, addr string) (net.Conn, error) {
			c, err := dial.DialContext(ctx, network, addr)
			p.mu.Lock()
			defer p.mu.Unlock()
			p.conn = c
			return c, err
		},
		OnWelcome: func(w *protocol.Welcome) {
			p.mu.Lock()
			defer p.mu.Unlock()
			p.back = true
			private = slices.IndexFunc(w.Plan.Events, func(k protocol.Kind) bool { return k.Name == "hit" }) // told to two players only
		},
		OnEvent: func(e *protocol.Event) {
			if int(e.Op) == private {
				return
			}
			p.mu.Lock()
			defer p.mu.Unlock()
			p.seen = append(p.seen, e.Seq)
		},
		OnState: func(*protocol.State) {
			p.mu.Lock()
			defer p.mu.Unlock()
			if p.back && !p.cutAt.IsZero() { // not one that was read before the cut
				p.resumes = append(p.resumes, milliseconds(time.Since(p.cutAt)))
				p.cutAt = time.Time{}
				p.state <- struct{}{}
			}
		},
	})
	p.Client = c
	return p, err
}

// newest is the number of the newest event.
func (p *cutPlayer) newest() uint32 {
	p.mu.Lock()
	defer p.mu.Unlock()
	if len(p.seen) == 0 {
		return 0
	}
	return p.seen[len(p.seen)-1]
}

// suffer is cut off n times and comes back.
func (p *cutPlayer) suffer(n int, r *rand.Rand) error {
	for range n {
		select {
		case <-time.After(cutLeast + time.Duration(r.Int64N(int64(cutSpread)))):
		case <-p.Done():
			return cmp.Or(p.Wait(context.Background()), client.ErrClosed)
		}
		p.mu.Lock()
		err := cut(p.conn, r.IntN(3))
		p.cutAt, p.back = time.Now(), false
		p.mu.Unlock()
		if err != nil {
			return err
		}
		select {
		case <-p.state:
		case <-p.Done():
			return cmp.Or(p.Wait(context.Background()), client.ErrClosed)
		}
	}
	return nil
}
