package node

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"strings"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"skirmish/server/api"
)

// remote is another node's API as the command line asks it.
type remote struct {
	base string
	json bool
}

// remoteTimeout bounds one request of the command line.
const remoteTimeout = 15 * time.Second

// register adds the flags that every command about a running node has.
func (r *remote) register(cmd *cobra.Command) {
	def := os.Getenv("SKIRMISH_API")
	if def == "" {
		def = "http://" + DefaultAdminAddr
	}
	cmd.Flags().StringVar(&r.base, "api", def, "`URL` of the node's admin port (SKIRMISH_API); the key comes from SKIRMISH_ADMIN_KEY or the file of SKIRMISH_ADMIN_KEYS_FILE")
	cmd.Flags().BoolVar(&r.json, "json", false, "as JSON")
}

// ask does one request and decodes the answer into v, nil for none. An error of the API is its own sentence.
func (r *remote) ask(ctx context.Context, method, path string, body, v any) error {
	out, err := r.do(ctx, method, path, body)
	if err != nil || v == nil {
		return err
	}
	return json.Unmarshal(out, v)
}

// fetch reads what lies at a path.
func (r *remote) fetch(ctx context.Context, path string) ([]byte, error) {
	return r.do(ctx, http.MethodGet, path, nil)
}

// do does one request.
func (r *remote) do(ctx context.Context, method, path string, body any) ([]byte, error) {
	ctx, cancel := context.WithTimeout(ctx, remoteTimeout)
	defer cancel()
	var in io.Reader
	if body != nil {
		b, err := json.Marshal(body)
		if err != nil {
			return nil, err
		}
		in = bytes.NewReader(b)
	}
	req, err := http.NewRequestWithContext(ctx, method, strings.TrimSuffix(r.base, "/")+path, in)
	if err != nil {
		return nil, usageError{fmt.Errorf("--api %q: want a URL such as http://%s", r.base, DefaultAdminAddr)}
	}
	if body != nil {
		req.Header.Set("Content-Type", "application/json")
	}
	key, err := adminKey()
	if err != nil {
		return nil, usageError{err}
	}
	if key != "" {
		req.Header.Set("Authorization", "Bearer "+key)
	}
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		if u, ok := errors.AsType[*url.Error](err); ok {
			err = u.Err
		}
		return nil, fmt.Errorf("no node answers at %s: %w", r.base, err)
	}
	defer res.Body.Close()
	out, err := io.ReadAll(io.LimitReader(res.Body, 64<<20))
	if err != nil {
		return nil, fmt.Errorf("read the answer: %w", err)
	}
	if res.StatusCode >= 300 {
		var e struct{ Error struct{ Message string } }
		if json.Unmarshal(out, &e) == nil && e.Error.Message != "" {
			return nil, errors.New(e.Error.Message)
		}
		return nil, fmt.Errorf("%s answers %s", r.base, res.Status)
	}
	return out, nil
}

// adminKey is the first key that the environment or the file it names has; empty: there is none.
func adminKey() (string, error) {
	keys := os.Getenv("SKIRMISH_ADMIN_KEY")
	if name := os.Getenv(envName("admin-keys-file")); name != "" && keys == "" {
		var err error
		if keys, err = readKeys(name); err != nil {
			return "", fmt.Errorf("%s: %w", envName("admin-keys-file"), err)
		}
	}
	key, _, _ := strings.Cut(keys, ",")
	return strings.TrimSpace(key), nil
}

func writeJSON(w io.Writer, v any) error {
	e := json.NewEncoder(w)
	e.SetIndent("", "  ")
	return e.Encode(v)
}

func writeTable(w io.Writer, rows [][]string) {
	t := tabwriter.NewWriter(w, 0, 8, 2, ' ', 0)
	for _, row := range rows {
		fmt.Fprintln(t, strings.Join(row, "\t"))
	}
	t.Flush()
}

// oneArgument refuses anything but one.
func oneArgument(what string) cobra.PositionalArgs {
	return func(cmd *cobra.Command, args []string) error {
		if len(args) != 1 {
			return usageError{fmt.Errorf("%s takes one %s", cmd.CommandPath(), what)}
		}
		return nil
	}
}

// matchesCommand lists, shows and ends the matches of a running node.
func matchesCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "matches", Short: "List, inspect or end the matches of a running node", Args: noArguments, RunE: needCommand}
	var r remote
	var game, state string
	ls := &cobra.Command{
		Use: "ls", Short: "List matches", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := []api.Match{}
			for cursor := ""; ; {
				q := url.Values{"limit": {"100"}}
				for name, value := range map[string]string{"game": game, "state": state, "cursor": cursor} {
					if value != "" {
						q.Set(name, value)
					}
				}
				var page struct {
					Matches []api.Match `json:"matches"`
					Next    string      `json:"next_cursor"`
				}
				if err := r.ask(cmd.Context(), http.MethodGet, "/v1/matches?"+q.Encode(), nil, &page); err != nil {
					return err
				}
				all = append(all, page.Matches...)
				if cursor = page.Next; cursor == "" {
					break
				}
			}
			if r.json {
				return writeJSON(cmd.OutOrStdout(), all)
			}
			rows := [][]string{{"MATCH", "GAME", "STATE", "TICK", "PLAYERS", "RESERVED", "OPEN", "SPECTATORS", "CREATED"}}
			for _, m := range all {
				rows = append(rows, []string{m.MatchID, m.Game, string(m.State), fmt.Sprint(m.Tick), fmt.Sprint(m.Players), fmt.Sprint(m.Reserved),
					fmt.Sprint(m.OpenSeats), fmt.Sprint(m.Spectators), m.CreatedAt.String()})
			}
			writeTable(cmd.OutOrStdout(), rows)
			return nil
		},
	}
	r.register(ls)
	ls.Flags().StringVar(&game, "game", "", "of this `game` alone")
	ls.Flags().StringVar(&state, "state", "", "in this `state` alone: waiting, running, ended, failed")

	var i remote
	inspect := &cobra.Command{
		Use: "inspect <match_id>", Short: "Show a match with its seats, and its result once it has ended", Args: oneArgument("match_id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			path := "/v1/matches/" + url.PathEscape(args[0])
			var shown struct {
				Match  *api.Match  `json:"match"`
				Result *api.Result `json:"result,omitempty"`
			}
			matchErr := i.ask(cmd.Context(), http.MethodGet, path, nil, &shown.Match)
			if matchErr != nil || shown.Match.State == api.MatchEnded || shown.Match.State == api.MatchFailed {
				if err := i.ask(cmd.Context(), http.MethodGet, path+"/result", nil, &shown.Result); err != nil {
					return errors.Join(matchErr)
				}
			}
			return writeJSON(cmd.OutOrStdout(), shown)
		},
	}
	i.register(inspect)

	var e remote
	var force bool
	var grace time.Duration
	end := &cobra.Command{
		Use: "end <match_id>", Short: "End a match", Args: oneArgument("match_id"),
		RunE: func(cmd *cobra.Command, args []string) error {
			q := url.Values{"mode": {string(api.ModeGraceful)}, "grace_ms": {fmt.Sprint(grace.Milliseconds())}}
			if force {
				q = url.Values{"mode": {string(api.ModeForce)}}
			}
			return e.ask(cmd.Context(), http.MethodDelete, "/v1/matches/"+url.PathEscape(args[0])+"?"+q.Encode(), nil, nil)
		},
	}
	e.register(end)
	end.Flags().BoolVar(&force, "force", false, "at once")
	end.Flags().DurationVar(&grace, "grace", 10*time.Second, "`time` that it goes on for, its players told")
	cmd.AddCommand(ls, inspect, end)
	return cmd
}

// webhooksCommand is about the webhooks that were given up.
func webhooksCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "webhooks", Short: "See and send again the webhooks that were given up", Args: noArguments, RunE: needCommand}
	var r remote
	ls := &cobra.Command{
		Use: "ls", Short: "List the dead letters", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			all := []api.DeadLetter{}
			for cursor := ""; ; {
				var page struct {
					Letters []api.DeadLetter `json:"dead_letters"`
					Next    string           `json:"next_cursor"`
				}
				if err := r.ask(cmd.Context(), http.MethodGet, "/v1/webhooks/dead?limit=100&cursor="+url.QueryEscape(cursor), nil, &page); err != nil {
					return err
				}
				all = append(all, page.Letters...)
				if cursor = page.Next; cursor == "" {
					break
				}
			}
			if r.json {
				return writeJSON(cmd.OutOrStdout(), all)
			}
			rows := [][]string{{"ID", "TYPE", "MATCH", "TRIES", "DEAD", "URL", "ERROR"}}
			for _, l := range all {
				rows = append(rows, []string{l.ID, l.Type, l.MatchID, fmt.Sprint(l.Tries), l.DeadAt.String(), l.URL, l.Error})
			}
			writeTable(cmd.OutOrStdout(), rows)
			return nil
		},
	}
	r.register(ls)
	var s remote
	var all bool
	send := &cobra.Command{
		Use: "redeliver [<id>]", Short: "Send a dead letter again, or --all of them",
		RunE: func(cmd *cobra.Command, args []string) error {
			if len(args) > 1 || all == (len(args) == 1) {
				return usageError{errors.New("webhooks redeliver takes one id, or --all")}
			}
			id := ""
			if !all {
				id = args[0]
			}
			var n struct {
				Redelivered int `json:"redelivered"`
			}
			if err := s.ask(cmd.Context(), http.MethodPost, "/v1/webhooks/dead:redeliver", map[string]string{"id": id}, &n); err != nil {
				return err
			}
			if s.json {
				return writeJSON(cmd.OutOrStdout(), n)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "%d underway again\n", n.Redelivered)
			return nil
		},
	}
	s.register(send)
	send.Flags().BoolVar(&all, "all", false, "all of them")
	cmd.AddCommand(ls, send)
	return cmd
}

// nodeCommand shows a running node, or drains it.
func nodeCommand() *cobra.Command {
	var r, d remote
	show := func(cmd *cobra.Command, r *remote, n *api.NodeInfo) error {
		if r.json {
			return writeJSON(cmd.OutOrStdout(), n)
		}
		games := make([]string, len(n.Games))
		for i, g := range n.Games {
			games[i] = g.Name
		}
		writeTable(cmd.OutOrStdout(), [][]string{
			{"node", n.NodeID}, {"version", n.Version}, {"state", strings.TrimSuffix(n.State+": "+n.Reason, ": ")}, {"started", n.StartedAt.String()}, {"players connect to", n.URL},
			{"games", strings.Join(games, ", ")},
			{"matches", fmt.Sprintf("%d waiting, %d running, %d ended, %d failed", n.Matches["waiting"], n.Matches["running"], n.Matches["ended"], n.Matches["failed"])},
			{"seats", fmt.Sprintf("%d active, %d lost, %d reserved, %d bots, %d spectators", n.Seats["active"], n.Seats["lost"], n.Seats["reserved"], n.Seats["bot"], n.Seats["spectator"])},
			{"webhooks", fmt.Sprintf("%d pending", n.Webhooks.Pending)}, {"results", fmt.Sprintf("%d not on the disk yet", n.Results.Unsaved)},
		})
		return nil
	}
	cmd := &cobra.Command{
		Use: "node", Short: "Show a running node", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var n api.NodeInfo
			if err := r.ask(cmd.Context(), http.MethodGet, "/v1/node", nil, &n); err != nil {
				return err
			}
			return show(cmd, &r, &n)
		},
	}
	r.register(cmd)
	var deadline time.Duration
	drain := &cobra.Command{
		Use: "drain", Short: "Have it take no new matches and end what still runs after the deadline", Args: noArguments,
		RunE: func(cmd *cobra.Command, _ []string) error {
			var n api.NodeInfo
			if err := d.ask(cmd.Context(), http.MethodPost, "/v1/node/drain", map[string]int64{"deadline_ms": deadline.Milliseconds()}, &n); err != nil {
				return err
			}
			return show(cmd, &d, &n)
		},
	}
	cmd.AddCommand(upgradeCommand())
	d.register(drain)
	drain.Flags().DurationVar(&deadline, "deadline", api.DefaultDrainMS*time.Millisecond, "`time` that matches may go on for")
	cmd.AddCommand(drain)
	return cmd
}
