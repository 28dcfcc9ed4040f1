package ticket

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/hex"
	"fmt"
	"strings"
)

// Algorithm is how a key signs. It belongs to the key; a token cannot ask for another one.
type Algorithm uint8

const (
	HMACSHA256 Algorithm = 1 // one secret that signs and verifies
	Ed25519    Algorithm = 2 // the node needs the public half only
)

func (a Algorithm) String() string {
	switch a {
	case HMACSHA256:
		return "HMAC-SHA256"
	case Ed25519:
		return "Ed25519"
	}
	return "no algorithm"
}

// Key is one key with its name. Its secret can be neither printed nor read back.
type Key struct {
	ID        string // as it stands in the tokens
	Algorithm Algorithm

	// reveal gives the secret. It is a function because fmt shows one as an address, whatever the verb and
	// however deep; a pointer it follows on a wrong verb.
	reveal func() *material
}

type material struct {
	secret  []byte             // HMACSHA256
	private ed25519.PrivateKey // Ed25519, nil in a key that only verifies
	public  ed25519.PublicKey  // Ed25519
}

func keep(m *material) func() *material { return func() *material { return m } }

// NewHMACKey makes an HMACSHA256 key of a copy of secret, MinSecret to MaxSecret bytes.
func NewHMACKey(id string, secret []byte) (Key, error) {
	if err := checkKeyID(id); err != nil {
		return Key{}, err
	}
	if len(secret) < MinSecret || len(secret) > MaxSecret {
		return Key{}, fmt.Errorf("%w %q: the secret has %d bytes, it must have %d to %d", ErrKey, id, len(secret), MinSecret, MaxSecret)
	}
	return Key{ID: id, Algorithm: HMACSHA256, reveal: keep(&material{secret: append([]byte(nil), secret...)})}, nil
}

// NewEd25519Key makes an Ed25519 key that signs and verifies.
func NewEd25519Key(id string, private ed25519.PrivateKey) (Key, error) {
	if err := checkKeyID(id); err != nil {
		return Key{}, err
	}
	if len(private) != ed25519.PrivateKeySize {
		return Key{}, fmt.Errorf("%w %q: an Ed25519 private key has %d bytes", ErrKey, id, ed25519.PrivateKeySize)
	}
	seed := private.Seed()
	private = ed25519.NewKeyFromSeed(seed)
	return Key{ID: id, Algorithm: Ed25519, reveal: keep(&material{private: private, public: private.Public().(ed25519.PublicKey)})}, nil
}

// NewEd25519PublicKey makes an Ed25519 key that verifies and cannot sign.
func NewEd25519PublicKey(id string, public ed25519.PublicKey) (Key, error) {
	if err := checkKeyID(id); err != nil {
		return Key{}, err
	}
	if len(public) != ed25519.PublicKeySize {
		return Key{}, fmt.Errorf("%w %q: an Ed25519 public key has %d bytes", ErrKey, id, ed25519.PublicKeySize)
	}
	return Key{ID: id, Algorithm: Ed25519, reveal: keep(&material{public: append(ed25519.PublicKey(nil), public...)})}, nil
}

// RandomKey makes an HMACSHA256 key that nobody else has: tickets die with the process.
func RandomKey() Key {
	id, secret := make([]byte, 4), make([]byte, MinSecret)
	rand.Read(id) // never fails: see crypto/rand
	rand.Read(secret)
	return Key{ID: "r" + hex.EncodeToString(id), Algorithm: HMACSHA256, reveal: keep(&material{secret: secret})}
}

// ParseKeys reads keys as the environment gives them, separated by commas, each one of
//
//	id:hex                   HMACSHA256, MinSecret bytes and more
//	id:ed25519:hex           Ed25519, the 32 bytes of a private key's seed
//	id:ed25519-public:hex    Ed25519, the 32 bytes of a public key
//
// Its errors name the key and never show what it is made of.
func ParseKeys(text string) ([]Key, error) {
	var keys []Key
	for i, part := range strings.Split(text, ",") {
		k, err := parseKey(strings.TrimSpace(part))
		if err != nil {
			return nil, fmt.Errorf("key %d: %w", i+1, err)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

func parseKey(text string) (Key, error) {
	id, rest, ok := strings.Cut(text, ":")
	if !ok {
		return Key{}, fmt.Errorf("%w: want <key id>:<secret in hex>", ErrKey)
	}
	if err := checkKeyID(id); err != nil {
		return Key{}, err
	}
	kind, digits, ok := strings.Cut(rest, ":")
	if !ok {
		kind, digits = "", rest
	}
	raw, err := hex.DecodeString(digits)
	if err != nil { // the error would quote the secret
		return Key{}, fmt.Errorf("%w %q: the secret is not an even number of hex digits", ErrKey, id)
	}
	switch kind {
	case "":
		return NewHMACKey(id, raw)
	case "ed25519":
		if len(raw) != ed25519.SeedSize {
			return Key{}, fmt.Errorf("%w %q: an Ed25519 seed has %d bytes", ErrKey, id, ed25519.SeedSize)
		}
		return NewEd25519Key(id, ed25519.NewKeyFromSeed(raw))
	case "ed25519-public":
		return NewEd25519PublicKey(id, raw)
	}
	return Key{}, fmt.Errorf("%w %q: the kind of a key is ed25519, ed25519-public or left out", ErrKey, id)
}

// CanSign is false for a public key.
func (k Key) CanSign() bool {
	return k.reveal != nil && (k.Algorithm == HMACSHA256 || k.reveal().private != nil)
}

// String names the key without its secret.
func (k Key) String() string { return fmt.Sprintf("key %q (%v)", k.ID, k.Algorithm) }

// GoString is String: %#v prints no secret either.
func (k Key) GoString() string { return k.String() }

func checkKeyID(id string) error {
	ok := len(id) > 0 && len(id) <= MaxKeyIDBytes
	for i := 0; ok && i < len(id); i++ {
		ok = base64URL[id[i]]
	}
	if !ok {
		return fmt.Errorf("%w: a key id has 1 to %d letters, digits, '-' or '_'", ErrKey, MaxKeyIDBytes)
	}
	return nil
}

// base64URL holds the bytes of the URL-safe base64 alphabet (RFC 4648 section 5).
var base64URL = func() (set [256]bool) {
	for _, c := range "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_" {
		set[c] = true
	}
	return set
}()
