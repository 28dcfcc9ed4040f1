package replay

import (
	"encoding/binary"
	"fmt"
	"math"
	"time"

	"skirmish/game"
	"skirmish/protocol"
)

const magic = "skirmish"

// Head describes a recorded match.
type Head struct {
	Match       game.Match
	GameVersion string
	PlanHash    uint32
	Fields      int       // of an input
	Began       time.Time // to the millisecond
}

func headOf(e *game.Engine, began time.Time) Head {
	d := e.Definition()
	return Head{Match: *e.Match(), GameVersion: d.Spec.Version, PlanHash: d.PlanHash, Fields: len(d.Plan.Input.Fields), Began: began}
}

func (h *Head) append(dst []byte) []byte {
	m := &h.Match
	dst = binary.AppendUvarint(append(dst, magic...), Version)
	dst = appendText(appendText(appendText(dst, m.ID), m.Game), h.GameVersion)
	dst = binary.LittleEndian.AppendUint32(dst, h.PlanHash)
	dst = binary.AppendUvarint(dst, uint64(h.Fields))
	dst = binary.LittleEndian.AppendUint64(dst, m.Seed)
	dst = binary.AppendUvarint(dst, uint64(m.TickRate))
	dst = binary.AppendUvarint(dst, uint64(m.SnapshotRate))
	dst = binary.AppendUvarint(dst, uint64(m.Players))
	dst = binary.AppendUvarint(dst, uint64(m.SpectatorDelay.Milliseconds()))
	dst = appendBytes(dst, m.Params)
	return binary.LittleEndian.AppendUint64(dst, uint64(h.Began.UnixMilli()))
}

func parseHead(payload []byte) (*Head, error) {
	c := cursor{b: payload}
	if len(c.b) < len(magic) || string(c.b[:len(magic)]) != magic {
		return nil, ErrForeign
	}
	c.b = c.b[len(magic):]
	if v := c.uvarint(math.MaxUint32); v != Version && !c.bad {
		return nil, fmt.Errorf("%w: it is in format %d, this program knows %d", ErrFormat, v, Version)
	}
	h := new(Head)
	m := &h.Match
	m.ID, m.Game, h.GameVersion = c.text(), c.text(), c.text()
	h.PlanHash = c.u32()
	h.Fields = int(c.uvarint(protocol.MaxInputFields))
	m.Seed = c.u64()
	m.TickRate = int(c.uvarint(game.MaxTickRate))
	m.SnapshotRate = int(c.uvarint(game.MaxTickRate))
	m.Players = int(c.uvarint(math.MaxUint16))
	m.SpectatorDelay = time.Duration(c.uvarint(uint64(game.MaxSpectatorDelay.Milliseconds()))) * time.Millisecond
	m.Params = c.opaque()
	h.Began = time.UnixMilli(int64(c.u64()))
	if c.bad || len(c.b) > 0 || m.TickRate < game.MinTickRate {
		return nil, fmt.Errorf("%w: its head cannot be read", ErrCorrupt)
	}
	return h, nil
}

// End tells how a recorded match ended.
func appendEnd(dst []byte, end *game.Ending) []byte {
	dst = binary.AppendUvarint(dst, uint64(end.Tick))
	return appendBytes(appendText(dst, string(end.Reason)), end.Result)
}

func parseEnd(payload []byte) (*game.Ending, error) {
	c := cursor{b: payload}
	end := &game.Ending{Tick: uint32(c.uvarint(math.MaxUint32)), Reason: game.Reason(c.text()), Result: c.opaque()}
	if c.bad || len(c.b) > 0 {
		return nil, fmt.Errorf("%w: its end cannot be read", ErrCorrupt)
	}
	return end, nil
}
