package node

import (
	"net"
	"os"
)

// notify tells the service manager of this process something, in the words of sd_notify(3), where there is one that wants to be
// told (NOTIFY_SOCKET). One that does not listen holds nobody up.
func notify(state string) {
	name := os.Getenv("NOTIFY_SOCKET")
	if name == "" {
		return
	}
	c, err := net.DialUnix("unixgram", nil, &net.UnixAddr{Name: name, Net: "unixgram"})
	if err != nil {
		return
	}
	defer c.Close()
	c.Write([]byte(state)) //nolint:errcheck // see above
}
