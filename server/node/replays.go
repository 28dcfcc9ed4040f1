package node

import (
	"bytes"
	"cmp"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/rs/zerolog"

	"skirmish/game"
	"skirmish/game/replay"
	"skirmish/server/api"
	"skirmish/server/ticket"
)

const (
	MaxReplays     = 1000     // recordings that are kept; the oldest make room
	maxReplayBytes = 64 << 20 // of one match as it is recorded; a longer match has none
	replayDir      = "replays"
	replaySuffix   = ".replay"
	unfinishedEnd  = ".recording"
	tapeWriteEvery = time.Second
)

// replays are the recordings of a node: while a match runs a file that grows, then a packed one. Safe from any goroutine.
type replays struct {
	dir   string // empty: nothing is kept
	most  int64  // bytes of packed recordings
	games *game.Registry
	log   zerolog.Logger

	making sync.Mutex // one film at a time

	mu    sync.Mutex
	tapes map[*tape]struct{}
	due   []*tape // with a mark that is not in the file yet
}

// openReplays makes the folder. What the process before has left in it of matches that do not go on, sweep removes.
func openReplays(dataDir string, most int64, games *game.Registry, log zerolog.Logger) (*replays, error) {
	r := &replays{most: most, games: games, log: log.With().Str("part", "replays").Logger(), tapes: map[*tape]struct{}{}}
	if dataDir == "" || most == 0 {
		return r, nil
	}
	r.dir = filepath.Join(dataDir, replayDir)
	return r, os.MkdirAll(r.dir, 0o700)
}

// sweep removes the recordings of matches that do not go on.
func (r *replays) sweep() {
	if r.dir == "" {
		return
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	used := map[string]bool{}
	for t := range r.tapes {
		used[t.file] = true
	}
	left, _ := filepath.Glob(filepath.Join(r.dir, "*"+unfinishedEnd))
	for _, name := range left {
		if !used[name] {
			os.Remove(name)
		}
	}
}

// marked notes that a checkpoint of a match is on its way to the journal: its recording is to be in the file before that, for
// after a restart it goes on from there.
func (r *replays) marked(t *tape) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.due = append(r.due, t)
}

// writeMarked writes the recordings with such a mark.
func (r *replays) writeMarked() {
	r.mu.Lock()
	due := r.due
	r.due = nil
	r.mu.Unlock()
	for _, t := range due {
		t.write()
	}
}

// tape is the recording of a running match (session.Tape).
type tape struct {
	file    string
	writing sync.Mutex // held while the file is written to

	mu   sync.Mutex
	held []byte
	size int64
	err  error // the first
}

// record begins the recording of a match; nil when nothing is kept.
func (r *replays) record(id string) *tape {
	if r.dir == "" {
		return nil
	}
	t := &tape{file: filepath.Join(r.dir, id+unfinishedEnd)}
	r.mu.Lock()
	r.tapes[t] = struct{}{}
	r.mu.Unlock()
	return t
}

// Add keeps chunks until the next write (session.Tape).
func (t *tape) Add(chunks []byte) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.size += int64(len(chunks)); t.err == nil && t.size > maxReplayBytes {
		t.err = fmt.Errorf("it is longer than %d bytes", maxReplayBytes)
		t.held = nil
	}
	if t.err == nil {
		t.held = append(t.held, chunks...)
	}
}

// Spoil gives it up (session.Tape).
func (t *tape) Spoil(why error) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held, t.err = nil, why
}

// Rewind cuts the file (session.Tape).
func (t *tape) Rewind(size int64) bool {
	info, err := os.Stat(t.file)
	switch {
	case size == 0 && errors.Is(err, fs.ErrNotExist):
		return true
	case err == nil && info.Size() < size:
		err = fmt.Errorf("%d bytes of %d have come through the restart of the node", info.Size(), size)
	case err == nil:
		err = os.Truncate(t.file, size)
	}
	t.mu.Lock()
	defer t.mu.Unlock()
	t.held, t.size, t.err = nil, size, err
	return err == nil
}

// write appends what is held to the file.
func (t *tape) write() {
	t.writing.Lock()
	defer t.writing.Unlock()
	t.mu.Lock()
	held := t.held
	t.held = nil
	t.mu.Unlock()
	if len(held) == 0 {
		return
	}
	f, err := os.OpenFile(t.file, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o600)
	if err == nil {
		_, err = f.Write(held)
		err = errors.Join(err, f.Close())
	}
	if err != nil {
		t.mu.Lock()
		t.err = cmp.Or(t.err, err)
		t.mu.Unlock()
	}
}

// run writes the tapes until ctx is done.
func (r *replays) run(ctx context.Context) {
	tick := time.NewTicker(tapeWriteEvery)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		r.mu.Lock()
		tapes := make([]*tape, 0, len(r.tapes))
		for t := range r.tapes {
			tapes = append(tapes, t)
		}
		r.mu.Unlock()
		for _, t := range tapes {
			t.write()
		}
	}
}

// drop forgets the recording of a match that nobody has seen.
func (r *replays) drop(t *tape) {
	r.mu.Lock()
	delete(r.tapes, t)
	r.mu.Unlock()
	os.Remove(t.file)
}

// finish packs the recording of a match that is over; nil when there is none.
func (r *replays) finish(id string, t *tape) *api.ReplayFile {
	t.write()
	defer r.drop(t)
	t.mu.Lock()
	err := t.err
	t.mu.Unlock()
	var stream []byte
	if err == nil {
		stream, err = os.ReadFile(t.file)
	}
	var packed bytes.Buffer
	if err == nil {
		err = replay.Pack(&packed, stream)
	}
	name := filepath.Join(r.dir, id+replaySuffix)
	if err == nil {
		if err = os.WriteFile(name+unfinishedEnd, packed.Bytes(), 0o600); err == nil {
			err = os.Rename(name+unfinishedEnd, name)
		}
	}
	if err != nil {
		r.log.Error().Err(err).Str("match", id).Msg("a match was to be recorded and has no replay")
		return nil
	}
	r.makeRoom()
	sum := sha256.Sum256(packed.Bytes())
	return &api.ReplayFile{Size: int64(packed.Len()), SHA256: hex.EncodeToString(sum[:]), URL: "/v1/matches/" + id + "/replay"}
}

// kept are the packed recordings, newest first.
func (r *replays) kept() []fs.FileInfo {
	if r.dir == "" {
		return nil
	}
	entries, err := os.ReadDir(r.dir)
	if err != nil {
		r.log.Error().Err(err).Msg("the folder of the replays cannot be read")
	}
	var files []fs.FileInfo
	for _, e := range entries {
		if info, err := e.Info(); err == nil && strings.HasSuffix(e.Name(), replaySuffix) {
			files = append(files, info)
		}
	}
	slices.SortFunc(files, func(a, b fs.FileInfo) int { return b.ModTime().Compare(a.ModTime()) })
	return files
}

// makeRoom removes the oldest recordings beyond what is kept.
func (r *replays) makeRoom() {
	r.mu.Lock()
	defer r.mu.Unlock()
	total := int64(0)
	for i, f := range r.kept() {
		if total += f.Size(); i >= MaxReplays || i > 0 && total > r.most {
			os.Remove(filepath.Join(r.dir, f.Name()))
		}
	}
}

// open opens the recording of a match: fs.ErrNotExist.
func (r *replays) open(id string) (*os.File, fs.FileInfo, error) {
	if r.dir == "" || !filepath.IsLocal(id) || filepath.Base(id) != id {
		return nil, nil, fs.ErrNotExist
	}
	f, err := os.Open(filepath.Join(r.dir, id+replaySuffix))
	if err != nil {
		return nil, nil, err
	}
	info, err := f.Stat()
	if err != nil {
		f.Close()
		return nil, nil, err
	}
	return f, info, nil
}

// Replay opens the recording of an ended match (api.Matches).
func (m *matches) Replay(id string) (*api.Download, error) {
	f, info, err := m.replays.open(id)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return nil, m.noReplay(id)
	case err != nil:
		return nil, fmt.Errorf("open a replay: %w", err)
	}
	return &api.Download{ReadSeekCloser: f, Name: info.Name(), Time: info.ModTime()}, nil
}

// noReplay says why there is none.
func (m *matches) noReplay(id string) error {
	e := m.find(id)
	switch {
	case e == nil:
		return api.NewError(api.NotFound, fmt.Sprintf("There is no replay of a match %q on this node.", id))
	case e.tape != nil && e.result.Load() == nil:
		return api.NewError(api.NotFound, "The match is still being recorded: its replay is there when it has ended.")
	case e.tape != nil:
		return api.NewError(api.NotFound, "The replay of this match could not be kept, or has made room for newer ones.")
	}
	return api.NewError(api.NotFound, `The match was not recorded: create it with "record": true.`)
}

// Film writes what a spectator of a recorded match has seen (api.Matches).
func (m *matches) Film(ctx context.Context, id string, w io.Writer) error {
	f, _, err := m.replays.open(id)
	if errors.Is(err, fs.ErrNotExist) {
		return m.noReplay(id)
	}
	if err != nil {
		return fmt.Errorf("open a replay: %w", err)
	}
	b, err := io.ReadAll(f)
	f.Close()
	if err != nil {
		return fmt.Errorf("read a replay: %w", err)
	}
	if !m.replays.making.TryLock() {
		return &api.Error{Code: api.RateLimited, Message: "Another film is being made; try again in a moment.", RetryAfter: time.Second}
	}
	defer m.replays.making.Unlock()
	rec, err := replay.Read(b)
	if err != nil {
		return err
	}
	d, ok := m.registry.Lookup(rec.Head.Match.Game)
	if !ok {
		return api.NewError(api.UnknownGame, fmt.Sprintf("The replay is of the game %q, which this server does not have.", rec.Head.Match.Game))
	}
	if err := rec.WriteFilm(ctx, w, d); errors.Is(err, replay.ErrGame) {
		return api.NewError(api.NotFound, sentence(err.Error()))
	} else if err != nil {
		return fmt.Errorf("make a film: %w", err)
	}
	return nil
}

// ReplayLink signs a link (api.Matches).
func (m *matches) ReplayLink(id string, ttl time.Duration) (*api.ReplayLink, error) {
	f, _, err := m.replays.open(id)
	if err != nil {
		return nil, m.noReplay(id)
	}
	f.Close()
	expires := time.Now().Add(ttl)
	token, err := m.keys().SignFilm(ticket.Film{Match: id, Expires: expires.Unix()})
	if err != nil {
		return nil, fmt.Errorf("sign a link: %w", err)
	}
	return &api.ReplayLink{URL: pageURL(m.url) + "#replay=" + token, Token: token, ExpiresAt: api.Time(expires.Truncate(time.Second))}, nil
}

// ReplayOf reads a link (api.Matches).
func (m *matches) ReplayOf(token string) (string, error) {
	film, err := m.keys().VerifyFilm(token, time.Now())
	switch {
	case errors.Is(err, ticket.ErrExpired):
		return "", api.NewError(api.Unauthorized, "This link to a replay has expired: ask whoever gave it to you for a new one.")
	case err != nil:
		return "", api.NewError(api.Unauthorized, "This link to a replay is not good: it was cut off, or its key has been replaced.")
	}
	return film.Match, nil
}

// Replays tells of the newest recordings (api.Matches).
func (m *matches) Replays() (list []api.ReplayInfo) {
	for _, info := range m.replays.kept() {
		if len(list) == api.MaxReplayList {
			break
		}
		id := strings.TrimSuffix(info.Name(), replaySuffix)
		if result, err := m.Result(id); err == nil && result.Ticks > 0 && result.StartedAt != nil {
			length := time.Time(result.EndedAt).Sub(time.Time(*result.StartedAt))
			list = append(list, api.ReplayInfo{MatchID: id, Game: result.Game, EndedAt: result.EndedAt, Seconds: int64(length.Seconds())})
		}
	}
	return list
}
