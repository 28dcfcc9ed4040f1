package node

import (
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"time"

	"github.com/spf13/cobra"

	"skirmish/protocol"
	"skirmish/server/ticket"
)

// ticketCommand mints and checks tickets with the keys of a file or of SKIRMISH_TICKET_KEY.
func ticketCommand() *cobra.Command {
	cmd := &cobra.Command{Use: "ticket", Short: "Mint or check join tickets", Args: noArguments, RunE: needCommand}
	ring := func(file string) (*ticket.Keyring, error) {
		keys, err := ticket.ParseKeys(os.Getenv("SKIRMISH_TICKET_KEY"))
		if os.Getenv("SKIRMISH_TICKET_KEY") == "" {
			keys, err = nil, nil
		}
		if err != nil {
			return nil, usageError{fmt.Errorf("SKIRMISH_TICKET_KEY: %w", err)}
		}
		if file == "" && len(keys) == 0 {
			return nil, usageError{errors.New("there is no key: set SKIRMISH_TICKET_KEY or name a file with --ticket-keys-file")}
		}
		ring, err := ticketKeys(file, keys)
		if err != nil {
			return nil, usageError{err}
		}
		return ring, nil
	}
	var file, match, player, node, role string
	var seat uint16
	var ttl time.Duration
	var asJSON bool
	mint := &cobra.Command{
		Use: "mint --match <id> --player <id>", Short: "Mint a ticket for a seat that is reserved", Args: noArguments,
		Long: `Mints a join ticket for one connection, signed with the first key. Without --seat it is for the seat that
the match has reserved for the player.`,
		RunE: func(cmd *cobra.Command, _ []string) error {
			keys, err := ring(file)
			if err != nil {
				return err
			}
			now := time.Now()
			c := ticket.Claims{Match: match, Player: player, Seat: seat, IssuedAt: now.Unix(), Expires: now.Add(ttl).Unix(), ID: newID(), Node: node}
			switch role {
			case "player":
			case "spectator":
				c.Role = uint8(protocol.RoleSpectator)
			default:
				return usageError{fmt.Errorf("--role %q: want player or spectator", role)}
			}
			token, err := keys.Sign(&c)
			if err != nil {
				return usageError{err}
			}
			if asJSON {
				return writeJSON(cmd.OutOrStdout(), map[string]any{"token": token, "expires_at": c.Expires})
			}
			fmt.Fprintln(cmd.OutOrStdout(), token)
			return nil
		},
	}
	flags := mint.Flags()
	flags.SortFlags = false
	flags.StringVar(&match, "match", "", "`id` of the match")
	flags.StringVar(&player, "player", "", "`id` of the player")
	flags.Uint16Var(&seat, "seat", 0, "`number` of the seat; 0: the one reserved for the player")
	flags.StringVar(&role, "role", "player", "`player|spectator`")
	flags.DurationVar(&ttl, "ttl", time.Minute, "`time` until it expires, at most 2m")
	flags.StringVar(&node, "node", "", "`id` of the node that it is for; default any")
	flags.StringVar(&file, "ticket-keys-file", os.Getenv(envName("ticket-keys-file")), "`file` with the keys")
	flags.BoolVar(&asJSON, "json", false, "as JSON")

	var checkFile string
	var checkJSON bool
	check := &cobra.Command{
		Use: "check <ticket>", Short: "Show what a ticket says and whether it is good now; exit 1 if it is not", Args: oneArgument("ticket"),
		RunE: func(cmd *cobra.Command, args []string) error {
			keys, err := ring(checkFile)
			if err != nil {
				return err
			}
			c, err := keys.Verify(args[0], time.Now())
			if err != nil {
				return err
			}
			if checkJSON {
				return writeJSON(cmd.OutOrStdout(), map[string]any{
					"match": c.Match, "player": c.Player, "seat": c.Seat, "role": c.Role, "team": c.Team, "issued_at": c.IssuedAt,
					"expires": c.Expires, "id": c.ID, "node": c.Node, "ext": hex.EncodeToString(c.Ext),
				})
			}
			at := func(unix int64) string { return time.Unix(unix, 0).UTC().Format(time.RFC3339) }
			writeTable(cmd.OutOrStdout(), [][]string{
				{"match", c.Match}, {"player", c.Player}, {"seat", fmt.Sprint(c.Seat)}, {"role", fmt.Sprint(protocol.Role(c.Role))}, {"team", fmt.Sprint(c.Team)},
				{"issued", at(c.IssuedAt)}, {"expires", at(c.Expires)}, {"id", c.ID}, {"node", c.Node}, {"ext", hex.EncodeToString(c.Ext)},
			})
			return nil
		},
	}
	check.Flags().StringVar(&checkFile, "ticket-keys-file", os.Getenv(envName("ticket-keys-file")), "`file` with the keys")
	check.Flags().BoolVar(&checkJSON, "json", false, "as JSON")
	cmd.AddCommand(mint, check)
	return cmd
}
