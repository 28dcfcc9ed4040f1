package node_test

import (
	"bytes"
	"errors"
	"io"
	"net/http"
	"testing"
	"time"

	"github.com/gorilla/websocket"
	"github.com/vmihailenco/msgpack/v5"

	"skirmish/server/api"
)

// foreigner is a client that shares no code with the server: another library's WebSocket and a generic msgpack decoder,
// written from protocol/SPEC.md alone.
type foreigner struct {
	t    *testing.T
	conn *websocket.Conn

	seat  int64
	ack   int64
	tick  int64
	kinds []foreignKind
	rows  map[int64]*foreignRow

	snapshots, deltas, rosters, pongs int
}

type foreignKind struct {
	name   string
	fields []foreignField
}

type foreignField struct {
	name     string
	min, max int64
	wrap     bool
}

type foreignRow struct {
	kind   int64
	values []int64
}

// join shakes hands and says hello.
func join(t *testing.T, url, token string) *foreigner {
	t.Helper()
	dialer := websocket.Dialer{Subprotocols: []string{"skirmish.v1"}, HandshakeTimeout: 5 * time.Second}
	conn, res, err := dialer.DialContext(t.Context(), url, nil)
	if err != nil {
		t.Fatalf("dial: %v (%v)", err, res)
	}
	t.Cleanup(func() { conn.Close() })
	if got := res.Header.Get("Sec-WebSocket-Protocol"); got != "skirmish.v1" {
		t.Fatalf("sub-protocol %q", got)
	}
	f := &foreigner{t: t, conn: conn, rows: map[int64]*foreignRow{}}
	f.send([]any{1, 1, token, "foreign/1", 0})
	return f
}

// send encodes with the library's own reflection.
func (f *foreigner) send(msg []any) {
	f.t.Helper()
	b, err := msgpack.Marshal(msg)
	if err != nil {
		f.t.Fatal(err)
	}
	if err := f.conn.WriteMessage(websocket.BinaryMessage, b); err != nil {
		f.t.Fatal(err)
	}
}

// next takes in one message.
func (f *foreigner) next() error {
	f.t.Helper()
	f.conn.SetReadDeadline(time.Now().Add(10 * time.Second))
	kind, b, err := f.conn.ReadMessage()
	if err != nil {
		return err
	}
	if kind != websocket.BinaryMessage {
		f.t.Fatalf("a frame of kind %d", kind)
	}
	dec := msgpack.NewDecoder(bytes.NewReader(b))
	dec.UseLooseInterfaceDecoding(true)
	msg, err := dec.DecodeSlice()
	if err != nil {
		f.t.Fatalf("%x: %v", b, err)
	}
	if _, err := dec.DecodeInterface(); !errors.Is(err, io.EOF) {
		f.t.Fatalf("%x: bytes behind the message", b)
	}
	switch number(msg[0]) {
	case 0x20:
		f.welcome(msg)
	case 0x21:
		f.snapshot(msg)
	case 0x22:
		f.delta(msg)
	case 0x24:
		f.rosters++
	case 0x25:
		f.pongs++
	}
	return nil
}

// number is any integer that the generic decoder made.
func number(v any) int64 {
	switch n := v.(type) {
	case int64:
		return n
	case uint64:
		return int64(n)
	}
	return -1 << 40
}

func (f *foreigner) welcome(msg []any) {
	f.seat = number(msg[2])
	for _, k := range msg[13].([]any)[0].([]any) {
		kind := foreignKind{name: k.([]any)[0].(string)}
		for _, field := range k.([]any)[1].([]any) {
			v := field.([]any)
			kind.fields = append(kind.fields, foreignField{name: v[0].(string), min: number(v[2]), max: number(v[3]), wrap: v[6].(bool)})
		}
		f.kinds = append(f.kinds, kind)
	}
}

func (f *foreigner) snapshot(msg []any) {
	f.snapshots++
	f.tick, f.ack = number(msg[1]), number(msg[3])
	clear(f.rows)
	flat, id := msg[6].([]any), int64(0)
	for i := 0; i < len(flat); {
		id += number(flat[i])
		i = f.fresh(flat, i+1, id)
	}
}

// fresh reads a whole row: kind and values.
func (f *foreigner) fresh(flat []any, i int, id int64) int {
	row := &foreignRow{kind: number(flat[i])}
	i++
	for range f.kinds[row.kind].fields {
		row.values = append(row.values, number(flat[i]))
		i++
	}
	f.rows[id] = row
	return i
}

func (f *foreigner) delta(msg []any) {
	f.deltas++
	if number(msg[2]) != f.tick {
		f.t.Fatalf("a delta against tick %d, but the newest is %d", number(msg[2]), f.tick)
	}
	f.tick, f.ack = number(msg[1]), number(msg[3])
	id := int64(0)
	for _, d := range msg[6].([]any) {
		id += number(d)
		delete(f.rows, id)
	}
	flat := msg[7].([]any)
	id = 0
	for i := 0; i < len(flat); {
		id += number(flat[i])
		mask := number(flat[i+1])
		i += 2
		if mask == 0 {
			i = f.fresh(flat, i, id)
			continue
		}
		row := f.rows[id]
		if row == nil {
			f.t.Fatalf("a change of row %d, which is not there", id)
		}
		for n, field := range f.kinds[row.kind].fields {
			if mask>>n&1 == 0 {
				continue
			}
			v := row.values[n] + number(flat[i])
			i++
			if circle := field.max - field.min + 1; field.wrap {
				v = field.min + ((v-field.min)%circle+circle)%circle
			}
			if v < field.min || v > field.max {
				f.t.Fatalf("row %d: %s = %d is out of its range", id, field.name, v)
			}
			row.values[n] = v
		}
	}
}

// own is a field of the own ship; ok = false while there is none.
func (f *foreigner) own(name string) (int64, bool) {
	row := f.rows[f.seat]
	if row == nil {
		return 0, false
	}
	for i, field := range f.kinds[row.kind].fields {
		if field.name == name {
			return row.values[i], true
		}
	}
	f.t.Fatalf("a %s has no %s", f.kinds[row.kind].name, name)
	return 0, false
}

// A client of another make joins the arena, sees bots fly and flies itself.
func TestForeignClientPlaysTheArena(t *testing.T) {
	t.Parallel()
	r := serve(t, nil)
	made := r.create(map[string]any{
		"game": "arena", "tick_rate": 60, "snapshot_rate": 30, "params": map[string]any{"rounds": 0},
		"seats": []map[string]any{{"player_id": "stranger", "name": "Stranger"}, {"player_id": "b1", "bot": true}, {"player_id": "b2", "bot": true}},
	})
	f := join(t, made.Seats[0].URL, made.Seats[0].Token)
	moved, start, seq := false, int64(-1), int64(0)
	for deadline := time.Now().Add(15 * time.Second); !moved && time.Now().Before(deadline); {
		if err := f.next(); err != nil {
			t.Fatal(err)
		}
		x, ok := f.own("x")
		if !ok {
			continue
		}
		if start < 0 {
			start = x
			f.send([]any{3, 1, 12345})
		}
		seq++
		push := 127
		if start > 5000 {
			push = -127
		}
		f.send([]any{2, []any{f.tick, 0}, seq, []any{[]any{push, 0, 0, 0}}})
		moved = (x-start > 200 || start-x > 200) && f.ack > 20 && f.deltas > 20
	}
	if !moved {
		t.Fatalf("the ship did not follow: ack %d after %d inputs, %d deltas", f.ack, seq, f.deltas)
	}
	if f.snapshots != 1 || f.rosters == 0 || f.pongs != 1 {
		t.Fatalf("%d snapshots, %d rosters, %d pongs; want 1, some, 1", f.snapshots, f.rosters, f.pongs)
	}
	f.send([]any{6, 0})
	for {
		err := f.next()
		if err == nil {
			continue
		}
		if !websocket.IsCloseError(err, 4001) {
			t.Fatalf("after bye: %v, want close 4001", err)
		}
		break
	}
	var m api.Match
	r.call("GET", r.admin+"/v1/matches/"+made.Match.MatchID, nil, http.StatusOK, &m)
	if m.Seats[0].State != api.SeatLeft {
		t.Fatalf("the seat is %s, want left", m.Seats[0].State)
	}
}
