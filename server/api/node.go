package api

import (
	"context"
	"time"
)

// Node is the node as the API shows it. All methods are safe from any goroutine.
type Node interface {
	// Describe tells what the node is and does.
	Describe() *NodeInfo
	// Drain takes no new matches and players from now on; what still runs after deadline is ended. Again with another
	// deadline changes the deadline.
	Drain(deadline time.Duration) *NodeInfo
	// Upgrade starts another process of the node and returns when it is ready to take over, which it does after proceed. An
	// error is a sentence for the operator, and nothing has changed then. bad_request where there is no such thing.
	Upgrade() (u *Upgrade, proceed func(), err error)
}

// Upgrade is a process that takes over.
type Upgrade struct {
	PID int `json:"pid"`
}

// NodeInfo is a node.
type NodeInfo struct {
	NodeID    string         `json:"node_id"`
	Version   string         `json:"version"`
	PID       int            `json:"pid"`
	StartedAt Time           `json:"started_at"`
	State     string         `json:"state"`      // ready, draining, or not_ready with a reason
	Reason    string         `json:"reason"`     // empty: ready
	DrainedBy *Time          `json:"drained_by"` // null: not draining
	Games     []GameInfo     `json:"games"`
	URL       string         `json:"url"`
	Matches   map[string]int `json:"matches"` // by state
	Seats     map[string]int `json:"seats"`   // by state; spectators and bots apart
	Webhooks  WebhookInfo    `json:"webhooks"`
	Results   ResultInfo     `json:"results"`
}

// GameInfo is a game that a node has.
type GameInfo struct {
	Name       string `json:"name"`
	Version    string `json:"version"`
	MaxPlayers int    `json:"max_players"`
}

// WebhookInfo is how far a node is with its webhooks.
type WebhookInfo struct {
	Pending int      `json:"pending"`
	Secrets []string `json:"secret_ids"`
}

// ResultInfo is how far a node is with its results.
type ResultInfo struct {
	Unsaved int `json:"unsaved"` // matches that have ended and wait for the disk
}

// Webhooks are the webhooks that were given up. All methods are safe from any goroutine.
type Webhooks interface {
	// DeadLetters returns up to limit of them, oldest first, and the cursor of the next page.
	DeadLetters(ctx context.Context, cursor string, limit int) (letters []DeadLetter, next string, err error)
	// Redeliver sends one again, or all when the id is empty. not_found.
	Redeliver(ctx context.Context, id string) (n int, err error)
}

// DeadLetter is a webhook that was given up.
type DeadLetter struct {
	ID       string `json:"id"` // webhook-id
	Type     string `json:"type"`
	MatchID  string `json:"match_id"`
	URL      string `json:"url"`
	SecretID string `json:"secret_id"`
	QueuedAt Time   `json:"queued_at"`
	DeadAt   Time   `json:"dead_at"`
	Tries    int    `json:"tries"`
	Error    string `json:"error"`
}
