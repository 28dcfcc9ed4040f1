package node

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/spf13/cobra"

	"skirmish/server/api"
)

// upgradePoll is how often the command asks whether the new process serves.
const upgradePoll = 50 * time.Millisecond

// upgradeCommand has a new process take over from a running one.
func upgradeCommand() *cobra.Command {
	var r remote
	cmd := &cobra.Command{
		Use: "upgrade", Short: "Have a new process of its program take over, without losing a match", Args: noArguments,
		Long: `Has a running node start its program anew, with the same arguments, and hand its sockets
and matches over to it. Put the new program where the old one was first, or name it with
--upgrade-binary when the node is started. Players are away for less than a second. The
command ends when the new process serves, and fails if the old one goes on.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			n, err := r.upgrade(cmd.Context())
			if err != nil {
				return err
			}
			if r.json {
				return writeJSON(cmd.OutOrStdout(), n)
			}
			fmt.Fprintf(cmd.OutOrStdout(), "process %d serves, version %s: %d matches running, %d waiting\n", n.PID, n.Version, n.Matches["running"], n.Matches["waiting"])
			return nil
		},
	}
	r.register(cmd)
	return cmd
}

// upgrade returns the node as the new process has it.
func (r *remote) upgrade(ctx context.Context) (*api.NodeInfo, error) {
	var before, n api.NodeInfo
	if err := r.ask(ctx, http.MethodGet, "/v1/node", nil, &before); err != nil {
		return nil, err
	}
	var u api.Upgrade
	if err := r.ask(ctx, http.MethodPost, "/v1/node/upgrade", struct{}{}, &u); err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeoutCause(ctx, upgradeServe, fmt.Errorf("process %d does not serve within %v", u.PID, upgradeServe))
	defer cancel()
	for {
		switch err := r.ask(ctx, http.MethodGet, "/v1/node", nil, &n); {
		case err != nil: // between the two
		case n.PID == u.PID:
			return &n, nil
		case !time.Time(n.StartedAt).Equal(time.Time(before.StartedAt)):
			return nil, errors.New("the new process did not take over, and the old one goes on with the matches: its log says why")
		}
		select {
		case <-ctx.Done():
			return nil, context.Cause(ctx)
		case <-time.After(upgradePoll):
		}
	}
}
