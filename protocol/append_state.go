package protocol

import "math/bits"

// A state message is put together from parts, so that what all viewers share is encoded once:
//
//	snapshot: AppendSnapshotHead · AppendSnapshotRows · AppendPrivate · AppendCRC
//	delta:    AppendDeltaHead    · AppendDeltaRows    · AppendPrivate · AppendCRC
//
// None of them allocates anything but a larger dst.

// AppendSnapshotHead begins a snapshot: its array head and the elements before the rows.
//
//	[0x21, tick, server_time, ack, lead_ms, flags, rows, private, crc]
func AppendSnapshotHead(dst []byte, h *StateHead) []byte {
	dst = append(dst, 0x99, byte(TypeSnapshot))
	dst = appendUint(dst, uint64(h.Tick))
	dst = appendUint(dst, h.ServerTime)
	dst = appendUint(dst, uint64(h.Ack))
	dst = appendInt(dst, int64(h.LeadMS))
	return appendUint(dst, uint64(h.Flags))
}

// AppendDeltaHead begins a delta: its array head and the elements before removed.
//
//	[0x22, tick, base_tick, ack, lead_ms, flags, removed, rows, private, crc]
func AppendDeltaHead(dst []byte, h *StateHead) []byte {
	dst = append(dst, 0x9a, byte(TypeDelta))
	dst = appendUint(dst, uint64(h.Tick))
	dst = appendUint(dst, uint64(h.BaseTick))
	dst = appendUint(dst, uint64(h.Ack))
	dst = appendInt(dst, int64(h.LeadMS))
	return appendUint(dst, uint64(h.Flags))
}

// AppendSnapshotRows appends the rows of a snapshot as one flat list.
//
//	[idΔ, kind, v0 … vn−1, idΔ, …]
func AppendSnapshotRows(dst []byte, now *Rows) []byte {
	dst = appendArray(dst, 2*now.Len()+len(now.Values))
	previous := uint32(0)
	for i, id := range now.IDs {
		dst = appendUint(dst, uint64(id-previous))
		dst = append(dst, now.Kinds[i])
		previous = id
		for _, v := range now.Row(i) {
			dst = appendInt(dst, int64(v))
		}
	}
	return dst
}

// AppendDeltaRows appends what turns base into now: the elements removed and rows. A row of the same id
// and another kind is removed and new. Both tables hold rows of the plan p.
//
//	removed: [idΔ …]
//	rows:    [idΔ, mask, d …] of a changed row, [idΔ, 0, kind, v0 … vn−1] of a new one
func AppendDeltaRows(dst []byte, p *Plan, base, now *Rows) []byte {
	dst = appendRemoved(dst, base, now)
	at, count, previous := len(dst), 0, uint32(0)
	dst = beginList(dst)
	b := 0
	for i, id := range now.IDs {
		for b < len(base.IDs) && base.IDs[b] < id {
			b++
		}
		values := now.Row(i)
		if b < len(base.IDs) && base.IDs[b] == id && base.Kinds[b] == now.Kinds[i] {
			old := base.Row(b)
			mask := changes(old, values)
			if mask == 0 {
				continue
			}
			dst = appendUint(dst, uint64(id-previous))
			dst = appendDifferences(dst, p.Kinds[now.Kinds[i]].Fields, mask, old, values)
			count += 2 + bits.OnesCount32(mask)
		} else {
			dst = appendUint(dst, uint64(id-previous))
			dst = append(dst, 0, now.Kinds[i])
			for _, v := range values {
				dst = appendInt(dst, int64(v))
			}
			count += 3 + len(values)
		}
		previous = id
	}
	return endList(dst, at, count)
}

// appendRemoved appends the ids of base's rows that now lacks or has with another kind.
func appendRemoved(dst []byte, base, now *Rows) []byte {
	at, count, previous := len(dst), 0, uint32(0)
	dst = beginList(dst)
	i := 0
	for b, id := range base.IDs {
		for i < len(now.IDs) && now.IDs[i] < id {
			i++
		}
		if i < len(now.IDs) && now.IDs[i] == id && now.Kinds[i] == base.Kinds[b] {
			continue
		}
		dst = appendUint(dst, uint64(id-previous))
		previous = id
		count++
	}
	return endList(dst, at, count)
}

// AppendPrivate appends the private row of a viewer, of the plan's private kind k: nil when now is nil,
// absolute when base is nil, nil when nothing changed, else what changed since base, the last private row
// that was sent to this viewer. In a snapshot base must be nil.
//
//	nil | [0, v0 … vn−1] | [mask, d …]
func AppendPrivate(dst []byte, k *Kind, base, now []int32) []byte {
	if now == nil {
		return append(dst, codeNil)
	}
	if base == nil {
		dst = append(appendArray(dst, 1+len(now)), 0)
		for _, v := range now {
			dst = appendInt(dst, int64(v))
		}
		return dst
	}
	mask := changes(base, now)
	if mask == 0 {
		return append(dst, codeNil)
	}
	dst = appendArray(dst, 1+bits.OnesCount32(mask))
	return appendDifferences(dst, k.Fields, mask, base, now)
}

// AppendCRC appends the last element of a state message: crc, the CRC of all its rows, or nil.
func AppendCRC(dst []byte, crc uint32, present bool) []byte {
	if !present {
		return append(dst, codeNil)
	}
	return appendUint(dst, uint64(crc))
}

// changes has bit i set where field i differs. Both rows are of one kind.
func changes(old, now []int32) uint32 {
	mask := uint32(0)
	now = now[:len(old)]
	for i, v := range old {
		if now[i] != v {
			mask |= 1 << i
		}
	}
	return mask
}

func appendDifferences(dst []byte, fields []Field, mask uint32, old, now []int32) []byte {
	dst = appendUint(dst, uint64(mask))
	for m := mask; m != 0; m &= m - 1 {
		i := bits.TrailingZeros32(m)
		d := int64(now[i]) - int64(old[i])
		if f := &fields[i]; f.Wrap {
			d = f.shorter(d)
		}
		dst = appendInt(dst, d)
	}
	return dst
}

// span is how many values the field has: the circumference of a wrapping field, 1 … 2^32.
func (f *Field) span() int64 { return int64(f.Max) - int64(f.Min) + 1 }

// shorter turns the difference of two values of a wrapping field into the one on the shorter way round,
// −⌊span/2⌋ … ⌈span/2⌉−1.
func (f *Field) shorter(d int64) int64 {
	span := f.span()
	half := span / 2
	switch {
	case d < -half:
		return d + span
	case d >= span-half:
		return d - span
	}
	return d
}
