package protocol

// Hello decodes a hello. Of another version than ours only m.Version is read, for the rest may look
// different: the answer is 4410.
func (d *Decoder) Hello(m *Hello) error {
	*m = Hello{}
	if len(d.msg) > MaxHelloBytes {
		return ErrTooBig
	}
	extra := d.expect(TypeHello, 2)
	m.Version = d.u32("version")
	if d.err != nil {
		return d.err
	}
	if m.Version != Version {
		return nil
	}
	if extra -= 3; extra < 0 {
		d.fail("", whyShort)
	}
	if b, ok := d.peek("token"); ok && isArray(b) {
		more := d.tuple("resume", 2)
		m.Resume = d.token("resume")
		m.LastEventSeq = d.u32("last_event_seq")
		d.skip(more)
	} else {
		m.Token = d.token("token")
	}
	m.SDK = d.str("sdk", MaxSDKBytes)
	m.Capabilities = d.micros("capabilities")
	return d.end(extra)
}

// token reads a ticket or resume token.
func (d *Decoder) token(field string) string {
	s := d.str(field, MaxTokenBytes)
	if d.err == nil && s == "" {
		d.fail(field, "empty")
	}
	return s
}

// Input decodes an input message whose inputs are of the plan's input k: every value lies within its
// field's range. m.Values is re-used.
func (d *Decoder) Input(m *Input, k *Kind) error {
	m.Count, m.Values = 0, m.Values[:0]
	extra := d.expect(TypeInput, 4)
	m.BaseTick, m.Fraction = d.view()
	m.NextTick = 0
	m.FirstSeq = uint32(d.int("first_seq", 1, 0xffffffff))
	n := d.array("inputs", MaxInputsPerMessage)
	if d.err == nil {
		switch {
		case n == 0:
			d.fail("inputs", whyShort)
		case uint32(n-1) > ^uint32(0)-m.FirstSeq:
			d.fail("first_seq", whyRange)
		}
	}
	for i := 0; i < n && d.err == nil; i++ {
		if fields := d.array("inputs", MaxInputFields); fields != len(k.Fields) {
			d.fail("inputs", whyCount)
		}
		for j := range k.Fields {
			f := &k.Fields[j]
			m.Values = append(m.Values, int32(d.int(f.Name, int64(f.Min), int64(f.Max))))
		}
	}
	if err := d.end(extra); err != nil {
		m.Values = m.Values[:0]
		return err
	}
	m.Count = n
	return nil
}

// view reads what the player had on screen, nil for [0, 0].
func (d *Decoder) view() (baseTick uint32, fraction uint8) {
	if b, ok := d.peek("view"); ok && b == codeNil {
		d.lib.DecodeNil()
		return 0, 0
	}
	more := d.tuple("view", 2)
	baseTick, fraction = d.u32("base_tick"), d.u8("fraction")
	d.skip(more)
	return baseTick, fraction
}

// Ping decodes a ping.
func (d *Decoder) Ping(m *Ping) error {
	extra := d.expect(TypePing, 3)
	m.ID = d.u32("id")
	m.T0 = d.micros("t0")
	return d.end(extra)
}

// Request decodes a request. m.Payload belongs to the message that Begin took.
func (d *Decoder) Request(m *Request) error {
	extra := d.expect(TypeRequest, 4)
	m.ID = d.u32("id")
	m.Op = d.u16("op")
	m.Payload = d.bytes("payload", MaxRequestBytes, isBin)
	return d.end(extra)
}

// Keyframe decodes a call for a full snapshot.
func (d *Decoder) Keyframe(m *Keyframe) error {
	extra := d.expect(TypeKeyframe, 3)
	m.Reason = KeyframeReason(d.int("reason", int64(KeyframeCRC), int64(KeyframeBase)))
	m.CRC = d.u32("crc")
	return d.end(extra)
}

// Bye decodes a bye.
func (d *Decoder) Bye(m *Bye) error {
	extra := d.expect(TypeBye, 2)
	m.Code = d.u16("code")
	return d.end(extra)
}
