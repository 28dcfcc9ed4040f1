package ticket_test

import (
	"crypto/hmac"
	"crypto/sha256"
	"errors"
	"fmt"
	"strings"
	"testing"

	"skirmish/server/ticket"
)

func mac(secret []byte, message string) []byte {
	h := hmac.New(sha256.New, secret)
	h.Write([]byte(message))
	return h.Sum(nil)
}

const hex32 = "000102030405060708090a0b0c0d0e0f101112131415161718191a1b1c1d1e1f"

func TestParseKeys(t *testing.T) {
	for _, c := range []struct {
		text string
		want string // the keys, or a part of the error
	}{
		{"k1:" + hex32, `[key "k1" (HMAC-SHA256)]`},
		{"new:" + hex32 + ", old:ed25519:" + hex32, `[key "new" (HMAC-SHA256) key "old" (Ed25519)]`},
		{"p:ed25519-public:" + hex32, `[key "p" (Ed25519)]`},
		{"", "key 1: ticket: invalid key: want <key id>:<secret in hex>"},
		{hex32, "want <key id>"},
		{":" + hex32, "a key id has 1 to 16"},
		{"a.b:" + hex32, "a key id has 1 to 16"},
		{strings.Repeat("k", 17) + ":" + hex32, "a key id has 1 to 16"},
		{"k:" + hex32[:62], `"k": the secret has 31 bytes`},
		{"k:" + strings.Repeat(hex32, 9), "288 bytes"},
		{"k:" + hex32[:63], "hex digits"},
		{"k:0xyz" + hex32, "hex digits"},
		{"k:rsa:" + hex32, "the kind of a key"},
		{"k:ed25519:" + hex32 + "00", "seed has 32 bytes"},
		{"k:ed25519-public:00", "public key has 32 bytes"},
		{"k1:" + hex32 + ",", "key 2:"},
	} {
		keys, err := ticket.ParseKeys(c.text)
		got := fmt.Sprint(keys)
		if err != nil {
			got = err.Error()
			if !errors.Is(err, ticket.ErrKey) {
				t.Errorf("%q: %v is no ErrKey", c.text, err)
			}
		}
		if !strings.Contains(got, c.want) {
			t.Errorf("%q: got %s, want %s", c.text, got, c.want)
		}
		if err != nil && strings.Contains(got, hex32[:32]) {
			t.Errorf("%q: the error shows the secret: %s", c.text, got)
		}
	}
}

func TestKeyringRefuses(t *testing.T) {
	k := hmacKey(t, "k")
	_, public := edKey(t, "e")
	many := make([]ticket.Key, ticket.MaxKeys+1)
	for i := range many {
		many[i] = hmacKey(t, string(rune('a'+i)))
	}
	for story, keys := range map[string][]ticket.Key{
		"none": nil, "two of one id": {k, k}, "a key without a secret": {{ID: "k", Algorithm: ticket.HMACSHA256}}, "too many": many,
	} {
		if _, err := ticket.NewKeyring(keys...); !errors.Is(err, ticket.ErrKey) {
			t.Errorf("%s: got %v", story, err)
		}
	}
	c := claims()
	if _, err := ring(t, public).Sign(&c); !errors.Is(err, ticket.ErrKey) {
		t.Errorf("a public key signs: %v", err)
	}
	if ring(t, public, k).CanSign() || !ring(t, k, public).CanSign() {
		t.Error("CanSign does not look at the first key")
	}
}

func TestRandomKeysDiffer(t *testing.T) {
	a, b := ring(t, ticket.RandomKey()), ring(t, ticket.RandomKey())
	token := sign(t, a, claims())
	if _, err := a.Verify(token, now); err != nil {
		t.Error(err)
	}
	if _, err := b.Verify(token, now); err == nil {
		t.Error("two random keys are the same")
	}
}

func TestSecretsAreNotPrinted(t *testing.T) {
	secret := strings.Repeat("topsecret", 4)
	k, err := ticket.NewHMACKey("k", []byte(secret))
	if err != nil {
		t.Fatal(err)
	}
	private, _ := edKey(t, "e")
	type holder struct {
		Key    ticket.Key
		hidden ticket.Key
		keys   []ticket.Key
		ring   *ticket.Keyring
	}
	r := ring(t, k, private)
	for _, v := range []any{k, &k, r, holder{k, private, []ticket.Key{k}, r}, &holder{k, private, []ticket.Key{k}, r}} {
		for _, verb := range []string{"%v", "%+v", "%#v", "%s", "%d", "%x", "%q"} {
			text := fmt.Sprintf(verb, v)
			for _, leak := range []string{"topsecret", "746f70736563726574", "116 111 112", "0x74, 0x6f", "101 101 101", "65656565"} {
				if strings.Contains(text, leak) {
					t.Errorf("%s of %T shows the secret: %s", verb, v, text)
				}
			}
		}
	}
}
