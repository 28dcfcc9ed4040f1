package node_test

import (
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"testing"
	"time"

	"skirmish/server/node"
)

// headCase is one request head; status is the answer's.
type headCase struct {
	name   string
	head   string
	status int
}

// headLines is a flawless request, line by line.
var headLines = strings.Split(strings.TrimSuffix(rawHead, "\r\n\r\n"), "\r\n")

// headWith is the flawless request with the line of that name replaced; an empty line takes it out.
func headWith(name, line string) string {
	var out []string
	for i, l := range headLines {
		if i > 0 && strings.HasPrefix(l, name+":") {
			if line == "" {
				continue
			}
			l = line
		}
		out = append(out, l)
	}
	return strings.Join(out, "\r\n") + "\r\n\r\n"
}

// headPlus is the flawless request with more lines.
func headPlus(lines ...string) string {
	return strings.Join(append(append([]string(nil), headLines...), lines...), "\r\n") + "\r\n\r\n"
}

// headAsking is the flawless request with another request line.
func headAsking(line string) string { return line + strings.TrimPrefix(rawHead, headLines[0]) }

// headPadded is a flawless head of n bytes.
func headPadded(n int) string {
	return headPlus("X-Padding: " + strings.Repeat("x", n-len(headPlus("X-Padding: "))))
}

// headMany is n lines of padding.
func headMany(n int) (lines []string) {
	for i := range n {
		lines = append(lines, fmt.Sprintf("X-%d: y", i))
	}
	return lines
}

// headCases is the list under Handshake, as the game port answers it.
func headCases() []headCase {
	return []headCase{
		{"flawless", rawHead, 101},
		{"two Connection lines", headWith("Connection", "Connection: keep-alive\r\nConnection: uPGRADE"), 101},
		{"Connection as a list", headWith("Connection", "Connection: foo , Upgrade ,,bar"), 101},
		{"Upgrade as a list", headWith("Upgrade", "Upgrade: h2c, WebSocket"), 101},
		{"two Upgrade lines", headPlus("Upgrade: h2c"), 101},
		{"names in other letters", strings.NewReplacer("Host:", "HOST:", "Sec-WebSocket-Key", "sec-websocket-KEY", "Upgrade:", "UPGRADE:").Replace(rawHead), 101},
		{"white space around values", headWith("Upgrade", "Upgrade: \t websocket\t "), 101},
		{"no white space", headWith("Upgrade", "Upgrade:websocket"), 101},
		{"an extension", headPlus("Sec-WebSocket-Extensions: permessage-deflate; client_max_window_bits"), 101},
		{"several sub-protocols", headWith("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: chat, skirmish.v1"), 101},
		{"sub-protocols in two lines", headPlus("Sec-WebSocket-Protocol: chat"), 101},
		{"our own page", headPlus("Origin: http://localhost"), 101},
		{"a length of 0", headPlus("Content-Length: 0"), 101},
		{"a query", headAsking("GET /play?a=b HTTP/1.1"), 101},
		{"an absolute target", headAsking("GET http://localhost/play HTTP/1.1"), 101},
		{"a head of 8 KiB", headPadded(8 << 10), 101},
		{"64 lines", headPlus(headMany(64 - len(headLines))...), 101},
		{"a target of 2 KiB", headAsking("GET /play?" + strings.Repeat("x", 2048-len("/play?")) + " HTTP/1.1"), 101},
		{"bytes above ASCII in a value", headPlus("X-Name: J\xc3\xb6rg"), 101},

		{"a head of 8 KiB and one", headPadded(8<<10 + 1), 431},
		{"a head of 64 KiB", headPadded(64 << 10), 431},
		{"a head of 4 MiB", headPadded(4 << 20), 431},
		{"65 lines", headPlus(headMany(65 - len(headLines))...), 431},
		{"100,000 lines", headPlus(headMany(100_000)...), 431},
		{"a target beyond 2 KiB", headAsking("GET /play?" + strings.Repeat("x", 2049-len("/play?")) + " HTTP/1.1"), 414},
		{"a target of 1 MiB", headAsking("GET /" + strings.Repeat("x", 1<<20) + " HTTP/1.1"), 414},
		{"a first line without an end", strings.Repeat("G", 9000), 414},

		{"POST", headAsking("POST /play HTTP/1.1"), 405},
		{"HEAD", headAsking("HEAD /play HTTP/1.1"), 405},
		{"get", headAsking("get /play HTTP/1.1"), 405},
		{"CONNECT", headAsking("CONNECT /play HTTP/1.1"), 405},
		{"HTTP/1.0", headAsking("GET /play HTTP/1.0"), 505},
		{"HTTP/2.0", headAsking("GET /play HTTP/2.0"), 505},
		{"HTTP/0.9", "GET /play\r\n\r\n", 400},
		{"HTTP/1.2", headAsking("GET /play HTTP/1.2"), 505},
		{"the preface of HTTP/2", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 505},
		{"two spaces", headAsking("GET  /play HTTP/1.1"), 400},
		{"a tab", headAsking("GET\t/play HTTP/1.1"), 400},
		{"a space at the end", headAsking("GET /play HTTP/1.1 "), 400},
		{"a zero in the target", headAsking("GET /pl\x00ay HTTP/1.1"), 400},
		{"bytes above ASCII in the target", headAsking("GET /pl\xc3\xa4y HTTP/1.1"), 400},
		{"a fragment in the target", headAsking("GET /play#x HTTP/1.1"), 400},
		{"an asterisk", headAsking("GET * HTTP/1.1"), 400},
		{"an empty line first", "\r\n" + rawHead, 400},
		{"TLS", "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n", 400},
		{"line ends of LF alone", strings.ReplaceAll(rawHead, "\r\n", "\n"), 400},
		{"one line end of LF alone", strings.Replace(rawHead, "\r\nUpgrade", "\nUpgrade", 1), 400},
		{"the last line end of LF alone", strings.TrimSuffix(rawHead, "\r\n") + "\n", 400},

		{"no Host", headWith("Host", ""), 400},
		{"an empty Host", headWith("Host", "Host:"), 400},
		{"two Hosts", headPlus("Host: localhost"), 400},
		{"a Host with a path", headWith("Host", "Host: a/b"), 400},
		{"no Upgrade", headWith("Upgrade", ""), 400},
		{"Upgrade to something else", headWith("Upgrade", "Upgrade: h2c"), 400},
		{"Upgrade to websockets", headWith("Upgrade", "Upgrade: websockets"), 400},
		{"no Connection", headWith("Connection", ""), 400},
		{"Connection: keep-alive", headWith("Connection", "Connection: keep-alive"), 400},
		{"no version", headWith("Sec-WebSocket-Version", ""), 426},
		{"version 8", headWith("Sec-WebSocket-Version", "Sec-WebSocket-Version: 8"), 426},
		{"version 14", headWith("Sec-WebSocket-Version", "Sec-WebSocket-Version: 14"), 426},
		{"version 013", headWith("Sec-WebSocket-Version", "Sec-WebSocket-Version: 013"), 426},
		{"version +13", headWith("Sec-WebSocket-Version", "Sec-WebSocket-Version: +13"), 426},
		{"version 13, 8", headWith("Sec-WebSocket-Version", "Sec-WebSocket-Version: 13, 8"), 426},
		{"two versions", headPlus("Sec-WebSocket-Version: 13"), 400},
		{"no key", headWith("Sec-WebSocket-Key", ""), 400},
		{"an empty key", headWith("Sec-WebSocket-Key", "Sec-WebSocket-Key:"), 400},
		{"a key of 15 octets", headWith("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25j"), 400},
		{"a key of 17 octets", headWith("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQA="), 400},
		{"a key that is not base64", headWith("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZ!=="), 400},
		{"a key without its padding", headWith("Sec-WebSocket-Key", "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ"), 400},
		{"two keys", headPlus("Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ=="), 400},
		{"two lengths of 0", headPlus("Content-Length: 0", "Content-Length: 0"), 400},
		{"a length of 5", headPlus("Content-Length: 5"), 400},
		{"a length of -1", headPlus("Content-Length: -1"), 400},
		{"a length of 00", headPlus("Content-Length: 00"), 400},
		{"Transfer-Encoding: chunked", headPlus("Transfer-Encoding: chunked"), 400},
		{"Transfer-Encoding: identity", headPlus("Transfer-Encoding: identity"), 400},
		{"a space before the colon", headPlus("X-Name : x"), 400},
		{"a tab before the colon", headPlus("X-Name\t: x"), 400},
		{"no colon", headPlus("X-Name"), 400},
		{"no name", headPlus(": x"), 400},
		{"an odd name", headPlus("X(Name: x"), 400},
		{"a folded line", headPlus("X-Name: x", " y"), 400},
		{"a line folded by a tab", headPlus("X-Name: x", "\ty"), 400},
		{"a folded first line", strings.Replace(rawHead, "Host", " Host", 1), 400},
		{"a bare CR in a value", headPlus("X-Name: a\rb"), 400},
		{"a zero in a value", headPlus("X-Name: a\x00b"), 400},
		{"an escape in a value", headPlus("X-Name: \x1b[31m"), 400},
		{"a DEL in a value", headPlus("X-Name: a\x7f"), 400},
		{"a zero in a name", headPlus("X-\x00Name: a"), 400},
		{"two origins", headPlus("Origin: http://localhost", "Origin: http://localhost"), 400},
		{"an empty origin", headPlus("Origin:"), 400},
		{"a sub-protocol twice", headWith("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: skirmish.v1, skirmish.v1"), 400},
		{"a broken sub-protocol", headWith("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: skirmish v1"), 400},
	}
}

// playHeads are those that the echo takes and the game port does not.
func playHeads() []headCase {
	return []headCase{
		{"an unknown page", headPlus("Origin: https://evil.example"), 403},
		{"a page without a host", headPlus("Origin: null"), 403},
		{"our page by another port", headPlus("Origin: http://localhost:1"), 403},
		{"an allowed page", headPlus("Origin: https://game.example"), 101},
		{"another path", headAsking("GET /other HTTP/1.1"), 404},
		{"no sub-protocol", headWith("Sec-WebSocket-Protocol", ""), 400},
		{"an unknown sub-protocol", headWith("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: skirmish.v9"), 400},
		{"a sub-protocol in other letters", headWith("Sec-WebSocket-Protocol", "Sec-WebSocket-Protocol: Skirmish.V1"), 400},
	}
}

// TestConformanceOfTheHandshake: the list, on the echo and on the game port, in every cutting; an upgraded connection works
// (a ping comes back), a refused one has its answer, a reason and the end of the stream.
func TestConformanceOfTheHandshake(t *testing.T) {
	for _, driver := range drivers() {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			addr := hostOf(echo(t, driver))
			y := &rawTally{t: t, name: "handshake, " + driver}
			heads(y, addr, headCases())
			y.print()

			r := serve(t, func(c *node.Config) { c.Driver, c.AllowOrigins = driver, []string{"https://game.example"} })
			y = &rawTally{t: t, name: "game port, " + driver}
			heads(y, hostOf(r.play), append(headCases(), playHeads()...))
			y.print()
		})
	}
}

func heads(y *rawTally, addr string, all []headCase) {
	cases := make([]wsCase, len(all))
	for i, c := range all {
		cases[i] = wsCase{name: c.name, send: []byte(c.head), code: c.status, cut: len(c.head) <= 9000}
	}
	suite(y, cases, func(c *wsCase, how cutting) (rawOutcome, string) { return shaken(addr, c, how) })
}

// shaken runs one handshake; c.code is the status wanted.
func shaken(addr string, c *wsCase, how cutting) (o rawOutcome, fault string) {
	conn, err := rawDial(addr)
	if err != nil {
		return rawOutcome{end: endedGarbage, err: err}, "no connection"
	}
	defer conn.Close()
	stream := c.send
	if c.code == http.StatusSwitchingProtocols {
		stream = joined(stream, rawFrame(whole|opPing, "are you there"), rawClose(1000, ""))
	}
	sent := make(chan struct{})
	go func() {
		defer close(sent)
		for _, p := range how.cut(stream) {
			if _, err := conn.Write(p); err != nil {
				return
			}
		}
	}()
	defer func() { conn.Close(); <-sent }()
	res, err := conn.answer()
	if err != nil {
		return rawOutcome{end: endOf(err), err: err}, "no answer"
	}
	o.code, o.end = res.StatusCode, endedClose
	if res.StatusCode != c.code {
		return o, fmt.Sprintf("status %d, want %d", res.StatusCode, c.code)
	}
	if c.code == http.StatusSwitchingProtocols {
		o = conn.drain()
		if o.end != endedClose || o.code != 1000 || len(o.frames) != 1 || o.frames[0].payload != "are you there" {
			return o, "the WebSocket does not work"
		}
		return o, ""
	}
	body, err := io.ReadAll(res.Body)
	if err == nil {
		_, err = conn.in.Peek(1)
	}
	if err != io.EOF {
		o.end, o.err = endOf(err), err
		return o, "no clean end behind the answer"
	}
	switch {
	case !res.Close:
		return o, "the end is not announced"
	case len(body) < 5 || body[len(body)-1] != '\n':
		return o, fmt.Sprintf("no reason: %q", body)
	case c.code == http.StatusUpgradeRequired && res.Header.Get("Sec-WebSocket-Version") != "13":
		return o, "the version is not told"
	case c.code == http.StatusMethodNotAllowed && res.Header.Get("Allow") != "GET":
		return o, "the method is not told"
	}
	return o, ""
}

// What a client does before it is done with its request or behind it: it half-closes, it is gone, it is early.
func TestHandshakeHabits(t *testing.T) {
	for _, driver := range drivers() {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			addr := hostOf(echo(t, driver))
			for _, story := range []struct {
				name string
				send string
				want rawEnd
				code int
				back int
			}{
				{"nothing, then FIN", "", endedSilent, 0, 0},
				{"half a head, then FIN", rawHead[:50], endedSilent, 0, 0},
				{"a message, a Close frame, FIN", rawHead + string(rawFrame(whole|opText, "x")) + string(rawClose(1000, "")), endedClose, 1000, 1},
				{"a message and FIN", rawHead + string(rawFrame(whole|opText, "x")), endedClose, 1002, 1},
				{"half a frame and FIN", rawHead + string(rawFrame(whole|opText, "x")[:4]), endedClose, 1002, 0},
				{"half a message and FIN", rawHead + string(rawFrame(opText, "x")), endedClose, 1002, 0},
				{"2 MiB in flight, a Close frame, FIN", rawHead + strings.Repeat(string(rawFrame(whole|opBinary, strings.Repeat("z", 64<<10))), 32) + string(rawClose(4000, "")), endedClose, 4000, 32},
				{"4 MiB in flight and FIN", rawHead + strings.Repeat(string(rawFrame(whole|opBinary, strings.Repeat("z", 64<<10))), 64), endedClose, 1002, 64},
			} {
				t.Run(story.name, func(t *testing.T) {
					c, err := rawDial(addr)
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					if _, err := io.WriteString(c, story.send); err != nil {
						t.Fatal(err)
					}
					if err := c.Conn.(*net.TCPConn).CloseWrite(); err != nil {
						t.Fatal(err)
					}
					time.Sleep(50 * time.Millisecond) // lets the socket fill: what is in flight is not read meanwhile
					if strings.HasPrefix(story.send, rawHead) {
						if err := c.upgraded(); err != nil {
							t.Fatal(err)
						}
					}
					o := c.drain()
					if o.end != story.want || o.code != story.code || len(o.frames) != story.back {
						t.Fatalf("got %v, want %v, code %d and %d messages before", &o, story.want, story.code, story.back)
					}
				})
			}
		})
	}
}

// Both ends of the close handshake: the server's Close frame is answered, by a client who goes on sending meanwhile, or is not
// answered at all. The stream ends cleanly either way, and within 2 s.
func TestCloseHandshake(t *testing.T) {
	for _, driver := range drivers() {
		t.Run(driver, func(t *testing.T) {
			t.Parallel()
			addr := hostOf(echo(t, driver))
			for name, answer := range map[string][][]byte{
				"answered at once":                {rawClose(1002, "")},
				"answered behind 256 KiB of data": append(pieces(rawFrame(whole|opBinary, strings.Repeat("x", 256<<10)), 16<<10), rawClose(1002, "")),
				"answered by a byte at a time":    pieces(rawClose(1002, "good-bye"), 1),
				"answered by another fault":       {{0xFF, 0xFF}},
				"not answered":                    nil,
			} {
				t.Run(name, func(t *testing.T) {
					c, err := rawDial(addr)
					if err != nil {
						t.Fatal(err)
					}
					defer c.Close()
					if _, err := c.Write(joined([]byte(rawHead), rawFrame(0xFF, ""))); err != nil {
						t.Fatal(err)
					}
					if err := c.upgraded(); err != nil {
						t.Fatal(err)
					}
					begin := time.Now()
					if m, err := c.frame(); err != nil || m.op != opClose || !strings.HasPrefix(m.payload, "\x03\xea") {
						t.Fatalf("%x %q, %v; want 1002", m.op, m.payload, err)
					}
					for _, p := range answer {
						if _, err := c.Write(p); err != nil {
							t.Fatalf("the server is gone before it was answered: %v", err)
						}
					}
					if _, err := c.in.ReadByte(); err != io.EOF {
						t.Errorf("behind the Close frame: %v, want the end of the stream", err)
					}
					if took := time.Since(begin); took > 2*time.Second && !raceEnabled && !loaded() {
						t.Errorf("it took %v", took)
					}
				})
			}
		})
	}
}
