package ticket_test

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"skirmish/server/ticket"
)

var now = time.Unix(1_800_000_000, 0)

func hmacKey(t testing.TB, id string) ticket.Key {
	t.Helper()
	k, err := ticket.NewHMACKey(id, bytes.Repeat([]byte(id[:1]), ticket.MinSecret))
	if err != nil {
		t.Fatal(err)
	}
	return k
}

func edKey(t testing.TB, id string) (private, public ticket.Key) {
	t.Helper()
	pair := ed25519.NewKeyFromSeed(bytes.Repeat([]byte(id[:1]), ed25519.SeedSize))
	private, err := ticket.NewEd25519Key(id, pair)
	if err != nil {
		t.Fatal(err)
	}
	public, err = ticket.NewEd25519PublicKey(id, pair.Public().(ed25519.PublicKey))
	if err != nil {
		t.Fatal(err)
	}
	return private, public
}

func ring(t testing.TB, keys ...ticket.Key) *ticket.Keyring {
	t.Helper()
	r, err := ticket.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func claims() ticket.Claims {
	return ticket.Claims{
		Match: "m-1", Player: "anna", Seat: 3, Role: 0, Team: 1,
		IssuedAt: now.Unix(), Expires: now.Unix() + 30, ID: "t-0001", Node: "node-a", Ext: []byte("skin=7"),
	}
}

func sign(t testing.TB, r *ticket.Keyring, c ticket.Claims) string {
	t.Helper()
	token, err := r.Sign(&c)
	if err != nil {
		t.Fatal(err)
	}
	return token
}

func equal(a, b ticket.Claims) bool {
	return fmt.Sprintf("%+v", a) == fmt.Sprintf("%+v", b)
}

func TestTicketComesBack(t *testing.T) {
	private, public := edKey(t, "e")
	for name, rings := range map[string][2]*ticket.Keyring{
		"HMAC":                      {ring(t, hmacKey(t, "k")), ring(t, hmacKey(t, "k"))},
		"Ed25519":                   {ring(t, private), ring(t, private)},
		"Ed25519, public half":      {ring(t, private), ring(t, public)},
		"after the second rotation": {ring(t, hmacKey(t, "a")), ring(t, hmacKey(t, "c"), hmacKey(t, "b"), hmacKey(t, "a"))},
	} {
		t.Run(name, func(t *testing.T) {
			for _, c := range []ticket.Claims{
				claims(),
				{Match: "m", Player: "p", Seat: 1, IssuedAt: 0, Expires: 1, ID: "i"},
				{Match: strings.Repeat("m", 64), Player: strings.Repeat("é", 32), Seat: 65535, Role: 2, Team: 255,
					IssuedAt: now.Unix() - 60, Expires: now.Unix() + 60, ID: "i", Ext: bytes.Repeat([]byte{0xff}, 400)},
			} {
				got, err := rings[1].Verify(sign(t, rings[0], c), time.Unix(c.IssuedAt, 0))
				if err != nil {
					t.Fatal(err)
				}
				if !equal(got, c) {
					t.Errorf("got  %+v\nwant %+v", got, c)
				}
			}
			want := ticket.Resume{Match: "m-1", Seat: 3, Generation: 1 << 31}
			got, err := rings[1].VerifyResume(rings[0].SignResume(want))
			if err != nil || got != want {
				t.Errorf("resume: got %+v, %v", got, err)
			}
		})
	}
}

func TestTicketHasItsTime(t *testing.T) {
	r := ring(t, hmacKey(t, "k"))
	token := sign(t, r, claims()) // good for 30 s
	for _, at := range []struct {
		story  string
		offset time.Duration
		want   error
	}{
		{"at once", 0, nil},
		{"the matchmaker's clock is 5 s ahead", -5 * time.Second, nil},
		{"the matchmaker's clock is 6 s ahead", -6 * time.Second, ticket.ErrNotYet},
		{"in its last second", 30 * time.Second, nil},
		{"5 s late, the node's clock may be ahead", 35 * time.Second, nil},
		{"6 s late", 36 * time.Second, ticket.ErrExpired},
		{"a day late", 24 * time.Hour, ticket.ErrExpired},
	} {
		if _, err := r.Verify(token, now.Add(at.offset)); !errors.Is(err, at.want) {
			t.Errorf("%s: got %v, want %v", at.story, err, at.want)
		}
	}
}

func TestSignRefusesWhatVerifyWould(t *testing.T) {
	r := ring(t, hmacKey(t, "k"))
	long := strings.Repeat("x", ticket.MaxIDBytes+1)
	for field, spoil := range map[string]func(c *ticket.Claims){
		"match":     func(c *ticket.Claims) { c.Match = "" },
		"match ":    func(c *ticket.Claims) { c.Match = long },
		"player":    func(c *ticket.Claims) { c.Player = "" },
		"player ":   func(c *ticket.Claims) { c.Player = "\xff" },
		"role":      func(c *ticket.Claims) { c.Role = 3 },
		"issued_at": func(c *ticket.Claims) { c.IssuedAt = -1 },
		"expires":   func(c *ticket.Claims) { c.Expires = c.IssuedAt },
		"expires ":  func(c *ticket.Claims) { c.Expires = c.IssuedAt + 121 },
		"expires  ": func(c *ticket.Claims) { c.IssuedAt, c.Expires = 1<<32, 1<<32+1 },
		"id":        func(c *ticket.Claims) { c.ID = "" },
		"node":      func(c *ticket.Claims) { c.Node = long },
		"ext":       func(c *ticket.Claims) { c.Ext = make([]byte, ticket.MaxExtBytes+1) },
		"shorten ext": func(c *ticket.Claims) {
			c.Ext = make([]byte, ticket.MaxExtBytes)
			c.Match, c.Player = long[1:], long[1:]
			c.ID, c.Node = long[1:], long[1:]
		},
		"match, really": func(c *ticket.Claims) { c.Match = long },
	} {
		c := claims()
		spoil(&c)
		field, _, _ = strings.Cut(strings.TrimSpace(field), ",")
		if _, err := r.Sign(&c); !errors.Is(err, ticket.ErrClaims) || !strings.Contains(err.Error(), field) {
			t.Errorf("%s: got %v", field, err)
		}
	}
}

// resigned is a token of any payload with a good signature: what a careless matchmaker may mint.
func resigned(t *testing.T, prefix string, payload []byte) string {
	t.Helper()
	head := prefix + ".k." + base64.RawURLEncoding.EncodeToString(payload)
	return head + "." + base64.RawURLEncoding.EncodeToString(mac(bytes.Repeat([]byte("k"), ticket.MinSecret), head))
}

func TestVerifyTellsWhy(t *testing.T) {
	private, _ := edKey(t, "e")
	r := ring(t, hmacKey(t, "k"), private)
	good := sign(t, r, claims())
	parts := strings.Split(good, ".")
	stranger := sign(t, ring(t, hmacKey(t, "x")), claims())
	imposter, err := ticket.NewHMACKey("k", bytes.Repeat([]byte("z"), 32))
	if err != nil {
		t.Fatal(err)
	}
	flip := func(i int) string { // changes one character of part i, keeps it canonical
		p := append([]string(nil), parts...)
		b := []byte(p[i])
		if b[0] == 'A' {
			b[0] = 'B'
		} else {
			b[0] = 'A'
		}
		p[i] = string(b)
		return strings.Join(p, ".")
	}
	for story, c := range map[string]struct {
		token string
		want  error
	}{
		"empty":                           {"", ticket.ErrMalformed},
		"a dot":                           {".", ticket.ErrMalformed},
		"the prefix alone":                {"mt1.", ticket.ErrMalformed},
		"another version":                 {"mt2" + good[3:], ticket.ErrMalformed},
		"a resume token":                  {r.SignResume(ticket.Resume{Match: "m", Seat: 1}), ticket.ErrMalformed},
		"renamed from a resume token":     {"mt1" + r.SignResume(ticket.Resume{Match: "m", Seat: 1})[3:], ticket.ErrSignature},
		"three parts":                     {strings.Join(parts[:3], "."), ticket.ErrMalformed},
		"five parts":                      {good + ".x", ticket.ErrMalformed},
		"no key id":                       {strings.Join([]string{parts[0], "", parts[2], parts[3]}, "."), ticket.ErrMalformed},
		"no claims":                       {strings.Join([]string{parts[0], parts[1], "", parts[3]}, "."), ticket.ErrMalformed},
		"no signature":                    {strings.Join(parts[:3], ".") + ".", ticket.ErrMalformed},
		"a long key id":                   {"mt1." + strings.Repeat("k", 17) + "." + parts[2] + "." + parts[3], ticket.ErrMalformed},
		"1 KiB and a byte":                {good + strings.Repeat("A", ticket.MaxTokenBytes+1-len(good)), ticket.ErrMalformed},
		"padded":                          {good + "=", ticket.ErrMalformed},
		"the other alphabet":              {strings.Join(parts[:3], ".") + "." + "+" + parts[3][1:], ticket.ErrMalformed},
		"a line break":                    {strings.Join(parts[:3], ".") + "." + "\n" + parts[3][1:], ticket.ErrMalformed},
		"bits left over in the signature": {good[:len(good)-1] + string(successor(good[len(good)-1])), ticket.ErrMalformed},
		"a space":                         {" " + good, ticket.ErrMalformed},
		"an unknown key":                  {stranger, ticket.ErrUnknownKey},
		"another secret of the same id":   {sign(t, ring(t, imposter), claims()), ticket.ErrSignature},
		"another algorithm's key id":      {strings.Join([]string{parts[0], "e", parts[2], parts[3]}, "."), ticket.ErrMalformed},
		"changed claims":                  {flip(2), ticket.ErrSignature},
		"a changed signature":             {flip(3), ticket.ErrSignature},
		"good":                            {good, nil},

		"signed: nothing":          {resigned(t, "mt1", []byte{0xc0}), ticket.ErrMalformed},
		"signed: a map":            {resigned(t, "mt1", []byte{0x80}), ticket.ErrMalformed},
		"signed: nine elements":    {resigned(t, "mt1", []byte("\x99\xa1m\xa1p\x01\x00\x00\x01\x02\xa1i\xa0")), ticket.ErrMalformed},
		"signed: eleven elements":  {resigned(t, "mt1", []byte("\x9b\xa1m\xa1p\x01\x00\x00\x01\x02\xa1i\xa0\xc0\xc0")), ticket.ErrMalformed},
		"signed: a byte too many":  {resigned(t, "mt1", []byte("\x9a\xa1m\xa1p\x01\x00\x00\x01\x02\xa1i\xa0\xc0\xc0")), ticket.ErrMalformed},
		"signed: cut":              {resigned(t, "mt1", []byte("\x9a\xa1m\xa1p\x01\x00\x00\x01\x02\xa1i\xa0")), ticket.ErrMalformed},
		"signed: a float":          {resigned(t, "mt1", []byte("\x9a\xa1m\xa1p\xca\x3f\x80\x00\x00\x00\x00\x01\x02\xa1i\xa0\xc0")), ticket.ErrMalformed},
		"signed: a negative seat":  {resigned(t, "mt1", []byte("\x9a\xa1m\xa1p\xff\x00\x00\x01\x02\xa1i\xa0\xc0")), ticket.ErrMalformed},
		"signed: seat −1, wide":    {resigned(t, "mt1", []byte("\x9a\xa1m\xa1p\xd1\xff\xff\x00\x00\x01\x02\xa1i\xa0\xc0")), ticket.ErrMalformed},
		"signed: seat 65,537":      {resigned(t, "mt1", []byte("\x9a\xa1m\xa1p\xce\x00\x01\x00\x01\x00\x00\x01\x02\xa1i\xa0\xc0")), ticket.ErrMalformed},
		"signed: a str of 4 GB":    {resigned(t, "mt1", []byte("\x9a\xdb\xff\xff\xff\xff")), ticket.ErrMalformed},
		"signed: a nested array":   {resigned(t, "mt1", bytes.Repeat([]byte{0x91}, 600)), ticket.ErrMalformed},
		"signed: an hour of life":  {resigned(t, "mt1", []byte("\x9a\xa1m\xa1p\x01\x00\x00\x00\xcd\x0e\x10\xa1i\xa0\xc0")), ticket.ErrMalformed},
		"signed: long expired":     {resigned(t, "mt1", []byte("\x9a\xa1m\xa1p\x01\x00\x00\x01\x02\xa1i\xa0\xc0")), ticket.ErrExpired},
		"signed: integers as wide": {resigned(t, "mt1", []byte("\x9a\xa1m\xa1p\xd3\x00\x00\x00\x00\x00\x00\x00\x01\xd0\x00\xd2\x00\x00\x00\x00\xcf\x00\x00\x00\x00\x00\x00\x00\x01\x02\xa1i\xa0\xc4\x00")), ticket.ErrExpired},
	} {
		got, err := r.Verify(c.token, now)
		if !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", story, err, c.want)
		}
		if err != nil && !equal(got, ticket.Claims{}) {
			t.Errorf("%s: claims are given out in spite of %v", story, err)
		}
	}
}

func TestVerifyResumeTellsWhy(t *testing.T) {
	r := ring(t, hmacKey(t, "k"))
	for story, c := range map[string]struct {
		token string
		want  error
	}{
		"a ticket":          {sign(t, r, claims()), ticket.ErrMalformed},
		"a renamed ticket":  {"rt" + sign(t, r, claims())[2:], ticket.ErrSignature},
		"four elements":     {resigned(t, "rt1", []byte("\x94\xa1m\x01\x01\x01")), ticket.ErrMalformed},
		"no match":          {resigned(t, "rt1", []byte("\x93\xa0\x01\x01")), ticket.ErrMalformed},
		"seat 0":            {resigned(t, "rt1", []byte("\x93\xa1m\x00\x01")), ticket.ErrMalformed},
		"generation 2^32":   {resigned(t, "rt1", []byte("\x93\xa1m\x01\xcf\x00\x00\x00\x01\x00\x00\x00\x00")), ticket.ErrMalformed},
		"good":              {resigned(t, "rt1", []byte("\x93\xa1m\x01\x00")), nil},
		"of another server": {ring(t, hmacKey(t, "x")).SignResume(ticket.Resume{Match: "m", Seat: 1}), ticket.ErrUnknownKey},
	} {
		if _, err := r.VerifyResume(c.token); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", story, err, c.want)
		}
	}
}

func TestFilmTokens(t *testing.T) {
	r := ring(t, hmacKey(t, "k"))
	token, err := r.SignFilm(ticket.Film{Match: "m-1", Expires: now.Unix() + 60})
	if err != nil {
		t.Fatal(err)
	}
	if got, err := r.VerifyFilm(token, now); err != nil || got != (ticket.Film{Match: "m-1", Expires: now.Unix() + 60}) {
		t.Errorf("got %+v, %v", got, err)
	}
	for story, c := range map[string]struct {
		token string
		want  error
	}{
		"its time is over":       {resigned(t, "ft1", []byte("\x92\xa1m\x01")), ticket.ErrExpired},
		"a ticket":               {sign(t, r, claims()), ticket.ErrMalformed},
		"a renamed ticket":       {"ft" + sign(t, r, claims())[2:], ticket.ErrSignature},
		"a renamed resume token": {"ft1" + r.SignResume(ticket.Resume{Match: "m", Seat: 1})[3:], ticket.ErrSignature},
		"another match":          {strings.Replace(token, ".kqNt", ".kqNu", 1), ticket.ErrSignature},
		"three elements":         {resigned(t, "ft1", []byte("\x93\xa1m\x01\x01")), ticket.ErrMalformed},
		"no match":               {resigned(t, "ft1", []byte("\x92\xa0\x01")), ticket.ErrMalformed},
		"no expiry":              {resigned(t, "ft1", []byte("\x92\xa1m\x00")), ticket.ErrMalformed},
	} {
		if _, err := r.VerifyFilm(c.token, now); !errors.Is(err, c.want) {
			t.Errorf("%s: got %v, want %v", story, err, c.want)
		}
	}
	for _, f := range []ticket.Film{{Expires: 1}, {Match: "m"}, {Match: "m", Expires: 1 << 32}} {
		if _, err := r.SignFilm(f); !errors.Is(err, ticket.ErrClaims) {
			t.Errorf("%+v: %v", f, err)
		}
	}
}

func TestSignResumePanicsOnOurOwnFault(t *testing.T) {
	defer func() {
		if recover() == nil {
			t.Error("seat 0 was signed")
		}
	}()
	ring(t, hmacKey(t, "k")).SignResume(ticket.Resume{Match: "m"})
}

// successor is the next letter of the base64url alphabet: the same bytes when the last bits do not count.
func successor(c byte) byte {
	const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
	return alphabet[strings.IndexByte(alphabet, c)+1]
}
