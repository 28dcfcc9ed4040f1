package netpoll

import "fmt"

// The names of the drivers.
const (
	Epoll    = "epoll"
	Portable = "portable"
)

// Open returns the driver of that name; the empty name means the best one of this system.
func Open(name string) (Driver, error) {
	switch name {
	case "":
		return systemDriver(), nil
	case Epoll:
		if d := epollDriver(); d != nil {
			return d, nil
		}
		return nil, fmt.Errorf("netpoll: the epoll driver exists on Linux only, use %q", Portable)
	case Portable:
		return NewPortable(), nil
	}
	return nil, fmt.Errorf("netpoll: unknown driver %q, use %q or %q", name, Epoll, Portable)
}
