package ticket_test

import (
	"bytes"
	"encoding/base64"
	"testing"
	"time"

	"skirmish/server/ticket"
)

// FuzzVerify: no token panics, none is taken but those that Sign makes again to the byte.
func FuzzVerify(f *testing.F) {
	r := ring(f, hmacKey(f, "k"))
	f.Add(sign(f, r, claims()))
	f.Add(r.SignResume(ticket.Resume{Match: "m", Seat: 1, Generation: 2}))
	film, err := r.SignFilm(ticket.Film{Match: "m", Expires: now.Unix()})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(film)
	f.Add("mt1.k..")
	f.Add("mt1.k.AA.AA")
	f.Fuzz(func(t *testing.T, token string) {
		if c, err := r.Verify(token, now); err == nil {
			if again := sign(t, r, c); again != token {
				t.Errorf("two tokens say the same: %q, %q", token, again)
			}
		}
		if s, err := r.VerifyResume(token); err == nil && r.SignResume(s) != token {
			t.Errorf("two resume tokens say the same: %q", token)
		}
		if film, err := r.VerifyFilm(token, now); err == nil {
			if again, err := r.SignFilm(film); err != nil || again != token {
				t.Errorf("two film tokens say the same: %q, %q, %v", token, again, err)
			}
		}
	})
}

// FuzzSignedPayload: what a holder of the key may put into a ticket. Whatever is taken is within its ranges,
// so that Sign takes it as well.
func FuzzSignedPayload(f *testing.F) {
	r := ring(f, hmacKey(f, "k"))
	f.Add([]byte("\x9a\xa1m\xa1p\x01\x00\x00\x01\x02\xa1i\xa0\xc0"))
	f.Add([]byte("\x9a\xd9\x01m\xa1p\xd3\x00\x00\x00\x00\x00\x00\x00\x01\xd0\x00\xd2\x00\x00\x00\x00\xcf\x00\x00\x00\x00\x00\x00\x00\x01\x02\xa1i\xa0\xc4\x00"))
	f.Add([]byte("\x93\xa1m\x01\x01"))
	f.Add([]byte("\x92\xa1m\x01"))
	secret := bytes.Repeat([]byte("k"), ticket.MinSecret)
	f.Fuzz(func(t *testing.T, payload []byte) {
		if len(payload) > 700 {
			return
		}
		for _, prefix := range []string{"mt1", "rt1", "ft1"} {
			head := prefix + ".k." + base64.RawURLEncoding.EncodeToString(payload)
			token := head + "." + base64.RawURLEncoding.EncodeToString(mac(secret, head))
			switch prefix {
			case "ft1":
				if film, err := r.VerifyFilm(token, time.Unix(1, 0)); err == nil {
					if _, err := r.SignFilm(film); err != nil {
						t.Error(err)
					}
				}
				continue
			case "rt1":
				if s, err := r.VerifyResume(token); err == nil {
					r.SignResume(s) // panics if s cannot be
				}
				continue
			}
			if c, err := r.Verify(token, time.Unix(1, 0)); err == nil {
				sign(t, r, c)
			}
		}
	})
}
