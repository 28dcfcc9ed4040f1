// Package ticket signs and verifies what a player shows at the door: join tickets, good for one hello, and
// resume tokens, which bring a lost player back to its seat; and film tokens, with which anybody may watch a match again.
// Verification is local and needs no I/O.
package ticket

import (
	"errors"
	"fmt"
	"time"
)

// Keyring is a set of keys: the first one signs, all of them verify. It does not change; to rotate, make a
// new one and swap the pointer. Safe from any goroutine.
type Keyring struct {
	keys []*signer
}

// NewKeyring makes a keyring of 1 to MaxKeys keys with different ids. Its errors tell all faults at once.
func NewKeyring(keys ...Key) (*Keyring, error) {
	var faults []error
	if len(keys) == 0 || len(keys) > MaxKeys {
		faults = append(faults, fmt.Errorf("%w: a keyring has 1 to %d keys", ErrKey, MaxKeys))
	}
	r := &Keyring{}
	for _, k := range keys {
		if k.reveal == nil {
			faults = append(faults, fmt.Errorf("%w %q: made without its constructor", ErrKey, k.ID))
			continue
		}
		if r.find(k.ID) != nil {
			faults = append(faults, fmt.Errorf("%w %q: the id is there twice", ErrKey, k.ID))
			continue
		}
		r.keys = append(r.keys, newSigner(k))
	}
	if err := errors.Join(faults...); err != nil {
		return nil, err
	}
	return r, nil
}

// CanSign tells whether the first key has a private half. Sign and SignResume need it.
func (r *Keyring) CanSign() bool { return r.keys[0].key.CanSign() }

// String lists the keys without their secrets.
func (r *Keyring) String() string {
	names := make([]Key, len(r.keys))
	for i, s := range r.keys {
		names[i] = s.key
	}
	return fmt.Sprint(names)
}

// GoString is String.
func (r *Keyring) GoString() string { return r.String() }

// Sign makes a join ticket of c, signed with the first key. It refuses claims that Verify would not accept.
func (r *Keyring) Sign(c *Claims) (string, error) {
	if field := c.fault(); field != "" {
		return "", claimsError(field)
	}
	var buf [maxPayloadBytes]byte
	return r.keys[0].sign(ticketPrefix, appendClaims(buf[:0], c))
}

// Verify returns what a join ticket says if one of the keys signed it and it is good at now. It does not
// know whether the ticket was used before: see Burned. Foreign bytes are welcome; nothing but the strings of
// the claims is allocated. Errors: ErrMalformed, ErrUnknownKey, ErrSignature, ErrExpired, ErrNotYet.
func (r *Keyring) Verify(token string, now time.Time) (Claims, error) {
	c, err := verified(r, ticketPrefix, token, readClaims)
	if err == nil {
		err = c.check(now)
	}
	if err != nil {
		return Claims{}, err
	}
	return c, nil
}

// SignResume makes a resume token. It panics on a match id or seat that cannot be.
func (r *Keyring) SignResume(s Resume) string {
	if field := s.fault(); field != "" {
		panic(claimsError(field))
	}
	var buf [maxPayloadBytes]byte
	token, err := r.keys[0].sign(resumePrefix, appendResume(buf[:0], &s))
	if err != nil {
		panic(err)
	}
	return token
}

// VerifyResume returns what a resume token says if one of the keys signed it. Errors: ErrMalformed,
// ErrUnknownKey, ErrSignature.
func (r *Keyring) VerifyResume(token string) (Resume, error) {
	return verified(r, resumePrefix, token, readResume)
}

// SignFilm makes a film token. ErrClaims, ErrKey.
func (r *Keyring) SignFilm(f Film) (string, error) {
	if field := f.fault(); field != "" {
		return "", claimsError(field)
	}
	var buf [maxPayloadBytes]byte
	return r.keys[0].sign(filmPrefix, appendFilm(buf[:0], &f))
}

// VerifyFilm returns what a film token says if one of the keys signed it and it is good at now. Errors: ErrMalformed,
// ErrUnknownKey, ErrSignature, ErrExpired.
func (r *Keyring) VerifyFilm(token string, now time.Time) (Film, error) {
	f, err := verified(r, filmPrefix, token, readFilm)
	if err == nil && expired(f.Expires, now.Unix()) {
		err = ErrExpired
	}
	if err != nil {
		return Film{}, err
	}
	return f, nil
}

func (r *Keyring) find(id string) *signer {
	for _, s := range r.keys {
		if s.key.ID == id {
			return s
		}
	}
	return nil
}
