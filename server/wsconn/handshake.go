package wsconn

import (
	"bytes"
	"slices"
	"strings"
)

// Handshake reads the head of the first request on a connection into a bounded buffer of its own. The zero
// value is ready. It is used by one goroutine at a time, and can be dropped once its answer is written.
//
// Every byte is looked at once, when it arrives or when its line is complete; what is decided does not depend on how
// the bytes were cut. Lines are judged in their order, so the first fault counts.
type Handshake struct {
	buf   []byte // everything received
	line  int    // where the line begins that is not complete yet
	seen  int    // up to here there is no line end behind line
	lines int
	end   int // length of the head; 0: not complete
	field fields
	req   Request
	fault *Refusal
}

// Request is the head of a request. Its strings are the caller's to keep.
type Request struct {
	Method string
	// Target is the request target as it was sent, at most MaxTargetBytes of visible ASCII. Path and Query are what stands
	// before and behind its question mark, not percent-decoded, without scheme and authority.
	Target, Path, Query string
	Host                string
	Origin              string   // empty: none was sent
	Protocols           []string // the sub-protocols offered, in the client's order
	Key                 string   // Sec-WebSocket-Key
	// Upgrade tells that a WebSocket is asked for, without a flaw. Without it the request is one for a web server:
	// of the fields above only Method, Target, Path, Query, Host and Origin are set, and their rules are that server's to check.
	Upgrade bool

	http10 bool
}

// Offers tells whether the client offered the sub-protocol.
func (r *Request) Offers(protocol string) bool { return slices.Contains(r.Protocols, protocol) }

// Feed takes the bytes that have arrived next, and copies them. done: the head is complete, see Request. A head that is not
// acceptable is a *Refusal, and stays the answer. After either p is no longer looked at.
//
// A well-formed request that does not ask for a WebSocket is none: it is done with Upgrade = false, and Raw has
// the bytes for a web server. What asks is the token "websocket" in Upgrade, or a Sec-WebSocket-Key.
func (h *Handshake) Feed(p []byte) (done bool, err error) {
	if h.fault == nil && h.end == 0 {
		h.buf = append(h.buf, p...)
		h.fault = h.scan()
	}
	if h.fault != nil {
		return false, h.fault
	}
	return h.end > 0, nil
}

// Request is the request, once Feed has said done.
func (h *Handshake) Request() *Request { return &h.req }

// Raw is everything received, head and what came behind it. Valid as long as h is.
func (h *Handshake) Raw() []byte { return h.buf }

// Rest is what the client sent behind the head, once Feed has said done: frames, if it asked for a WebSocket. Valid as long
// as h is; unmasking may write to it.
func (h *Handshake) Rest() []byte { return h.buf[h.end:] }

// Field is the value of a header field, whatever the case of its name, several lines joined by ", "; once Feed has said
// done. For fields that Request does not know.
func (h *Handshake) Field(name string) (value string, ok bool) {
	_, rest, _ := bytes.Cut(h.buf[:h.end], crlf)
	for len(rest) > 0 {
		var line []byte
		line, rest, _ = bytes.Cut(rest, crlf)
		n, v, _ := bytes.Cut(line, colon)
		if !equalFold(n, name) {
			continue
		}
		if ok {
			value += ", "
		}
		value, ok = value+string(trim(v)), true
	}
	return value, ok
}

var (
	crlf  = []byte("\r\n")
	colon = []byte(":")
)

// scan judges the lines that have become complete.
func (h *Handshake) scan() *Refusal {
	for {
		// Only what lies within the limit is looked at: a line end beyond it makes no difference.
		window := h.buf[:min(len(h.buf), MaxHeadBytes)]
		i := bytes.IndexByte(window[h.seen:], '\n')
		if i < 0 {
			h.seen = len(window)
			if h.lines == 0 && h.seen > maxRequestLineBytes {
				return refuse(414, "request target too long")
			}
			if h.seen == MaxHeadBytes {
				return refuse(431, "request head too long")
			}
			return nil
		}
		line := window[h.line : h.seen+i]
		h.line, h.seen = h.seen+i+1, h.seen+i+1
		if h.lines == 0 && len(line) > maxRequestLineBytes {
			return refuse(414, "request target too long")
		}
		if len(line) == 0 || line[len(line)-1] != '\r' {
			return refuse(400, "line does not end with CR LF")
		}
		line = line[:len(line)-1]
		if len(line) == 0 && h.lines > 0 {
			h.end = h.line
			return h.finish()
		}
		if h.lines++; h.lines > MaxHeadLines {
			return refuse(431, "too many header fields")
		}
		var fault *Refusal
		if h.lines == 1 {
			fault = h.req.parseLine(line)
		} else {
			fault = h.field.add(&h.req, line)
		}
		if fault != nil {
			return fault
		}
	}
}

// parseLine reads the request line (RFC 9112, 3): method, one space, target, one space, version.
func (r *Request) parseLine(line []byte) *Refusal {
	method, rest, _ := bytes.Cut(line, []byte(" "))
	target, version, ok := bytes.Cut(rest, []byte(" "))
	if !ok || !isToken(method) || len(target) == 0 {
		return refuse(400, "malformed request line")
	}
	if len(target) > MaxTargetBytes {
		return refuse(414, "request target too long")
	}
	for _, b := range target {
		if b <= ' ' || b >= 0x7f {
			return refuse(400, "invalid character in the request target")
		}
	}
	switch {
	case len(version) != 8 || string(version[:5]) != "HTTP/" || !isDigit(version[5]) || version[6] != '.' || !isDigit(version[7]):
		return refuse(400, "malformed request line")
	case string(version) != "HTTP/1.1" && string(version) != "HTTP/1.0":
		return refuse(505, "HTTP/1.1 only")
	}
	r.http10 = version[7] == '0'
	r.Method, r.Target = string(method), string(target)
	r.Path, r.Query, _ = strings.Cut(resource(r.Target), "?")
	return nil
}

// resource is the target without scheme and authority: RFC 6455, 4.2.1, allows "an absolute HTTP/HTTPS URI containing
// the /resource name/".
func resource(target string) string {
	for _, scheme := range [...]string{"http://", "https://", "ws://", "wss://"} {
		if len(target) > len(scheme) && strings.EqualFold(target[:len(scheme)], scheme) {
			rest := target[len(scheme):]
			if i := strings.IndexAny(rest, "/?"); i >= 0 && rest[i] == '/' {
				return rest[i:]
			} else if i >= 0 {
				return "/" + rest[i:]
			}
			return "/"
		}
	}
	return target
}
