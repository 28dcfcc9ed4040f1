package wsconn

import (
	"bytes"
	"encoding/base64"
	"strings"
)

// fields is what the header fields have said so far about the rules of RFC 6455, 4.2.1. Rules that bind every HTTP
// message are judged with their line; those that bind only a request for a WebSocket wait for the end of the
// head, because only then it is known whether this is one.
type fields struct {
	hosts, keys, versions, lengths, origins int

	websocket bool     // Upgrade has the token
	upgrade   bool     // Connection has the token
	version   bool     // it is 13
	body      bool     // Content-Length is not 0
	transfer  bool     // Transfer-Encoding is there
	protocols *Refusal // what is wrong with them
}

// add judges a line and takes notes of it (RFC 9112, 5: name, colon, value; no white space before the colon, no
// folded lines).
func (f *fields) add(r *Request, line []byte) *Refusal {
	if line[0] == ' ' || line[0] == '\t' {
		return refuse(400, "folded header line")
	}
	name, value, ok := bytes.Cut(line, colon)
	if !ok || !isToken(name) {
		return refuse(400, "malformed header field name")
	}
	for _, b := range value {
		if b < ' ' && b != '\t' || b == 0x7f {
			return refuse(400, "control character in a header field")
		}
	}
	value = trim(value)
	switch {
	case equalFold(name, "Host"):
		f.hosts++
		r.Host = string(value)
	case equalFold(name, "Upgrade"):
		f.websocket = f.websocket || hasToken(value, "websocket")
	case equalFold(name, "Connection"):
		f.upgrade = f.upgrade || hasToken(value, "upgrade")
	case equalFold(name, "Sec-WebSocket-Key"):
		f.keys++
		r.Key = string(value)
	case equalFold(name, "Sec-WebSocket-Version"):
		f.versions++
		f.version = string(value) == "13"
	case equalFold(name, "Sec-WebSocket-Protocol"):
		if f.protocols == nil {
			f.protocols = r.addProtocols(value)
		}
	case equalFold(name, "Origin"):
		f.origins++
		r.Origin = string(value)
	case equalFold(name, "Content-Length"):
		f.lengths++
		f.body = f.body || string(value) != "0"
	case equalFold(name, "Transfer-Encoding"):
		f.transfer = true
	}
	return nil
}

// addProtocols notes the sub-protocols of one line: tokens, each once over all lines (RFC 6455, 4.1, item 10).
func (r *Request) addProtocols(value []byte) *Refusal {
	for len(value) > 0 {
		var item []byte
		item, value, _ = bytes.Cut(value, []byte(","))
		item = trim(item)
		switch {
		case len(item) == 0:
			continue
		case !isToken(item):
			return refuse(400, "malformed Sec-WebSocket-Protocol")
		case len(r.Protocols) == MaxProtocols:
			return refuse(400, "too many sub-protocols")
		case r.Offers(string(item)):
			return refuse(400, "sub-protocol offered twice")
		}
		r.Protocols = append(r.Protocols, string(item))
	}
	return nil
}

// finish judges the head as a whole.
func (h *Handshake) finish() *Refusal {
	f, r := &h.field, &h.req
	if !f.websocket && f.keys == 0 {
		r.Key, r.Protocols = "", nil
		return nil
	}
	// RFC 6455, 4.2.1, item by item.
	switch {
	case r.http10:
		return refuse(505, "HTTP/1.1 only")
	case r.Method != "GET":
		return refuse(405, "GET only", Field{"Allow", "GET"})
	case !strings.HasPrefix(r.Path, "/") || strings.Contains(r.Target, "#"):
		return refuse(400, "malformed request target")
	case f.hosts != 1:
		return refuse(400, "exactly one Host wanted")
	case !validHost(r.Host):
		return refuse(400, "malformed Host")
	case !f.websocket:
		return refuse(400, "Upgrade: websocket is missing")
	case !f.upgrade:
		return refuse(400, "Connection: Upgrade is missing")
	case f.versions > 1:
		return refuse(400, "more than one Sec-WebSocket-Version")
	case !f.version:
		// 4.4; RFC 9110, 15.5.22, wants Upgrade with a 426.
		return refuse(426, "WebSocket version 13 only", Field{"Sec-WebSocket-Version", "13"}, Field{"Upgrade", "websocket"})
	case f.keys != 1:
		return refuse(400, "exactly one Sec-WebSocket-Key wanted")
	case !validKey(r.Key):
		return refuse(400, "malformed Sec-WebSocket-Key")
	case f.protocols != nil:
		return f.protocols
	case f.origins > 1 || f.origins == 1 && r.Origin == "":
		return refuse(400, "malformed Origin")
	case f.transfer || f.body || f.lengths > 1:
		return refuse(400, "a request for a WebSocket has no body")
	}
	r.Upgrade = true
	return nil
}

// validKey: 24 characters of base64 that are 16 octets.
func validKey(key string) bool {
	var octets [keyLength]byte
	if len(key) != keyLength {
		return false
	}
	n, err := base64.StdEncoding.Decode(octets[:], []byte(key))
	return err == nil && n == keyBytes
}

// validHost: a name or an address, with or without a port, by its characters (RFC 3986, 3.2.2).
func validHost(host string) bool {
	for i := range len(host) {
		if b := host[i]; !isAlphanumeric(b) && strings.IndexByte("-._~%!$&'()*+,;=:[]", b) < 0 {
			return false
		}
	}
	return host != ""
}

// hasToken tells whether token is in the comma-separated list, whatever its case.
func hasToken(list []byte, token string) bool {
	for len(list) > 0 {
		var item []byte
		item, list, _ = bytes.Cut(list, []byte(","))
		if equalFold(trim(item), token) {
			return true
		}
	}
	return false
}

// isToken: RFC 9110, 5.6.2.
func isToken(s []byte) bool {
	for _, b := range s {
		if !isAlphanumeric(b) && strings.IndexByte("!#$%&'*+-.^_`|~", b) < 0 {
			return false
		}
	}
	return len(s) > 0
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

func isAlphanumeric(b byte) bool { return isDigit(b) || 'a' <= b|0x20 && b|0x20 <= 'z' }

// equalFold compares in ASCII only: Unicode folding would take the Kelvin sign for a k.
func equalFold(s []byte, t string) bool {
	if len(s) != len(t) {
		return false
	}
	for i, b := range s {
		c := t[i]
		if b != c && (b^c != 0x20 || !isAlphanumeric(b) || isDigit(b)) {
			return false
		}
	}
	return true
}

// trim removes the optional white space around a value.
func trim(s []byte) []byte { return bytes.Trim(s, " \t") }
