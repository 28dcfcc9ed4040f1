package ticket_test

import (
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"flag"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/vmihailenco/msgpack/v5"

	"skirmish/server/ticket"
)

var golden = flag.Bool("update", false, "write testdata anew")

const vectorsFile = "testdata/vectors.json"

// vectors are tickets for those who mint them in another language. Errors are named as in errors.go.
type vectors struct {
	About string   `json:"about"`
	Keys  string   `json:"keys"` // as SKIRMISH_TICKET_KEY has them
	Cases []vector `json:"cases"`
}

type vector struct {
	Story   string      `json:"story"`
	Kind    string      `json:"kind"` // ticket or resume
	Key     string      `json:"key"`
	Now     int64       `json:"now"` // Unix seconds
	Values  *vectorBody `json:"values,omitempty"`
	Payload string      `json:"payload"` // hex of the msgpack
	Token   string      `json:"token"`
	Error   string      `json:"error,omitempty"`
}

type vectorBody struct {
	Match      string `json:"match"`
	Player     string `json:"player,omitempty"`
	Seat       uint16 `json:"seat"`
	Role       uint8  `json:"role"`
	Team       uint8  `json:"team"`
	IssuedAt   int64  `json:"issued_at,omitempty"`
	Expires    int64  `json:"expires,omitempty"`
	ID         string `json:"id,omitempty"`
	Node       string `json:"node,omitempty"`
	Ext        string `json:"ext,omitempty"` // hex
	Generation uint32 `json:"generation,omitempty"`
}

func (b *vectorBody) claims(t *testing.T) ticket.Claims {
	ext, err := hex.DecodeString(b.Ext)
	if err != nil {
		t.Fatal(err)
	}
	return ticket.Claims{Match: b.Match, Player: b.Player, Seat: b.Seat, Role: b.Role, Team: b.Team,
		IssuedAt: b.IssuedAt, Expires: b.Expires, ID: b.ID, Node: b.Node, Ext: ext}
}

var vectorErrors = map[string]error{
	"": nil, "malformed": ticket.ErrMalformed, "unknown_key": ticket.ErrUnknownKey, "signature": ticket.ErrSignature,
	"expired": ticket.ErrExpired, "not_yet": ticket.ErrNotYet,
}

func TestGoldenVectors(t *testing.T) {
	if *golden {
		writeVectors(t)
	}
	raw, err := os.ReadFile(vectorsFile)
	if err != nil {
		t.Fatal(err)
	}
	var v vectors
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	keys, err := ticket.ParseKeys(v.Keys)
	if err != nil {
		t.Fatal(err)
	}
	all := ring(t, keys...)
	for _, c := range v.Cases {
		t.Run(c.Story, func(t *testing.T) {
			want, known := vectorErrors[c.Error]
			if !known {
				t.Fatalf("no error is called %q", c.Error)
			}
			if c.Kind == "resume" {
				got, err := all.VerifyResume(c.Token)
				if !errors.Is(err, want) {
					t.Errorf("got %v, want %v", err, want)
				}
				if err == nil && got != (ticket.Resume{Match: c.Values.Match, Seat: c.Values.Seat, Generation: c.Values.Generation}) {
					t.Errorf("got %+v", got)
				}
				return
			}
			got, err := all.Verify(c.Token, time.Unix(c.Now, 0))
			if !errors.Is(err, want) {
				t.Fatalf("got %v, want %v", err, want)
			}
			if err == nil && !equal(got, c.Values.claims(t)) {
				t.Errorf("got  %+v\nwant %+v", got, c.Values.claims(t))
			}
			if err == nil {
				if payload := oracle(t, got); hex.EncodeToString(payload) != c.Payload {
					t.Errorf("the msgpack library writes %x, the vector has %s", payload, c.Payload)
				}
			}
		})
	}
}

// oracle is the payload as the msgpack library writes it.
func oracle(t *testing.T, c ticket.Claims) []byte {
	t.Helper()
	var ext any
	if len(c.Ext) > 0 {
		ext = c.Ext
	}
	raw, err := msgpack.Marshal([]any{c.Match, c.Player, uint64(c.Seat), uint64(c.Role), uint64(c.Team),
		uint64(c.IssuedAt), uint64(c.Expires), c.ID, c.Node, ext})
	if err != nil {
		t.Fatal(err)
	}
	// Marshal writes integers at the width of their type; minimal ones need an Encoder that is told so.
	var out strings.Builder
	e := msgpack.NewEncoder(&out)
	e.UseCompactInts(true)
	var values []any
	if err := msgpack.Unmarshal(raw, &values); err != nil {
		t.Fatal(err)
	}
	if err := e.Encode(values); err != nil {
		t.Fatal(err)
	}
	return []byte(out.String())
}

// writeVectors makes testdata anew: `go test ./server/ticket -run Golden -update`.
func writeVectors(t *testing.T) {
	const seed = "202122232425262728292a2b2c2d2e2f303132333435363738393a3b3c3d3e3f"
	v := vectors{
		About: "Tickets and resume tokens with the keys that sign them. A case without an error verifies to its values.",
		Keys:  "k1:" + hex32 + ",e1:ed25519:" + seed,
	}
	one := func(key string) *ticket.Keyring {
		keys, err := ticket.ParseKeys(v.Keys)
		if err != nil {
			t.Fatal(err)
		}
		for _, k := range keys {
			if k.ID == key {
				return ring(t, k)
			}
		}
		return ring(t, hmacKey(t, key))
	}
	full := vectorBody{Match: "match-1", Player: "anna", Seat: 3, Role: 1, Team: 2, IssuedAt: now.Unix(), Expires: now.Unix() + 30, ID: "t-0001", Node: "node-a", Ext: "00ff"}
	least := vectorBody{Match: "m", Player: "p", Seat: 1, IssuedAt: now.Unix(), Expires: now.Unix() + 120, ID: "i"}
	wide := vectorBody{Match: strings.Repeat("m", 64), Player: "Zoë ✈", Seat: 65535, Team: 255, IssuedAt: now.Unix(), Expires: now.Unix() + 1, ID: strings.Repeat("i", 32), Ext: strings.Repeat("ab", 300)}

	add := func(story, key string, at int64, b vectorBody, fault string, spoil func(token string) string) {
		c := b.claims(t)
		token := sign(t, one(key), c)
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[2])
		if err != nil {
			t.Fatal(err)
		}
		if spoil != nil {
			token = spoil(token)
		}
		v.Cases = append(v.Cases, vector{Story: story, Kind: "ticket", Key: key, Now: at, Values: &b, Payload: hex.EncodeToString(payload), Token: token, Error: fault})
	}
	at := now.Unix()
	add("all claims", "k1", at, full, "", nil)
	add("all claims, Ed25519", "e1", at, full, "", nil)
	add("the least", "k1", at, least, "", nil)
	add("the widest", "k1", at, wide, "", nil)
	add("in its last second of skew", "k1", at+35, full, "", nil)
	add("expired", "k1", at+36, full, "expired", nil)
	add("issued in the future", "k1", at-6, full, "not_yet", nil)
	add("an unknown key", "x1", at, full, "unknown_key", nil)
	add("a forged signature", "k1", at, full, "signature", func(s string) string { return s[:len(s)-4] + "AAAA" })
	add("another player's claims", "k1", at, full, "signature", func(s string) string {
		other := strings.Split(sign(t, one("k1"), least.claims(t)), ".")
		p := strings.Split(s, ".")
		p[2] = other[2]
		return strings.Join(p, ".")
	})
	add("padding", "k1", at, full, "malformed", func(s string) string { return s + "=" })
	add("bits left over", "k1", at, full, "malformed", func(s string) string { return s[:len(s)-1] + string(successor(s[len(s)-1])) })
	add("shown as a resume token", "k1", at, full, "malformed", func(s string) string { return "rt1" + s[3:] })

	for _, key := range []string{"k1", "e1"} {
		token := one(key).SignResume(ticket.Resume{Match: "match-1", Seat: 3, Generation: 70000})
		payload, err := base64.RawURLEncoding.DecodeString(strings.Split(token, ".")[2])
		if err != nil {
			t.Fatal(err)
		}
		v.Cases = append(v.Cases, vector{Story: "resume, " + key, Kind: "resume", Key: key, Values: &vectorBody{Match: "match-1", Seat: 3, Generation: 70000},
			Payload: hex.EncodeToString(payload), Token: token})
	}
	raw, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(vectorsFile, append(raw, '\n'), 0o644); err != nil {
		t.Fatal(err)
	}
}
