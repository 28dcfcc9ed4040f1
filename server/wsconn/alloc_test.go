//go:build !race

package wsconn_test

import (
	"testing"

	"github.com/gobwas/ws"

	"skirmish/server/wsconn"
)

func TestNextAllocatesNothing(t *testing.T) {
	var r wsconn.Reader
	r.Init(play)
	frames := join(client(fin, ws.OpBinary, "sixteen bytes in"), client(fin, ws.OpPing, "x"), client(fin, ws.OpBinary, string(make([]byte, 4096))))
	p := make([]byte, len(frames))
	if n := testing.AllocsPerRun(100, func() {
		copy(p, frames)
		for rest := p; ; {
			m, behind, err := r.Next(rest)
			if err != nil {
				t.Fatal(err)
			}
			if m.Op == wsconn.OpNone {
				break
			}
			rest = behind
		}
	}); n != 0 {
		t.Errorf("%v allocations for three whole frames", n)
	}
	if n := testing.AllocsPerRun(100, func() { // a head that is cut stays in the Reader itself
		copy(p, frames)
		_, _, _ = r.Next(p[:5])
		if m, _, err := r.Next(p[5:22]); m.Op != wsconn.OpBinary || err != nil {
			t.Fatal(m, err)
		}
	}); n != 0 {
		t.Errorf("%v allocations for a frame cut inside its head", n)
	}
}

func TestAppendAllocatesNothing(t *testing.T) {
	dst, payload := make([]byte, 0, 70000), make([]byte, 65535)
	if n := testing.AllocsPerRun(100, func() {
		dst = wsconn.AppendFrame(dst[:0], wsconn.OpBinary, payload[:400])
		begin := len(dst)
		dst = wsconn.EndFrame(append(wsconn.BeginFrame(dst), payload...), begin, wsconn.OpBinary)
		dst = wsconn.AppendClose(dst, 4408, "timed out")
	}); n != 0 {
		t.Errorf("%v allocations for three frames", n)
	}
}
