package metrics

import (
	"strconv"

	"github.com/prometheus/client_golang/prometheus"

	"skirmish/protocol"
)

type (
	counter = prometheus.Counter
	gauge   = prometheus.Gauge
)

// Connections are the sockets of the game port, each in exactly one state.
type Connections struct {
	Handshake gauge // the HTTP head is still coming
	Hello     gauge // upgraded, the first message is still coming
	Playing   gauge // has a seat
	Closing   gauge // the close handshake runs
}

func newConnections(f factory) Connections {
	s := f.gauges("connections", "Sockets on the game port by state.", "state")
	return Connections{s("handshake"), s("hello"), s("playing"), s("closing")}
}

// Handshakes are what became of accepted sockets.
type Handshakes struct {
	Upgraded counter // now a WebSocket
	HTTP     counter // a plain request, handed to net/http
	Refused  counter // answered with an HTTP error
	Timeout  counter // the head did not come in time
	Dropped  counter // the peer went away before its head was complete
	Limited  counter // over a limit of connections
}

func newHandshakes(f factory) Handshakes {
	s := f.counters("handshakes_total", "Accepted sockets by what became of their handshake.", "result")
	return Handshakes{s("upgraded"), s("http"), s("refused"), s("timeout"), s("dropped"), s("limited")}
}

// Closes are the ends of WebSocket connections by close code.
type Closes struct {
	codes map[uint16]counter // fixed after New
	other counter
}

// closeCodes are the codes with a series of their own.
var closeCodes = []protocol.CloseCode{
	protocol.CloseNormal, protocol.CloseGoingAway, protocol.CloseProtocol, protocol.CloseUnsupported,
	protocol.CloseNoStatus, protocol.CloseAbnormal, protocol.CloseInvalidText, protocol.ClosePolicy,
	protocol.CloseTooBig, protocol.CloseInternal, protocol.CloseRestart,
	protocol.CloseMatchOver, protocol.CloseLeft, protocol.CloseKicked, protocol.CloseBadMessage,
	protocol.CloseBadTicket, protocol.CloseForbidden, protocol.CloseNoMatch, protocol.CloseTimeout,
	protocol.CloseReplaced, protocol.CloseVersion, protocol.CloseEventsLost, protocol.CloseFlood,
	protocol.CloseMatchFailed, protocol.CloseUnavailable,
}

func newCloses(f factory) Closes {
	s := f.counters("closes_total", "Ends of WebSocket connections by close code, 1006 for a socket that broke.", "code")
	c := Closes{codes: make(map[uint16]counter, len(closeCodes)), other: s("other")}
	for _, code := range closeCodes {
		c.codes[uint16(code)] = s(strconv.Itoa(int(code)))
	}
	return c
}

// Inc counts one end. A code that no list knows (a client may send any) counts as "other".
func (c *Closes) Inc(code uint16) {
	if s, ok := c.codes[code]; ok {
		s.Inc()
		return
	}
	c.other.Inc()
}

// Matches are the matches this node holds, each in exactly one state. An ended one is held until its
// result is forgotten.
type Matches struct {
	Creating, Waiting, Running, Ended, Failed gauge
}

func newMatches(f factory) Matches {
	s := f.gauges("matches", "Matches on this node by state.", "state")
	return Matches{s("creating"), s("waiting"), s("running"), s("ended"), s("failed")}
}

// MatchesEnded are the ends of matches by reason.
type MatchesEnded struct {
	reasons map[string]counter // fixed after New
	other   counter
}

// endReasons are the reasons of match.ended.
var endReasons = []string{"finished", "aborted", "timeout", "empty", "no_show", "force"}

func newMatchesEnded(f factory) MatchesEnded {
	s := f.counters("matches_ended_total", "Ends of matches by reason.", "reason")
	m := MatchesEnded{reasons: make(map[string]counter, len(endReasons)), other: s("other")}
	for _, reason := range endReasons {
		m.reasons[reason] = s(reason)
	}
	return m
}

// Inc counts one end. An unknown reason counts as "other".
func (m *MatchesEnded) Inc(reason string) {
	if s, ok := m.reasons[reason]; ok {
		s.Inc()
		return
	}
	m.other.Inc()
}

// Players are the seats of all matches, each in exactly one state.
type Players struct {
	Reserved, Active, Lost gauge // of clients: waited for, connected, without a socket
	Bots, Spectators       gauge
}

func newPlayers(f factory) Players {
	s := f.gauges("seats", "Seats of all matches by state.", "state")
	return Players{s("reserved"), s("active"), s("lost"), s("bot"), s("spectator")}
}

// Inputs are the inputs of players. On time, repeated and neutral add up to one for each player and tick.
type Inputs struct {
	OnTime    counter // the player's own next input was there
	Repeated  counter // none was there: the last one again
	Neutral   counter // none was there: the zero input
	Duplicate counter // came a second time, dropped
	Surplus   counter // came while the queue was full, dropped
	Throttled counter // came over the rate, dropped
}

func newInputs(f factory) Inputs {
	s := f.counters("inputs_total", "Inputs of players by status.", "status")
	return Inputs{s("on_time"), s("repeated"), s("neutral"), s("duplicate"), s("surplus"), s("throttled")}
}

// Snapshots are states for viewers, one for each viewer and snapshot.
type Snapshots struct {
	Full    counter // written whole
	Delta   counter // written as the difference to the last one
	Skipped counter // not written: the viewer's link is behind
}

func newSnapshots(f factory) Snapshots {
	s := f.counters("snapshots_total", "States for viewers by kind.", "kind")
	return Snapshots{s("full"), s("delta"), s("skipped")}
}

// Bytes are what went over the sockets of the game port.
type Bytes struct{ In, Out counter }

func newBytes(f factory) Bytes {
	s := f.counters("bytes_total", "Bytes on the game port by direction.", "direction")
	return Bytes{s("in"), s("out")}
}

// Tickets are the join tickets and resume tokens that players showed.
type Tickets struct {
	Accepted   counter // a first join
	Resumed    counter // a resume token was good
	Malformed  counter
	UnknownKey counter
	Signature  counter
	Expired    counter
	NotYet     counter // issued in the future: a clock is wrong
	Used       counter // a second hello with the same ticket, or an older resume token
	Mismatch   counter // good, but for another match, node or seat
	Limited    counter // not looked at: too many refusals from this address
}

func newTickets(f factory) Tickets {
	s := f.counters("tickets_total", "Join tickets and resume tokens by result.", "result")
	return Tickets{s("accepted"), s("resumed"), s("malformed"), s("unknown_key"), s("signature"),
		s("expired"), s("not_yet"), s("used"), s("mismatch"), s("limited")}
}

// Webhooks are tries to deliver an event to a sink.
type Webhooks struct {
	results map[string]counter // fixed after New
}

func newWebhooks(f factory) Webhooks {
	s := f.counters("webhooks_total", "Tries to deliver webhooks by result; dropped are events that the disk never took.", "result")
	w := Webhooks{results: map[string]counter{}}
	for _, result := range []string{"delivered", "failed", "dead", "dropped"} {
		w.results[result] = s(result)
	}
	return w
}

// Inc counts one result of the list above; any other panics.
func (w *Webhooks) Inc(result string) { w.results[result].Inc() }

// Journal is what is taken down of matches, so that they go on after a crash.
type Journal struct {
	Bytes   counter // written
	Refused counter // records that the store did not take, or took only later
}

func newJournal(f factory) Journal {
	return Journal{
		f.counter("journal_bytes_total", "Bytes of the journal that were written."),
		f.counter("journal_refused_total", "Records of the journal that the store refused; they wait, or are dropped."),
	}
}
