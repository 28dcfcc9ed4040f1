package protocol

// Hello is the client's first message: [1, version, token | [resume, last_event_seq], sdk, capabilities].
// Exactly one of Token and Resume is set.
type Hello struct {
	Version      uint32
	Token        string // join ticket
	Resume       string // resume token of an earlier welcome
	LastEventSeq uint32 // with Resume: the newest event the client has seen
	SDK          string
	Capabilities uint64 // bit set, 0 in version 1
}

// Input carries one or more inputs of a player: [2, [base_tick, fraction], first_seq, [[field …] …]].
// Values holds Count inputs one after the other, each as many wire values as the plan's input has fields;
// a decoded Input re-uses Values, valid until the Decoder's next call.
type Input struct {
	BaseTick uint32 // the older of the two states that the newest input's picture lay between, 0: it tells none
	Fraction uint8  // how far the picture had gone from there to the next state, in 1/256
	NextTick uint32 // server side only, never sent: that next state, once the engine has settled the view; else 0
	FirstSeq uint32 // number of the first input; the following ones count up by 1
	Count    int
	Values   []int32
}

// Ping asks for a pong: [3, id, t0]. T0 is the client's own clock in µs.
type Ping struct {
	ID uint32
	T0 uint64
}

// Request is a game's own call: [4, id, op, payload]. Payload is valid until the Decoder's next message.
type Request struct {
	ID      uint32
	Op      uint16
	Payload []byte
}

// Keyframe asks for a full snapshot: [5, reason, crc].
type Keyframe struct {
	Reason KeyframeReason
	CRC    uint32 // the client's checksum, 0 unless Reason is KeyframeCRC
}

// Bye gives the seat up: [6, code].
type Bye struct {
	Code uint16 // a game's own reason, 0 = none
}

// Limits tells a client what the server accepts.
type Limits struct {
	MessageBytes     uint32 // one message
	InputsPerMessage uint32
	InputsPerSecond  uint32
	SeqAhead         uint32 // how far an input's number may lie beyond the last accepted one
}

// Welcome answers a hello: [0x20, version, seat, player_id, role, tick_rate, snapshot_rate, tick,
// server_time, resume_token, reconnect_ms, [limits …], target_lead_ms, plan, plan_hash, [match_id, game, game_version],
// event_seq].
type Welcome struct {
	Version      uint32
	Seat         uint16 // 1 and up; 0: a spectator without a seat
	PlayerID     string
	Role         Role
	TickRate     uint16 // Hz
	SnapshotRate uint16 // Hz, divides TickRate
	Tick         uint32
	ServerTime   uint64 // µs since the Unix epoch, now
	ResumeToken  string
	ReconnectMS  uint32
	Limits       Limits
	TargetLeadMS uint16
	Plan         *Plan
	PlanHash     uint32
	MatchID      string
	Game         string
	GameVersion  string
	EventSeq     uint32 // the events behind this one follow
}

// StateHead is the part of a snapshot or delta that differs from viewer to viewer.
//
//	snapshot: [0x21, tick, server_time, ack, lead_ms, flags, rows, private, crc]
//	delta:    [0x22, tick, base_tick, ack, lead_ms, flags, removed, rows, private, crc]
type StateHead struct {
	Tick       uint32
	ServerTime uint64 // snapshot only: µs since the Unix epoch, at Tick
	BaseTick   uint32 // delta only: the tick of the last state written to this viewer
	Ack        uint32 // number of the last input applied, 0 = none yet
	LeadMS     int16  // start of the tick that used the newest input − its arrival
	Flags      uint8
}

// Event is a reliable event: [0x23, seq, tick, op, [value …]]. Op indexes Plan.Events.
type Event struct {
	Seq    uint32 // rises strictly; gaps are events for others
	Tick   uint32
	Op     uint16
	Values []Value
}

// Value is a field of an event: an integer or, for text fields, a string.
type Value struct {
	Int  int32
	Text string
}

// RosterEntry is one seat: [seat, player_id, name, team, state, role].
type RosterEntry struct {
	Seat     uint16
	PlayerID string
	Name     string
	Team     uint8
	State    SeatState
	Role     Role
}

// Roster tells of seats that are new or changed: [0x24, seq, [entry …]]. An entry replaces the older one
// of its seat; the first roster of a connection has them all.
type Roster struct {
	Seq     uint32
	Entries []RosterEntry
}

// Pong answers a ping with four stamps in all: [0x25, id, t0, t1, t2]. T1 is the ping's arrival, T2 the
// pong's departure, both µs since the Unix epoch on the server's clock.
type Pong struct {
	ID         uint32
	T0, T1, T2 uint64
}

// Reply answers a request: [0x26, id, status, payload]. Status 0 is success; the others are the game's,
// but for the ones named here.
type Reply struct {
	ID      uint32
	Status  uint16
	Payload []byte
}

const (
	ReplyOK          uint16 = 0
	ReplyUnsupported uint16 = 1 // this game takes no requests
	ReplyFailed      uint16 = 2 // the game returned an error; payload is its text
)

// Notice lets a client survive a deploy or understand a slow link: [0x27, kind, deadline_ms, url, token].
type Notice struct {
	Kind       NoticeKind
	DeadlineMS uint32
	URL        string // nil on the wire when empty
	Token      string // nil on the wire when empty
}

// Result is the last message of a match: [0x28, reason, payload]; close 4000 follows. Payload is JSON.
type Result struct {
	Reason  string // finished, aborted, timeout, empty, no_show, force
	Payload []byte
}

// Error explains a close before it: [0x29, code, message, fatal, retry_after_ms].
type Error struct {
	Code         uint16 // the close code that follows
	Message      string
	Fatal        bool
	RetryAfterMS uint32
}
