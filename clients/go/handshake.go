package client

import (
	"bufio"
	"bytes"
	"crypto/rand"
	"crypto/sha1"
	"encoding/base64"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"skirmish/protocol"
)

// handshake is the client's half of RFC 6455 section 4.1 without I/O.
type handshake struct {
	accept  string // what the server must answer
	answer  []byte // what it has answered, at most maxAnswerBytes
	head    int    // length of the answer's head, 0 while it is incomplete
	need    int    // length of a refusal with its body, −1 when only the end of the stream tells
	chunked bool
	refusal *RefusedError
}

const acceptGUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11" // RFC 6455 section 1.3

// newHandshake draws a key and appends the request to dst. A hello, if it is not empty, travels with it.
func newHandshake(dst []byte, host, target, origin string, hello []byte) (handshake, []byte) {
	var nonce [16]byte
	rand.Read(nonce[:]) // never fails
	key := base64.StdEncoding.EncodeToString(nonce[:])
	dst = append(dst, "GET "...)
	dst = append(dst, target...)
	dst = append(dst, " HTTP/1.1\r\nHost: "...)
	dst = append(dst, host...)
	dst = append(dst, "\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Version: 13\r\nSec-WebSocket-Protocol: "...)
	dst = append(dst, protocol.Subprotocol...)
	if len(hello) > 0 {
		dst = append(dst, ", "+protocol.HelloSubprotocol...)
		dst = base64.RawURLEncoding.AppendEncode(dst, hello)
	}
	if origin != "" {
		dst = append(dst, "\r\nOrigin: "...)
		dst = append(dst, origin...)
	}
	dst = append(dst, "\r\nSec-WebSocket-Key: "...)
	dst = append(dst, key...)
	dst = append(dst, "\r\n\r\n"...)
	sum := sha1.Sum([]byte(key + acceptGUID))
	return handshake{accept: base64.StdEncoding.EncodeToString(sum[:])}, dst
}

// feed takes bytes of the answer. Done: rest belongs to the first frames.
func (h *handshake) feed(p []byte) (done bool, rest []byte, err error) {
	before := len(h.answer)
	p = p[:min(len(p), maxAnswerBytes-before):len(p)] // rest is found again through the capacity
	h.answer = append(h.answer, p...)
	if h.head == 0 {
		from := max(0, before-3)
		i := bytes.Index(h.answer[from:], []byte("\r\n\r\n"))
		if i < 0 {
			if len(h.answer) >= maxAnswerBytes {
				return false, nil, &RefusedError{Reason: "the answer's head is longer than 8 KiB"}
			}
			return false, nil, nil
		}
		h.head = from + i + 4
		if err := h.read(); err != nil {
			return false, nil, err
		}
		if h.refusal == nil {
			used := h.head - before
			return true, p[:cap(p)][used:], nil
		}
	}
	if h.complete() {
		return false, nil, h.refused()
	}
	return false, nil, nil
}

// complete tells whether a refusal's body is there.
func (h *handshake) complete() bool {
	if len(h.answer) >= maxAnswerBytes {
		return true
	}
	if h.chunked {
		return bytes.HasSuffix(h.answer[h.head:], []byte("0\r\n\r\n"))
	}
	return h.need >= 0 && len(h.answer) >= h.need
}

// read checks the head. A status other than 101 sets h.refusal and waits for the body.
func (h *handshake) read() error {
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(h.answer[:h.head])), nil)
	if err != nil {
		return &RefusedError{Reason: "the answer is not HTTP"}
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusSwitchingProtocols {
		h.refusal = &RefusedError{Status: resp.StatusCode, Reason: http.StatusText(resp.StatusCode)}
		if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s >= 0 && s <= 86400 {
			h.refusal.RetryAfter = time.Duration(s) * time.Second
		}
		h.chunked = len(resp.TransferEncoding) > 0
		h.need = -1
		if resp.ContentLength >= 0 {
			h.need = h.head + int(min(resp.ContentLength, maxAnswerBytes))
		}
		return nil
	}
	bad := func(reason string) error { return &RefusedError{Reason: reason} }
	switch { // RFC 6455 section 4.1, the client's list of what to validate
	case !hasToken(resp.Header.Values("Upgrade"), "websocket"):
		return bad("the answer does not upgrade to websocket")
	case !hasToken(resp.Header.Values("Connection"), "upgrade"):
		return bad("the answer's Connection does not name Upgrade")
	case len(resp.Header.Values("Sec-Websocket-Accept")) != 1 || strings.TrimSpace(resp.Header.Get("Sec-Websocket-Accept")) != h.accept:
		return bad("Sec-WebSocket-Accept does not match the key")
	case len(resp.Header.Values("Sec-Websocket-Extensions")) != 0:
		return bad("the server chose an extension that was not offered")
	case resp.Header.Get("Sec-Websocket-Protocol") != protocol.Subprotocol:
		return bad("the server does not speak " + protocol.Subprotocol)
	}
	return nil
}

// refused is the refusal with the first line of what has arrived of its body.
func (h *handshake) refused() error {
	resp, err := http.ReadResponse(bufio.NewReader(bytes.NewReader(h.answer)), nil)
	if err != nil {
		return h.refusal
	}
	defer resp.Body.Close()
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxAnswerBytes)) // what was cut off is not missed
	line, _, _ := strings.Cut(strings.TrimSpace(string(body)), "\n")
	line = strings.ToValidUTF8(strings.Map(printable, line), "")
	if line != "" && len(line) <= 512 {
		h.refusal.Reason = line
	}
	return h.refusal
}

// end is the error of a stream that ends before the upgrade.
func (h *handshake) end() error {
	if h.refusal != nil {
		return h.refused()
	}
	return nil
}

func printable(r rune) rune {
	if r < 0x20 || r == 0x7f {
		return -1
	}
	return r
}

// hasToken looks for a token, case-free, in comma-separated lists.
func hasToken(lines []string, token string) bool {
	for _, line := range lines {
		for part := range strings.SplitSeq(line, ",") {
			if strings.EqualFold(strings.TrimSpace(part), token) {
				return true
			}
		}
	}
	return false
}
