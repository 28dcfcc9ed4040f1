package main

// link is a path between client and server.
type link struct {
	name string
	args []string // for the emulator
	most float64  // ms that the age may have at p99; 0: no bound of its own
	blow float64  // times the age at p99 of blind writing that it may have; 0: no such bound
}

// links are the paths that Skirmish makes promises for, and the clean one that tells what the stream needs.
var links = []link{
	{name: "clean", args: []string{"-rtt", "60ms"}},
	{name: "loss", args: []string{"-rtt", "100ms", "-loss", "2%"}, blow: 1.15},
	{name: "narrow", args: []string{"-rtt", "60ms", "-down.rate", "170kbit", "-down.queue", "64kb"}, most: 350},
	{name: "wifi", args: []string{"-profile", "bad-wifi"}, blow: 1.15},
	{name: "outage", args: []string{"-rtt", "60ms", "-event", "outage 500ms every 10s"}, blow: 1.15},
}

// way is a manner of sending: which server, and how it drives its sockets.
type way struct {
	name   string
	driver string
	server string // which build of it, see run
}

var ways = []way{
	{name: "rule", driver: "epoll", server: "server"},
	{name: "blind", driver: "epoll", server: "blind"},
	{name: "portable", driver: "portable", server: "server"}, // as with TLS
	{name: "plain", driver: "portable", server: "plain"},     // as on other systems than Linux
}
