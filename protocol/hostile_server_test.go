package protocol_test

import (
	"slices"

	. "skirmish/protocol"
)

// hostileServer are the messages of a server that no client may take.
func hostileServer() []goldenHostile {
	var out []goldenHostile
	bad := func(name string, v any) {
		out = append(out, goldenHostile{Name: name, Direction: "server", Plan: "duel", Bytes: pack(v), Expect: "refused"})
	}
	bad("nothing", raw(""))
	bad("an array of nothing", list{})
	bad("a map instead of an array", rawHex("8125 01"))
	bad("an array of 4 billion elements", rawHex("ddffffffff25"))
	bad("a type as float", list{float64(0x25), 1, 2, 3, 4})
	bad("an unknown type", list{0x2a, 1, 2, 3, 4})
	bad("a message of the client", list{3, 1, 2})
	bad("bytes behind the end", raw(pack(list{0x25, 1, 2, 3, 4}))+"\x00")
	bad("a map behind the known elements", list{0x25, 1, 2, 3, 4, mapOfNone})
	bad("a float behind the known elements", list{0x25, 1, 2, 3, 4, 0.5})
	bad("an extension behind the known elements, in an array", list{0x25, 1, 2, 3, 4, list{list{ext}}})
	bad("arrays in each other behind the known elements, without an end", raw(pack(list{0x25, 1, 2, 3, 4, 0})[:6])+raw(slices.Repeat([]byte{0x91}, 5000)))
	bad("an array of 4 billion behind the known elements", raw(pack(list{0x25, 1, 2, 3, 4, 0})[:6])+rawHex("ddffffffff00"))

	bad("pong cut", rawHex("9525010203"))
	bad("pong with three stamps", list{0x25, 1, 2, 3})
	bad("pong with a stamp beyond 2^53", list{0x25, 1, 2, 3, 1 << 53})
	bad("pong with a stamp as float", list{0x25, 1, 2, 3, 4.0})
	bad("pong with a stamp of nil", list{0x25, 1, nil, 3, 4})
	bad("reply with a payload as text", list{0x26, 1, 0, "x"})
	bad("reply with a payload of 16,385 bytes", list{0x26, 1, 0, make([]byte, MaxReplyBytes+1)})
	bad("reply with a payload that is cut", rawHex("94260100c5ffff00"))
	bad("notice of kind 0", list{0x27, 0, 0, nil, nil})
	bad("notice of an unknown kind", list{0x27, 6, 0, nil, nil})
	bad("notice with a url as bin", list{0x27, 4, 0, []byte("ws://x"), nil})
	bad("notice with a url that is not UTF-8", list{0x27, 4, 0, rawHex("a2c328"), nil})
	bad("notice with a url of 2,049 bytes", list{0x27, 4, 0, text(2049), nil})
	bad("result without payload", list{0x28, "finished"})
	bad("result with a reason of nil", list{0x28, nil, none})
	bad("error with fatal as number", list{0x29, 4400, "m", 1, 0})
	bad("error with a negative wait", list{0x29, 4400, "m", true, -1})
	bad("error with a text of 257 bytes", list{0x29, 4400, text(257), true, 0})
	bad("roster with a list of 4 billion entries", rawHex("932401ddffffffff"))
	bad("roster with an entry of five elements", list{0x24, 1, list{list{1, "p", "n", 0, 1}}})
	bad("roster with a flat list", list{0x24, 1, list{1, "p", "n", 0, 1, 0}})
	bad("roster with an unknown state", list{0x24, 1, list{list{1, "p", "n", 0, 6, 0}}})
	bad("roster with an unknown role", list{0x24, 1, list{list{1, "p", "n", 0, 1, 3}}})
	bad("roster with a name of 33 bytes", list{0x24, 1, list{list{1, "p", text(33), 0, 1, 0}}})

	bad("event of an unknown op", list{0x23, 1, 2, 3, list{}})
	bad("event with too few values", list{0x23, 1, 2, 0, list{1}})
	bad("event with too many values", list{0x23, 1, 2, 0, list{1, 2, 3}})
	bad("event that claims three values and has two", rawHex("9523010200930102"))
	bad("event with a value out of range", list{0x23, 1, 2, 0, list{1, 65536}})
	bad("event with text for a number", list{0x23, 1, 2, 0, list{1, "2"}})
	bad("event with a number for text", list{0x23, 1, 2, 1, list{1, 2}})
	bad("event with text over the field's limit", list{0x23, 1, 2, 1, list{1, text(41)}})

	bad("welcome of version 2", welcomeWith(1, 2))
	bad("welcome with a seat of 65,536", welcomeWith(2, 65536))
	bad("welcome with an unknown role", welcomeWith(4, 3))
	bad("welcome with a tick rate of 0", welcomeWith(5, 0))
	bad("welcome with a tick rate of 241", welcomeWith(5, 241))
	bad("welcome with a snapshot rate of 0", welcomeWith(6, 0))
	bad("welcome with a snapshot rate that does not divide", welcomeWith(6, 25))
	bad("welcome with limits that are too short", welcomeWith(11, list{1, 2, 3}))
	bad("welcome with limits of nil", welcomeWith(11, nil))
	bad("welcome with a plan of nil", welcomeWith(13, nil))
	bad("welcome with a plan that is too short", welcomeWith(13, list{list{}, list{"input", list{}}, nil}))
	bad("welcome with the hash of another plan", welcomeWith(14, 1))
	bad("welcome with a match that is too short", welcomeWith(15, list{"m", "g"}))
	bad("welcome without a match", welcomeWith(15, nil)[:15])
	bad("welcome with 33 kinds", welcomeKinds(slices.Repeat(list{list{"k", list{}}}, 33)))
	bad("welcome with 257 events", welcomeWith(13, list{list{}, list{"input", list{}}, nil, slices.Repeat(list{list{"k", list{}}}, 257)}))
	bad("welcome with a kind without a name", welcomeKinds(list{list{"", list{}}}))
	bad("welcome with a kind of 33 fields", welcomeKinds(list{list{"k", slices.Repeat(list{goodField}, 33)}}))
	bad("welcome with a kind of 4 billion fields", welcomeKinds(list{list{"k", rawHex("ddffffffff")}}))
	bad("welcome with a field of six elements", welcomeField(goodField[:6]))
	bad("welcome with a field of an unknown type", welcomeField(list{"x", 3, -5, 5, 1, 0, false}))
	bad("welcome with a field of an unknown interp", welcomeField(list{"x", 0, -5, 5, 1, 3, false}))
	bad("welcome with a field whose min is above its max", welcomeField(list{"x", 0, 6, 5, 1, 0, false}))
	bad("welcome with a field of 33 bits", welcomeField(list{"x", 0, 0, 1 << 31, 1, 0, false}))
	bad("welcome with a field of scale 0", welcomeField(list{"x", 0, -5, 5, 0, 0, false}))
	bad("welcome with a field whose scale is a float", welcomeField(list{"x", 0, -5, 5, 0.5, 0, false}))
	bad("welcome with a field whose wrap is a number", welcomeField(list{"x", 0, -5, 5, 1, 0, 1}))
	bad("welcome with a bool of 0 to 2", welcomeField(list{"x", 1, 0, 2, 1, 0, false}))
	bad("welcome with text of 257 bytes", welcomeEvent(list{"x", 2, 0, 257, 1, 0, false}))
	bad("welcome with text that wraps", welcomeEvent(list{"x", 2, 0, 5, 1, 0, true}))
	bad("welcome with a field whose name is 33 bytes long", welcomeField(list{text(33), 0, 0, 5, 1, 0, false}))
	bad("welcome with a private kind of a number", welcomeWith(13, list{list{}, list{"input", list{}}, 5, list{}}))
	bad("welcome with text outside of an event", welcomeField(list{"x", 2, 0, 5, 1, 0, false}))

	return append(out, hostileStates()...)
}

// hostileStates are state messages, refused before a picture is there or over the one below.
func hostileStates() []goldenHostile {
	var out []goldenHostile
	p := plans["duel"]
	now := step{full: true, head: StateHead{Tick: 10}, private: []int32{1, 2, 3}, rows: table(
		row{1, 0, []int32{0, 0, 0, 100, 0}}, row{5, 1, []int32{0, 0, 1}}, row{9, 2, []int32{0, 32767}})}
	picture := []hexBytes{stateBytes(p, now, nil, nil)}
	noPrivate := now
	noPrivate.private = nil
	pictureWithout := []hexBytes{stateBytes(p, noPrivate, nil, nil)}
	add := func(name, expect string, before []hexBytes, v any) {
		out = append(out, goldenHostile{Name: name, Direction: "server", Plan: "duel", Before: before, Bytes: pack(v), Expect: expect})
	}
	snapshot := func(name string, rows any) {
		add("snapshot with "+name, "refused", picture, list{0x21, 12, 5, 0, 0, 0, rows, nil, nil})
	}
	snapshot("rows of nil", nil)
	snapshot("rows as bin", []byte{1, 2})
	snapshot("a row as an array", list{list{1, 0, 0, 0, 0, 0, 0}})
	snapshot("4 billion elements", rawHex("ddffffffff01"))
	snapshot("more elements than bytes", rawHex("dcffff0100"))
	snapshot("a row without kind", list{1})
	snapshot("a row of an unknown kind", list{1, 3, 0, 0})
	snapshot("a row of a kind beyond every plan", list{1, 32, 0, 0})
	snapshot("a row with a value too few", list{1, 2, 0})
	snapshot("a row with a value too many", list{1, 2, 0, 0, 0})
	snapshot("the same row twice", list{1, 2, 0, 0, 0, 2, 0, 0})
	snapshot("ids that fall", list{5, 2, 0, 0, -1, 2, 0, 0})
	snapshot("ids that run over", list{1<<32 - 1, 2, 0, 0, 1, 2, 0, 0})
	snapshot("an id of 33 bits", list{1 << 32, 2, 0, 0})
	snapshot("a value over its range", list{1, 2, 32768, 0})
	snapshot("a value below its range", list{1, 2, 0, -1})
	snapshot("a bool of 2", list{1, 0, 0, 0, 0, 0, 2})
	snapshot("a value of a wrapping field beyond its range", list{1, 0, 0, 0, 256, 0, 0})
	snapshot("a value as float", list{1, 2, 1.0, 0})
	snapshot("a value of nil", list{1, 2, nil, 0})
	snapshot("a value that is an array", list{1, 2, list{}, 0})

	whole := func(name string, v list) { add(name, "refused", picture, v) }
	whole("snapshot cut behind the rows", list{0x21, 12, 5, 0, 0, 0, list{}})
	whole("snapshot with a negative tick", list{0x21, -1, 5, 0, 0, 0, list{}, nil, nil})
	whole("snapshot with a server_time beyond 2^53", list{0x21, 12, 1 << 53, 0, 0, 0, list{}, nil, nil})
	whole("snapshot with a lead of 17 bits", list{0x21, 12, 5, 0, 32768, 0, list{}, nil, nil})
	whole("snapshot with a lead as float", list{0x21, 12, 5, 0, 0.5, 0, list{}, nil, nil})
	whole("snapshot with flags of 9 bits", list{0x21, 12, 5, 0, 0, 256, list{}, nil, nil})
	whole("snapshot with private differences", list{0x21, 12, 5, 0, 0, 0, list{}, list{1, 5}, nil})
	whole("snapshot with a private row that is too short", list{0x21, 12, 5, 0, 0, 0, list{}, list{0, 1, 2}, nil})
	whole("snapshot with a private row that is too long", list{0x21, 12, 5, 0, 0, 0, list{}, list{0, 1, 2, 3, 4}, nil})
	whole("snapshot with a private value out of range", list{0x21, 12, 5, 0, 0, 0, list{}, list{0, 1, 2, 601}, nil})
	whole("snapshot with an empty private row", list{0x21, 12, 5, 0, 0, 0, list{}, list{}, nil})
	whole("snapshot with a private row of a number", list{0x21, 12, 5, 0, 0, 0, list{}, 0, nil})
	whole("snapshot with a negative crc", list{0x21, 12, 5, 0, 0, 0, list{}, nil, -1})
	whole("snapshot with a crc as text", list{0x21, 12, 5, 0, 0, 0, list{}, nil, "x"})
	whole("snapshot with a byte behind the end", list{rawHex("00")}) // replaced below
	out[len(out)-1].Bytes = append(pack(list{0x21, 12, 5, 0, 0, 0, list{}, nil, nil}), 0)

	delta := func(name string, removed, rows any) {
		add("delta with "+name, "refused", picture, list{0x22, 12, 10, 0, 0, 0, removed, rows, nil, nil})
	}
	delta("removed of nil", nil, list{})
	delta("rows of nil", list{}, nil)
	delta("4 billion removed", rawHex("ddffffffff01"), list{})
	delta("a removed row that is not there", list{2}, list{})
	delta("a removed row beyond the last", list{200}, list{})
	delta("a row removed twice", list{1, 0}, list{})
	delta("removed ids that run over", list{1, 1<<32 - 1}, list{})
	delta("a removed id as float", list{1.0}, list{})
	delta("a change of a row that is not there", list{}, list{2, 1, 5})
	delta("a change of a row that was removed", list{1}, list{1, 1, 5})
	delta("a new row that is there already", list{}, list{1, 0, 0, 0, 0, 0, 0, 0})
	delta("two new rows of one id", list{}, list{2, 0, 2, 0, 0, 0, 0, 2, 0, 0})
	delta("rows that fall", list{}, list{5, 1, 1, -4, 1, 1})
	delta("a mask beyond the fields", list{}, list{1, 32, 1})
	delta("a mask of 33 bits", list{}, list{1, 1 << 32, 1})
	delta("a negative mask", list{}, list{1, -1, 1})
	delta("the highest bit of a mask", list{}, list{1, 1 << 31, 1})
	delta("fewer differences than bits", list{}, list{1, 3, 1})
	delta("more differences than bits", list{}, list{1, 1, 1, 2})
	delta("a row without mask", list{}, list{1})
	delta("a new row without kind", list{}, list{2, 0})
	delta("a new row of an unknown kind", list{}, list{2, 0, 3, 0, 0})
	delta("a new row with a value too few", list{}, list{2, 0, 2, 0})
	delta("a new row with a value out of range", list{}, list{2, 0, 2, 0, -1})
	delta("a difference out of the field's range", list{}, list{1, 8, 1})
	delta("a difference of 34 bits", list{}, list{1, 1, 1 << 33})
	delta("a wrapping difference the longer way round", list{}, list{1, 4, 128})
	delta("a wrapping difference the longer way back", list{}, list{1, 4, -129})
	delta("a difference as float", list{}, list{1, 1, 1.0})
	delta("a difference of nil", list{}, list{1, 1, nil})

	whole("delta cut behind removed", list{0x22, 12, 10, 0, 0, 0, list{}})
	whole("delta to its own baseline", list{0x22, 10, 10, 0, 0, 0, list{}, list{}, nil, nil})
	whole("delta back in time", list{0x22, 9, 10, 0, 0, 0, list{}, list{}, nil, nil})
	whole("delta with private differences beyond the fields", list{0x22, 12, 10, 0, 0, 0, list{}, list{}, list{8, 1}, nil})
	whole("delta with a private difference out of range", list{0x22, 12, 10, 0, 0, 0, list{}, list{}, list{4, 598}, nil})
	whole("delta with a private difference too few", list{0x22, 12, 10, 0, 0, 0, list{}, list{}, list{3, 1}, nil})
	add("delta with private differences to none", "refused", pictureWithout, list{0x22, 12, 10, 0, 0, 0, list{}, list{}, list{1, 1}, nil})
	add("delta against an older baseline", "baseline", picture, list{0x22, 12, 8, 0, 0, 0, list{}, list{}, nil, nil})
	add("delta against a newer baseline", "baseline", picture, list{0x22, 14, 12, 0, 0, 0, list{}, list{}, nil, nil})
	add("delta before any snapshot", "baseline", nil, list{0x22, 12, 0, 0, 0, 0, list{}, list{}, nil, nil})
	return out
}
