package ticket_test

import (
	"strconv"
	"testing"
	"time"

	"skirmish/server/ticket"
)

func BenchmarkVerify(b *testing.B) {
	private, _ := edKey(b, "e")
	for _, c := range []struct {
		name string
		ring *ticket.Keyring
	}{{"HMAC", ring(b, hmacKey(b, "k"))}, {"Ed25519", ring(b, private)}} {
		b.Run(c.name, func(b *testing.B) {
			token := sign(b, c.ring, claims())
			b.ReportAllocs()
			for b.Loop() {
				if _, err := c.ring.Verify(token, now); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func BenchmarkSign(b *testing.B) {
	r, c := ring(b, hmacKey(b, "k")), claims()
	b.ReportAllocs()
	for b.Loop() {
		if _, err := r.Sign(&c); err != nil {
			b.Fatal(err)
		}
	}
}

func BenchmarkBurn(b *testing.B) {
	var burned ticket.Burned
	b.ReportAllocs()
	i := 0
	for b.Loop() {
		i++
		at := now.Add(time.Duration(i) * time.Millisecond)
		burned.Burn(strconv.Itoa(i), at.Add(30*time.Second), at)
	}
}
