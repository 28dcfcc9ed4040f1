package webhook

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Bounds of a secret (Standard Webhooks: 24 to 64 bytes) and of its id.
const (
	MinSecretBytes   = 24
	MaxSecretBytes   = 64
	MaxSecretIDBytes = 64
	secretPrefix     = "whsec_"
)

// ErrSecret says that a secret cannot be read.
var ErrSecret = errors.New("webhook: invalid secret")

// Secrets are the keys that sign, by the id that targets name them by. Several of one id sign side by side while they
// rotate. They can be neither printed nor read back. The zero value has none.
type Secrets struct {
	reveal func() map[string][][]byte // a function: fmt shows one as an address, however deep it lies
}

// ParseSecrets reads secrets as the environment gives them, separated by commas, each <id>:whsec_<base64>. Errors name the
// id and never show the secret.
func ParseSecrets(text string) (Secrets, error) {
	byID := map[string][][]byte{}
	for part := range strings.SplitSeq(text, ",") {
		if part = strings.TrimSpace(part); part == "" {
			continue
		}
		id, secret, ok := strings.Cut(part, ":")
		if !ok || id == "" || len(id) > MaxSecretIDBytes || strings.HasPrefix(id, secretPrefix) {
			return Secrets{}, fmt.Errorf("%w: want <id>:%s<base64>", ErrSecret, secretPrefix)
		}
		encoded, ok := strings.CutPrefix(secret, secretPrefix)
		if !ok {
			return Secrets{}, fmt.Errorf("%w %q: it must begin with %s", ErrSecret, id, secretPrefix)
		}
		raw, err := base64.StdEncoding.DecodeString(encoded)
		if err != nil { // the error would quote the secret
			return Secrets{}, fmt.Errorf("%w %q: what follows %s is not base64", ErrSecret, id, secretPrefix)
		}
		if len(raw) < MinSecretBytes || len(raw) > MaxSecretBytes {
			return Secrets{}, fmt.Errorf("%w %q: it has %d bytes, it must have %d to %d", ErrSecret, id, len(raw), MinSecretBytes, MaxSecretBytes)
		}
		byID[id] = append(byID[id], raw)
	}
	if len(byID) == 0 {
		return Secrets{}, nil
	}
	return Secrets{reveal: func() map[string][][]byte { return byID }}, nil
}

// And returns the secrets of both; where they name the same id, those of s sign first.
func (s Secrets) And(more Secrets) Secrets {
	if s.reveal == nil || more.reveal == nil {
		if s.reveal == nil {
			return more
		}
		return s
	}
	byID := map[string][][]byte{}
	for _, from := range []Secrets{s, more} {
		for id, keys := range from.reveal() {
			byID[id] = append(byID[id], keys...)
		}
	}
	return Secrets{reveal: func() map[string][][]byte { return byID }}
}

// Has tells whether there is a secret of that id.
func (s Secrets) Has(id string) bool { return s.reveal != nil && len(s.reveal()[id]) > 0 }

// IDs are the ids, sorted.
func (s Secrets) IDs() []string {
	if s.reveal == nil {
		return nil
	}
	return slices.Sorted(maps.Keys(s.reveal()))
}

// String lists the ids alone.
func (s Secrets) String() string { return fmt.Sprintf("webhook secrets %q", s.IDs()) }

// GoString is String.
func (s Secrets) GoString() string { return s.String() }

// Sign is the value of the header webhook-signature: one signature per secret of the id, with a space between. ok is false
// when there is none.
func (s Secrets) Sign(secretID, messageID string, at time.Time, body []byte) (signatures string, ok bool) {
	if !s.Has(secretID) {
		return "", false
	}
	var out []string
	for _, key := range s.reveal()[secretID] {
		mac := hmac.New(sha256.New, key)
		mac.Write([]byte(messageID + "." + strconv.FormatInt(at.Unix(), 10) + "."))
		mac.Write(body)
		out = append(out, "v1,"+base64.StdEncoding.EncodeToString(mac.Sum(nil)))
	}
	return strings.Join(out, " "), true
}
