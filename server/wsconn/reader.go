package wsconn

// ReaderLimits bound what a Reader accepts. A zero field means the default of limits.go.
type ReaderLimits struct {
	MessageBytes int64 // longest message, all fragments together
	Fragments    int   // most frames of one message; negative: no bound
	Text         bool  // text messages are taken (and their UTF-8 checked) instead of refused with 1003
}

// Reader turns the bytes behind a handshake into messages.
type Reader struct {
	limits ReaderLimits
}

// Init makes r ready for a new connection.
func (r *Reader) Init(l ReaderLimits) { r.limits = l }

// Next reads the next message off p.
func (r *Reader) Next(p []byte) (m Message, rest []byte, err error) { return m, nil, nil }

// Midway tells whether a frame or a fragmented message is unfinished.
func (r *Reader) Midway() bool { return false }
