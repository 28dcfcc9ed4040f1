package protocol

// What a client sends. Each AppendX appends one whole message to dst and returns it, like append.

// AppendHello appends a hello. Exactly one of m.Token and m.Resume must be set.
//
//	[1, version, token | [resume, last_event_seq], sdk, capabilities]
func AppendHello(dst []byte, m *Hello) []byte {
	dst = append(dst, 0x95, byte(TypeHello))
	dst = appendUint(dst, uint64(m.Version))
	if m.Resume != "" {
		dst = appendStr(append(dst, 0x92), m.Resume)
		dst = appendUint(dst, uint64(m.LastEventSeq))
	} else {
		dst = appendStr(dst, m.Token)
	}
	dst = appendStr(dst, m.SDK)
	return appendUint(dst, m.Capabilities)
}

// AppendInput appends an input message: m.Values holds m.Count inputs of as many values each as the plan's
// input has fields. It allocates nothing but a larger dst.
//
//	[2, [base_tick, fraction] | nil, first_seq, [[value …] …]]
func AppendInput(dst []byte, m *Input, fields int) []byte {
	dst = append(dst, 0x94, byte(TypeInput))
	if m.BaseTick == 0 && m.Fraction == 0 {
		dst = append(dst, codeNil)
	} else {
		dst = appendUint(append(dst, 0x92), uint64(m.BaseTick))
		dst = appendUint(dst, uint64(m.Fraction))
	}
	dst = appendUint(dst, uint64(m.FirstSeq))
	dst = appendArray(dst, m.Count)
	for i := range m.Count {
		dst = appendArray(dst, fields)
		for _, v := range m.Values[i*fields : (i+1)*fields] {
			dst = appendInt(dst, int64(v))
		}
	}
	return dst
}

// AppendPing appends [3, id, t0].
func AppendPing(dst []byte, m *Ping) []byte {
	dst = append(dst, 0x93, byte(TypePing))
	dst = appendUint(dst, uint64(m.ID))
	return appendUint(dst, m.T0)
}

// AppendRequest appends [4, id, op, payload].
func AppendRequest(dst []byte, m *Request) []byte {
	dst = append(dst, 0x94, byte(TypeRequest))
	dst = appendUint(dst, uint64(m.ID))
	dst = appendUint(dst, uint64(m.Op))
	return appendBin(dst, m.Payload)
}

// AppendKeyframe appends [5, reason, crc].
func AppendKeyframe(dst []byte, m *Keyframe) []byte {
	dst = append(dst, 0x93, byte(TypeKeyframe), byte(m.Reason))
	return appendUint(dst, uint64(m.CRC))
}

// AppendBye appends [6, code].
func AppendBye(dst []byte, m *Bye) []byte {
	return appendUint(append(dst, 0x92, byte(TypeBye)), uint64(m.Code))
}
