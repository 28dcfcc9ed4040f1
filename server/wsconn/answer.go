package wsconn

import (
	"crypto/sha1"
	"encoding/base64"
	"fmt"
	"strconv"
)

// Field is one header field of a Refusal.
type Field struct{ Name, Value string }

// Refusal is the answer to a request that is not accepted: the HTTP status, a sentence for the body, and the header
// fields that go with that status.
type Refusal struct {
	Status int
	Reason string // without internals: it is told to the client
	Header []Field
}

func (f *Refusal) Error() string { return fmt.Sprintf("wsconn: %d: %s", f.Status, f.Reason) }

func refuse(status int, reason string, header ...Field) *Refusal {
	return &Refusal{Status: status, Reason: reason, Header: header}
}

// guid: RFC 6455, 1.3.
const guid = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"

// AppendUpgrade appends the answer 101 to a request whose Upgrade is true. subprotocol must be one that the client
// offered; empty: none.
func AppendUpgrade(dst []byte, r *Request, subprotocol string) []byte {
	dst = append(dst, "HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: "...)
	var proof [keyLength + len(guid)]byte
	copy(proof[copy(proof[:], r.Key):], guid)
	sum := sha1.Sum(proof[:])
	dst = base64.StdEncoding.AppendEncode(dst, sum[:])
	if subprotocol != "" {
		dst = append(dst, "\r\nSec-WebSocket-Protocol: "...)
		dst = append(dst, subprotocol...)
	}
	return append(dst, "\r\n\r\n"...)
}

// AppendRefusal appends the answer that refuses. It announces the end of the connection, which is the caller's to bring
// about.
func AppendRefusal(dst []byte, f *Refusal) []byte {
	dst = append(dst, "HTTP/1.1 "...)
	dst = strconv.AppendInt(dst, int64(f.Status), 10)
	dst = append(dst, ' ')
	dst = append(dst, phrase(f.Status)...)
	dst = append(dst, "\r\nConnection: close"...)
	for _, h := range f.Header {
		if equalFold([]byte(h.Name), "Upgrade") {
			dst = append(dst, ", Upgrade"...) // RFC 9110, 7.8: a sender of Upgrade lists it in Connection
		}
	}
	for _, h := range f.Header {
		dst = append(dst, "\r\n"...)
		dst = append(dst, h.Name...)
		dst = append(dst, ": "...)
		dst = append(dst, h.Value...)
	}
	dst = append(dst, "\r\nContent-Type: text/plain; charset=utf-8\r\nX-Content-Type-Options: nosniff\r\nContent-Length: "...)
	dst = strconv.AppendInt(dst, int64(len(f.Reason))+1, 10)
	dst = append(dst, "\r\n\r\n"...)
	dst = append(dst, f.Reason...)
	return append(dst, '\n')
}

// phrase names the statuses that a refusal has (RFC 9110, 15, and RFC 6585).
func phrase(status int) string {
	switch status {
	case 400:
		return "Bad Request"
	case 401:
		return "Unauthorized"
	case 403:
		return "Forbidden"
	case 404:
		return "Not Found"
	case 405:
		return "Method Not Allowed"
	case 408:
		return "Request Timeout"
	case 414:
		return "URI Too Long"
	case 426:
		return "Upgrade Required"
	case 429:
		return "Too Many Requests"
	case 431:
		return "Request Header Fields Too Large"
	case 500:
		return "Internal Server Error"
	case 503:
		return "Service Unavailable"
	case 505:
		return "HTTP Version Not Supported"
	}
	return "Refused"
}
