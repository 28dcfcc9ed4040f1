package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/url"
	"os"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"skirmish/game"
	"skirmish/game/replay"
	"skirmish/server/api"
)

// replayCommand looks at recordings of matches: files, or those of a running node by the match's id.
func replayCommand(games []game.Game) *cobra.Command {
	cmd := &cobra.Command{Use: "replay", Short: "Verify, describe and export recordings of matches", Args: noArguments, RunE: needCommand}
	var r remote
	oneFile := oneArgument("file, or id of a match on the node of --api")
	verify := &cobra.Command{
		Use: "verify <file | match id>", Short: "Play a recording and hold each tick against the match", Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			rec, err := r.recording(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return r.verify(cmd, rec, games)
		},
	}
	info := &cobra.Command{
		Use: "info <file | match id>", Short: "Say what a recording holds", Args: oneFile,
		RunE: func(cmd *cobra.Command, args []string) error {
			rec, err := r.recording(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return r.info(cmd, rec)
		},
	}
	var out string
	export := &cobra.Command{
		Use: "export <file | match id>", Short: "Write the film of a recording, to be dropped on the web client's page", Args: oneFile,
		Long: `Writes what a spectator of the match has seen, as messages of the wire: the web client
plays the file when it is dropped on its page, and any other client can read it
(the format stands in game/replay/film.go).`,
		RunE: func(cmd *cobra.Command, args []string) error {
			rec, err := r.recording(cmd.Context(), args[0])
			if err != nil {
				return err
			}
			return r.export(cmd, rec, games, out)
		},
	}
	for _, c := range []*cobra.Command{verify, info, export} {
		r.register(c)
		cmd.AddCommand(c)
	}
	export.Flags().StringVarP(&out, "output", "o", "", "`file` to write; default <match id>.film")
	return cmd
}

// recording reads a file or, if there is none of that name, the recording of a match from the node.
func (r *remote) recording(ctx context.Context, name string) (*replay.Recording, error) {
	b, err := os.ReadFile(name)
	if errors.Is(err, fs.ErrNotExist) {
		if b, err = r.fetch(ctx, "/v1/matches/"+url.PathEscape(name)+"/replay"); err != nil {
			return nil, fmt.Errorf("there is no file %s, and as a match: %w", name, err)
		}
	}
	if err != nil {
		return nil, err
	}
	rec, err := replay.Read(b)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}
	return rec, nil
}

// played is what verify says.
type played struct {
	MatchID string  `json:"match_id"`
	OK      bool    `json:"ok"`
	Fault   string  `json:"fault,omitempty"`
	Ticks   uint32  `json:"ticks"`
	Digests int     `json:"digests"` // of ticks, as in the match
	Hashes  int     `json:"hashes"`  // of whole states
	Points  int     `json:"checkpoints"`
	Torn    bool    `json:"torn"`
	Seconds float64 `json:"seconds"` // that it took
	Speed   float64 `json:"speed"`   // multiple of real time
}

func (r *remote) verify(cmd *cobra.Command, rec *replay.Recording, games []game.Game) error {
	p, err := player(cmd.Context(), rec, games)
	if err != nil {
		return err
	}
	began := time.Now()
	for err == nil {
		if err = p.Step(); err == nil {
			err = context.Cause(cmd.Context())
		}
	}
	took := time.Since(began).Seconds()
	c, m := p.Checks(), &rec.Head.Match
	v := played{MatchID: m.ID, OK: err == io.EOF, Ticks: p.Engine().Now(), Digests: c.Digests, Hashes: c.Hashes, Points: c.Checkpoints, Torn: rec.Torn, Seconds: took}
	v.Speed = float64(v.Ticks) / float64(m.TickRate) / took
	if !v.OK {
		v.Fault = err.Error()
	}
	if r.json {
		if err := writeJSON(cmd.OutOrStdout(), &v); err != nil {
			return err
		}
	} else {
		fmt.Fprintf(cmd.OutOrStdout(), "%s: %d ticks played in %.2f s, %.0f times real time\n%d digests of ticks, %d hashes of the state and %d checkpoints are those of the match\n",
			m.ID, v.Ticks, took, v.Speed, v.Digests, v.Hashes, v.Points)
		if rec.Torn {
			fmt.Fprintln(cmd.OutOrStdout(), "the recording breaks off there: its end is missing")
		}
	}
	if !v.OK {
		return err
	}
	return nil
}

func player(ctx context.Context, rec *replay.Recording, games []game.Game) (*replay.Player, error) {
	d, err := gameOf(rec, games)
	if err != nil {
		return nil, err
	}
	return rec.Play(ctx, d)
}

func gameOf(rec *replay.Recording, games []game.Game) (*game.Definition, error) {
	registry, err := game.NewRegistry(games...)
	if err != nil {
		return nil, err
	}
	d, ok := registry.Lookup(rec.Head.Match.Game)
	if !ok {
		return nil, fmt.Errorf("the recording is of the game %q; this program has %s", rec.Head.Match.Game, gameNames(games))
	}
	return d, nil
}

// described is what info says.
type described struct {
	MatchID     string          `json:"match_id"`
	Game        string          `json:"game"`
	GameVersion string          `json:"game_version"`
	Params      json.RawMessage `json:"params,omitempty"`
	Seed        uint64          `json:"seed"`
	TickRate    int             `json:"tick_rate"`
	Began       api.Time        `json:"began_at"`
	Ticks       uint32          `json:"ticks"`
	Seconds     float64         `json:"seconds"`
	Reason      string          `json:"reason"` // of the end, empty: it has none
	Torn        bool            `json:"torn"`
	Players     []string        `json:"players"`
	Inputs      int             `json:"inputs"`
	BotInputs   int             `json:"bot_inputs"`
	Requests    int             `json:"requests"`
	Signals     int             `json:"signals"`
	Checkpoints int             `json:"checkpoints"`
	Bytes       int             `json:"bytes"` // unpacked
	BytesEach   float64         `json:"bytes_per_player_and_tick"`
}

func (r *remote) info(cmd *cobra.Command, rec *replay.Recording) error {
	s, err := rec.Summary()
	if err != nil {
		return err
	}
	m := &rec.Head.Match
	v := described{
		MatchID: m.ID, Game: m.Game, GameVersion: rec.Head.GameVersion, Params: m.Params, Seed: m.Seed, TickRate: m.TickRate, Began: api.Time(rec.Head.Began),
		Ticks: s.Ticks, Seconds: float64(s.Ticks) / float64(m.TickRate), Torn: rec.Torn, Players: []string{},
		Inputs: s.Inputs, BotInputs: s.Thoughts, Requests: s.Requests, Signals: s.Signals, Checkpoints: s.Checkpoints, Bytes: rec.Bytes,
	}
	if s.PlayerTicks > 0 {
		v.BytesEach = float64(rec.Bytes) / float64(s.PlayerTicks)
	}
	if rec.End != nil {
		v.Reason = string(rec.End.Reason)
	}
	for _, j := range s.Joins {
		v.Players = append(v.Players, j.ID)
	}
	if r.json {
		return writeJSON(cmd.OutOrStdout(), &v)
	}
	end := v.Reason
	switch {
	case v.Torn:
		end = "none: the recording breaks off"
	case end == "":
		end = "none: the recording stops before"
	}
	w := tabwriter.NewWriter(cmd.OutOrStdout(), 0, 0, 2, ' ', 0)
	fmt.Fprintf(w, "match\t%s\ngame\t%s %s\nseed\t%d\nbegan\t%s\nlength\t%d ticks at %d Hz, %.1f s\nend\t%s\nplayers\t%d\ninputs\t%d of players, %d of bots\ncalls\t%d requests, %d signals\ncheckpoints\t%d\nsize\t%d bytes unpacked, %.2f per player and tick\n",
		v.MatchID, v.Game, v.GameVersion, v.Seed, v.Began, v.Ticks, v.TickRate, v.Seconds, end, len(v.Players), v.Inputs, v.BotInputs, v.Requests, v.Signals, v.Checkpoints, v.Bytes, v.BytesEach)
	return w.Flush()
}

func (r *remote) export(cmd *cobra.Command, rec *replay.Recording, games []game.Game, name string) error {
	d, err := gameOf(rec, games)
	if err != nil {
		return err
	}
	if name == "" {
		name = rec.Head.Match.ID + ".film"
	}
	f, err := os.Create(name)
	if err != nil {
		return err
	}
	err = errors.Join(rec.WriteFilm(cmd.Context(), f, d), f.Close())
	if err != nil {
		return err
	}
	info, err := os.Stat(name)
	if err != nil {
		return err
	}
	if r.json {
		return writeJSON(cmd.OutOrStdout(), map[string]any{"match_id": rec.Head.Match.ID, "file": name, "bytes": info.Size()})
	}
	fmt.Fprintf(cmd.OutOrStdout(), "%s: %d bytes; drop it on the web client's page\n", name, info.Size())
	return nil
}
