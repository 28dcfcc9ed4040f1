package session

import (
	"encoding/base64"
	"net/http"
	"strings"

	"skirmish/protocol"
	"skirmish/server/wsconn"
)

// earlyHello takes a hello out of the handshake, nil if none came with it. The client gets its welcome behind the 101,
// a round trip earlier: what counts when a player comes back.
func (c *LobbyConfig) earlyHello(req *wsconn.Request) ([]byte, *wsconn.Refusal) {
	if c.Subprotocol != protocol.Subprotocol {
		return nil, nil
	}
	for _, offered := range req.Protocols {
		text, ok := strings.CutPrefix(offered, protocol.HelloSubprotocol)
		if !ok {
			continue
		}
		msg, err := base64.RawURLEncoding.Strict().DecodeString(text)
		if err != nil || len(msg) == 0 {
			return nil, &wsconn.Refusal{Status: http.StatusBadRequest, Reason: "the hello in Sec-WebSocket-Protocol is not base64url without padding"}
		}
		return msg, nil
	}
	return nil, nil
}
