package protocol_test

import (
	"bytes"
	"fmt"
	"hash/crc32"
	"slices"

	"github.com/vmihailenco/msgpack/v5"

	. "skirmish/protocol"
)

// raw is bytes that stand in a message as they are.
type raw string

func rawHex(s string) raw { return raw(unhex(s)) }

// pack writes a message by the library: list, int, string, []byte, nil, bool, floats, raw.
func pack(v any) []byte {
	var out bytes.Buffer
	e := msgpack.NewEncoder(&out)
	e.UseCompactInts(true)
	packTo(&out, e, v)
	return out.Bytes()
}

type list = []any

func packTo(out *bytes.Buffer, e *msgpack.Encoder, v any) {
	var err error
	switch v := v.(type) {
	case list:
		err = e.EncodeArrayLen(len(v))
		for _, x := range v {
			packTo(out, e, x)
		}
	case int:
		err = e.EncodeInt(int64(v))
	case uint8, uint16, uint32, int8, int16, int32, int64:
		err = e.EncodeInt(num(v, -1<<63, 1<<63-1))
	case uint64:
		err = e.EncodeUint(v)
	case float32:
		err = e.EncodeFloat32(v)
	case float64:
		err = e.EncodeFloat64(v)
	case string:
		err = e.EncodeString(v)
	case []byte:
		err = e.EncodeBytes(v)
	case bool:
		err = e.EncodeBool(v)
	case nil:
		err = e.EncodeNil()
	case raw:
		out.WriteString(string(v))
	default:
		panic(fmt.Sprintf("pack: %T", v))
	}
	if err != nil {
		panic(err)
	}
}

// nested is n arrays in each other around a 0.
func nested(n int) raw { return raw(append(slices.Repeat([]byte{0x91}, n), 0)) }

func text(n int) string { return string(slices.Repeat([]byte{'x'}, n)) }

var (
	none      = []byte{}
	mapOfNone = rawHex("80")
	mapOfOne  = rawHex("81a16100")
	ext       = rawHex("d40100")   // fixext 1
	stamp     = rawHex("d6ff6565") // half of a timestamp
	nan       = rawHex("cb7ff8000000000000")
	zeroPlan  = list{list{}, list{"input", list{}}, nil, list{}}
	goodField = list{"x", 0, -5, 5, 1, 0, false}
	someInput = list{1, 2, 3, 4}
	someLimit = list{4096, 32, 120, 120}
	someMatch = list{"m", "g", "1"}
)

// long are messages with elements of a later version in every array that may grow.
var long = []struct {
	name     string
	plan     string
	elements list
}{
	{"hello with elements of a later version", "", list{1, 1, list{"rt1.a.b.c", 5, nil, "x"}, "js/2", 3, nil, true, -7, uint64(1<<64 - 1), "later", []byte{1}}},
	{"hello with a ticket and more", "", list{1, 1, "mt1.a.b.c", "js/2", 0, "later"}},
	{"input with elements of a later version", "duel", list{2, list{10, 20, 30, "x"}, 4, list{list{1, 2, 3, 4}}, "later", nil}},
	{"input with a view of nil", "duel", list{2, nil, 4, list{list{1, 2, 3, 4}}}},
	{"input with a view of zeros", "duel", list{2, list{0, 0}, 4, list{list{1, 2, 3, 4}}}},
	{"ping with elements of a later version", "", list{3, 1, 2, []byte{1, 2}, false, true, nil}},
	{"hello of exactly 2,048 bytes", "", list{1, 1, "mt1.a", "sdk", 0, text(2031)}},
	{"request with elements of a later version", "", list{4, 1, 2, []byte{1, 2}, rawHex("a2ffff")}},
	{"keyframe with elements of a later version", "", list{5, 1, 2, -1}},
	{"bye with elements of a later version", "", list{6, 1, "sorry"}},
	{"welcome with elements of a later version in every array", "", longWelcome()},
	{"event with elements of a later version", "duel", list{0x23, 5, 6, 1, list{7, "hi"}, list{1, list{2, list{}}}, nil}},
	{"roster with elements of a later version", "", list{0x24, 1, list{list{1, "p", "n", 0, 1, 0, nil, list{list{}, 5}}, list{2, "q", "m", 0, 1, 0}}, "x"}},
	{"pong with elements of a later version", "", list{0x25, 1, 2, 3, 4, uint64(1<<64 - 1), -5}},
	{"reply with elements of a later version", "", list{0x26, 1, 2, none, none}},
	{"notice with elements of a later version", "", list{0x27, 3, 2, nil, nil, true}},
	{"result with elements of a later version", "", list{0x28, "finished", []byte("{}"), nested(300)}},
	{"error with elements of a later version", "", list{0x29, 4400, "m", true, 0, "x"}},
}

func longWelcome() list {
	more := list{nil, list{1, "x"}}
	with := func(l list) list { return append(slices.Clone(l), more...) }
	field := with(list{"x", 0, -5, 5, 1, 1, true})
	plan := with(list{list{with(list{"thing", list{field, field}})}, with(list{"input", list{field}}), with(list{"self", list{}}),
		list{with(list{"say", list{with(list{"text", 2, 0, 9, 1, 0, false})}})}})
	w := welcomeWith(13, plan)
	w[11], w[15] = with(w[11].(list)), with(w[15].(list))
	return with(w)
}

// welcomeWith is a welcome with element i replaced. A new plan gets its hash.
func welcomeWith(i int, v any) list {
	w := list{0x20, 1, 1, "p", 0, 60, 30, 5, 6, "rt1.x", 30000, someLimit, 25, zeroPlan, 0, someMatch, 9}
	w[i] = v
	if i != 14 {
		w[14] = int(crc32.ChecksumIEEE(pack(w[13])))
	}
	return w
}

func welcomeKinds(kinds any) list {
	return welcomeWith(13, list{kinds, list{"input", list{}}, nil, list{}})
}

func welcomeField(field any) list { return welcomeKinds(list{list{"thing", list{field}}}) }

func welcomeEvent(field any) list {
	return welcomeWith(13, list{list{}, list{"input", list{}}, nil, list{list{"say", list{field}}}})
}

// hostile are the messages that no end may take.
func hostile() []goldenHostile {
	var out []goldenHostile
	client := func(name, plan string, code CloseCode, v any) {
		out = append(out, goldenHostile{Name: name, Direction: "client", Plan: plan, Bytes: pack(v), Close: code})
	}
	bad := func(name string, v any) { client(name, "duel", CloseBadMessage, v) }

	// The envelope.
	bad("nothing", raw(""))
	bad("an array head cut", rawHex("dc00"))
	bad("an array of nothing", list{})
	bad("a map instead of an array", rawHex("8301010202"))
	bad("nil instead of an array", nil)
	bad("a number instead of an array", 1)
	bad("an extension instead of an array", ext)
	bad("an array of 4 billion elements", rawHex("ddffffffff03"))
	bad("an array of more elements than bytes", rawHex("dc100003010203"))
	bad("one element fewer than the head says", rawHex("940301"))
	bad("a type of nil", list{nil, 1, 2})
	bad("a type as text", list{"3", 1, 2})
	bad("a type as float", list{3.0, 1, 2})
	bad("a negative type", list{-1, 1, 2})
	bad("type 0", list{0, 1, 2})
	bad("an unknown type", list{7, 1, 2})
	bad("type 256+3", list{259, 1, 2})
	bad("a message of the server", list{0x20, 1, 2})
	bad("1,000 arrays in each other", nested(1000))
	bad("4,000 arrays in each other behind a ping", list{3, 1, 2, nested(4000)})
	bad("bytes behind the end", raw(pack(list{3, 1, 2}))+"\x00")
	bad("two messages in one", raw(pack(list{3, 1, 2}))+raw(pack(list{3, 2, 2})))
	bad("an array behind the known elements", list{3, 1, 2, list{}})
	bad("a map behind the known elements", list{3, 1, 2, mapOfNone})
	bad("an extension behind the known elements", list{3, 1, 2, ext})
	bad("a float behind the known elements", list{3, 1, 2, 1.5})
	bad("the unused code c1 behind the known elements", list{3, 1, 2, rawHex("c1")})
	bad("text behind the known elements that is cut", list{3, 1, 2, rawHex("a5616263")})
	bad("a number behind the known elements that is cut", list{3, 1, 2, rawHex("cf0000")})
	bad("a binary of 4 billion bytes behind the known elements", list{3, 1, 2, rawHex("c6ffffffff00")})
	client("a message over 4,096 bytes", "duel", CloseTooBig, list{4, 1, 2, slices.Repeat([]byte{0}, 4090)})
	client("1 MiB of arrays in each other", "duel", CloseTooBig, nested(5000))

	// Hello.
	client("hello over 2,048 bytes", "", CloseTooBig, list{1, 1, "mt1.a", "sdk", 0, text(2048)})
	client("hello of 2,049 bytes", "", CloseTooBig, list{1, 1, "mt1.a", "sdk", 0, text(2032)})
	client("hello of version 0", "", CloseVersion, list{1, 0, "mt1.a", "sdk", 0})
	client("hello of version 2, which looks different", "", CloseVersion, list{1, 2, mapOfOne})
	bad("hello without anything", list{1})
	bad("hello with the version alone", list{1, 1})
	bad("hello without capabilities", list{1, 1, "mt1.a", "sdk"})
	bad("hello with a version of nil", list{1, nil, "mt1.a", "sdk", 0})
	bad("hello with a version as text", list{1, "1", "mt1.a", "sdk", 0})
	bad("hello with a version as float", list{1, 1.0, "mt1.a", "sdk", 0})
	bad("hello with a negative version", list{1, -1, "mt1.a", "sdk", 0})
	bad("hello with a version of 33 bits", list{1, 1 << 32, "mt1.a", "sdk", 0})
	bad("hello with a token of nil", list{1, 1, nil, "sdk", 0})
	bad("hello with an empty token", list{1, 1, "", "sdk", 0})
	bad("hello with a token as bin", list{1, 1, []byte("mt1.a"), "sdk", 0})
	bad("hello with a token that is not UTF-8", list{1, 1, rawHex("a3ff8000"), "sdk", 0})
	bad("hello with a token of 1,025 bytes", list{1, 1, text(1025), "sdk", 0})
	bad("hello with a token of 4 billion bytes", list{1, 1, rawHex("dbffffffff78"), "sdk", 0})
	bad("hello with a token whose length is cut", rawHex("950101da01"))
	bad("hello with a resume of nothing", list{1, 1, list{}, "sdk", 0})
	bad("hello with a resume of the token alone", list{1, 1, list{"rt1.a"}, "sdk", 0})
	bad("hello with an empty resume token", list{1, 1, list{"", 5}, "sdk", 0})
	bad("hello with a negative event number", list{1, 1, list{"rt1.a", -1}, "sdk", 0})
	bad("hello with an array in the resume", list{1, 1, list{"rt1.a", 5, list{}}, "sdk", 0})
	bad("hello with a resume as a map", list{1, 1, mapOfOne, "sdk", 0})
	bad("hello with an sdk of 65 bytes", list{1, 1, "mt1.a", text(65), 0})
	bad("hello with an sdk of nil", list{1, 1, "mt1.a", nil, 0})
	bad("hello with negative capabilities", list{1, 1, "mt1.a", "sdk", -1})
	bad("hello with capabilities beyond 2^53", list{1, 1, "mt1.a", "sdk", 1 << 53})

	// Input, of a game with four fields: ax, ay −127 … 127, aim 0 … 65535, buttons 0 … 255.
	input := func(name string, inputs ...any) { bad("input with "+name, list{2, nil, 1, list(inputs)}) }
	bad("input without inputs", list{2, nil, 1})
	bad("input with inputs of nil", list{2, nil, 1, nil})
	bad("input with inputs as bin", list{2, nil, 1, []byte{1, 2, 3, 4}})
	bad("input with inputs as a map", list{2, nil, 1, mapOfNone})
	input("an empty list of inputs")
	input("33 inputs", slices.Repeat(list{someInput}, 33)...)
	input("an input of nil", nil)
	input("an input of a number", 5)
	input("an input of three fields", list{1, 2, 3})
	input("an input of five fields", list{1, 2, 3, 4, 5})
	bad("input with an input that claims five fields and has four", rawHex("9402c001919501020304"))
	bad("input that claims two inputs and has one", rawHex("9402c001929401020304"))
	input("a second input of three fields", someInput, list{1, 2, 3})
	input("a field of nil", list{nil, 2, 3, 4})
	input("a field of true", list{true, 2, 3, 4})
	input("a field as text", list{"1", 2, 3, 4})
	input("a field as float64", list{1.0, 2, 3, 4})
	input("a field as float32", list{float32(1), 2, 3, 4})
	input("a field of NaN", list{nan, 2, 3, 4})
	input("a field as an array", list{list{1}, 2, 3, 4})
	input("a field as an extension", list{ext, 2, 3, 4})
	input("a field over its range", list{128, 2, 3, 4})
	input("a field below its range", list{-128, 2, 3, 4})
	input("a field below 0 where there is no sign", list{1, 2, -1, 4})
	input("a field that would fit if cut to 8 bits", list{1, 2, 3, 256})
	input("a field of 2^63", list{uint64(1 << 63), 2, 3, 4})
	input("a field of −2^63", list{rawHex("d38000000000000000"), 2, 3, 4})
	input("a field that is cut", list{1, 2, 3, rawHex("cd00")})
	bad("input with a list of 4 billion inputs", rawHex("9402c001ddffffffff9401020304"))
	bad("input with an input of 4 billion fields", rawHex("9402c00191ddffffffff01020304"))
	bad("input with first_seq 0", list{2, nil, 0, list{someInput}})
	bad("input with a negative first_seq", list{2, nil, -1, list{someInput}})
	bad("input with a first_seq of 33 bits", list{2, nil, 1 << 32, list{someInput}})
	bad("input whose numbers run over", list{2, nil, 1<<32 - 1, list{someInput, someInput}})
	bad("input with a view of a number", list{2, 7, 1, list{someInput}})
	bad("input with an empty view", list{2, list{}, 1, list{someInput}})
	bad("input with half a view", list{2, list{7}, 1, list{someInput}})
	bad("input with a negative base_tick", list{2, list{-1, 0}, 1, list{someInput}})
	bad("input with a base_tick of 33 bits", list{2, list{1 << 32, 0}, 1, list{someInput}})
	bad("input with a fraction of 256", list{2, list{7, 256}, 1, list{someInput}})
	bad("input with a fraction as float", list{2, list{7, 0.5}, 1, list{someInput}})
	bad("input with an array in the view", list{2, list{7, 0, list{}}, 1, list{someInput}})

	// The others.
	bad("ping without t0", list{3, 1})
	bad("ping with a negative id", list{3, -1, 2})
	bad("ping with an id of 33 bits", list{3, 1 << 32, 2})
	bad("ping with t0 as float", list{3, 1, 1e6})
	bad("ping with t0 beyond 2^53", list{3, 1, 1 << 53})
	bad("ping with t0 of 2^64−1", list{3, 1, uint64(1<<64 - 1)})
	bad("ping with a negative t0", list{3, 1, -1})
	bad("request without payload", list{4, 1, 2})
	bad("request with a payload of nil", list{4, 1, 2, nil})
	bad("request with a payload as text", list{4, 1, 2, "abc"})
	bad("request with a payload as an array", list{4, 1, 2, list{1}})
	bad("request with a payload of 2,049 bytes", list{4, 1, 2, slices.Repeat([]byte{1}, 2049)})
	bad("request with a payload of 4 billion bytes", rawHex("94040102c6ffffffff01"))
	bad("request with a payload that is cut", rawHex("94040102c40301 02"))
	bad("request with an op of 65,536", list{4, 1, 65536, none})
	bad("keyframe without crc", list{5, 1})
	bad("keyframe with reason 0", list{5, 0, 0})
	bad("keyframe with an unknown reason", list{5, 4, 0})
	bad("keyframe with a crc of nil", list{5, 1, nil})
	bad("keyframe with a crc of 33 bits", list{5, 1, 1 << 32})
	bad("bye without code", list{6})
	bad("bye with a negative code", list{6, -1})
	bad("bye with a code of 65,536", list{6, 65536})
	bad("bye with half a timestamp", list{6, stamp})

	return append(out, hostileServer()...)
}
