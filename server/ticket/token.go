package ticket

// A token is four parts of text with dots between:
//
//	mt1.<key id>.<claims>.<signature>      join ticket
//	rt1.<key id>.<resume>.<signature>      resume token
//	ft1.<key id>.<film>.<signature>        film token
//
// Claims, resume, film and signature are base64url without padding (RFC 4648 section 5) in its one canonical form.
// The signature covers everything before the last dot, so a token of one kind is never taken for another.

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"hash"
	"strings"
	"sync"
)

const (
	ticketPrefix = "mt1."
	resumePrefix = "rt1."
	filmPrefix   = "ft1."
)

// encoding is strict: bits left over at the end must be zero. The line breaks that it would pass over do not
// get that far.
var encoding = base64.RawURLEncoding.Strict()

// signer is a key at work. Safe from any goroutine.
type signer struct {
	key      Key
	material *material
	scratch  sync.Pool // of *scratch: verification has no one owner, and an HMAC cannot be shared
}

// scratch is what one signature or verification needs. Everything in it is copied out or forgotten.
type scratch struct {
	mac       hash.Hash // HMACSHA256 only
	token     [MaxTokenBytes]byte
	payload   [maxPayloadBytes]byte
	signature [maxSignatureBytes]byte
	sum       [maxSignatureBytes]byte
}

func newSigner(k Key) *signer {
	s := &signer{key: k, material: k.reveal()}
	s.scratch.New = func() any {
		w := new(scratch)
		if k.Algorithm == HMACSHA256 {
			w.mac = hmac.New(sha256.New, s.material.secret)
		}
		return w
	}
	return s
}

// sign makes the token. It refuses a key without a private half and a token that would be too long.
func (s *signer) sign(prefix string, payload []byte) (string, error) {
	if !s.key.CanSign() {
		return "", fmt.Errorf("%w %q: a public key cannot sign", ErrKey, s.key.ID)
	}
	n := len(prefix) + len(s.key.ID) + 1 + encoding.EncodedLen(len(payload)) + 1 + encoding.EncodedLen(s.signatureBytes())
	if n > MaxTokenBytes {
		return "", fmt.Errorf("%w: the token would have %d bytes, over %d: shorten ext", ErrClaims, n, MaxTokenBytes)
	}
	w := s.scratch.Get().(*scratch)
	defer s.scratch.Put(w)
	b := append(w.token[:0], prefix...)
	b = append(b, s.key.ID...)
	b = append(b, '.')
	b = encoding.AppendEncode(b, payload)
	signature := s.sum(w, b)
	b = append(b, '.')
	b = encoding.AppendEncode(b, signature)
	return string(b), nil
}

// open takes a token apart and checks its signature. The payload lies in w, which the caller puts back into
// the signer's scratch after reading it.
func (r *Keyring) open(prefix, token string) (s *signer, w *scratch, payload []byte, err error) {
	if len(token) > MaxTokenBytes || !strings.HasPrefix(token, prefix) {
		return nil, nil, nil, ErrMalformed
	}
	id, rest, _ := strings.Cut(token[len(prefix):], ".")
	body, signature, _ := strings.Cut(rest, ".")
	if len(id) > MaxKeyIDBytes || !isBase64URL(id) || !isBase64URL(body) || !isBase64URL(signature) {
		return nil, nil, nil, ErrMalformed
	}
	if s = r.find(id); s == nil {
		return nil, nil, nil, ErrUnknownKey
	}
	// The payload always fits: it is shorter than the token.
	if len(signature) != encoding.EncodedLen(s.signatureBytes()) {
		return nil, nil, nil, ErrMalformed
	}
	w = s.scratch.Get().(*scratch)
	n, err := w.open(token, body, signature)
	if err == nil && !s.verify(w, w.token[:len(token)-len(signature)-1]) {
		err = ErrSignature
	}
	if err != nil {
		s.scratch.Put(w)
		return nil, nil, nil, err
	}
	return s, w, w.payload[:n], nil
}

// verified reads the payload of a token that one of the keys has signed.
func verified[T any](r *Keyring, prefix, token string, read func(payload []byte) (T, error)) (T, error) {
	s, w, payload, err := r.open(prefix, token)
	if err != nil {
		var none T
		return none, err
	}
	defer s.scratch.Put(w)
	return read(payload)
}

// open copies the token and decodes its two last parts. It returns the length of the payload.
func (w *scratch) open(token, body, signature string) (int, error) {
	at := copy(w.token[:], token) - len(signature)
	if _, err := encoding.Decode(w.signature[:], w.token[at:at+len(signature)]); err != nil {
		return 0, ErrMalformed
	}
	at -= 1 + len(body)
	n, err := encoding.Decode(w.payload[:], w.token[at:at+len(body)])
	if err != nil {
		return 0, ErrMalformed
	}
	return n, nil
}

func (s *signer) signatureBytes() int {
	if s.key.Algorithm == Ed25519 {
		return ed25519.SignatureSize
	}
	return sha256.Size
}

// sum signs message. The signature is valid until w's next use.
func (s *signer) sum(w *scratch, message []byte) []byte {
	if s.key.Algorithm == Ed25519 {
		return append(w.sum[:0], ed25519.Sign(s.material.private, message)...)
	}
	w.mac.Reset()
	w.mac.Write(message)
	return w.mac.Sum(w.sum[:0])
}

// verify compares w.signature with message, in constant time.
func (s *signer) verify(w *scratch, message []byte) bool {
	if s.key.Algorithm == Ed25519 {
		return ed25519.Verify(s.material.public, message, w.signature[:ed25519.SignatureSize])
	}
	return hmac.Equal(s.sum(w, message), w.signature[:sha256.Size])
}

// isBase64URL is false for an empty text.
func isBase64URL(s string) bool {
	for i := range len(s) {
		if !base64URL[s[i]] {
			return false
		}
	}
	return s != ""
}
