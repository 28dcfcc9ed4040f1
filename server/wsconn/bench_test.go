package wsconn_test

import (
	"testing"

	"github.com/gobwas/ws"

	"skirmish/server/wsconn"
)

func BenchmarkNext(b *testing.B) {
	var r wsconn.Reader
	r.Init(play)
	frame := client(fin, ws.OpBinary, "sixteen bytes in")
	p := make([]byte, len(frame))
	b.ReportAllocs()
	for b.Loop() {
		copy(p, frame)
		if m, _, err := r.Next(p); m.Op != wsconn.OpBinary || err != nil {
			b.Fatal(m, err)
		}
	}
}

func BenchmarkEndFrame(b *testing.B) {
	for name, payload := range map[string][]byte{"16": make([]byte, 16), "400": make([]byte, 400)} {
		b.Run(name, func(b *testing.B) {
			dst := make([]byte, 0, 1024)
			b.ReportAllocs()
			for b.Loop() {
				dst = wsconn.EndFrame(append(wsconn.BeginFrame(dst[:0]), payload...), 0, wsconn.OpBinary)
			}
		})
	}
}

func BenchmarkHandshake(b *testing.B) {
	head, dst := []byte(also()), make([]byte, 0, 512)
	b.ReportAllocs()
	for b.Loop() {
		var h wsconn.Handshake
		if done, err := h.Feed(head); !done || err != nil {
			b.Fatal(done, err)
		}
		dst = wsconn.AppendUpgrade(dst[:0], h.Request(), "skirmish.v1")
	}
}
