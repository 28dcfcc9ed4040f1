package node_test

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"strings"
	"unicode/utf8"
)

// wsCase is one story of RFC 6455: what the client sends behind its handshake, what must come back before the end, and the
// code of the Close frame that must end it.
type wsCase struct {
	name string
	send []byte
	back []rawMessage
	code int  // 0: nothing is wrong; the client closes with 1000 afterwards and gets that back
	cut  bool // also byte by byte and in odd pieces
}

const whole = 0x80 // FIN

// conformanceCases are those of the echo with messages up to most bytes.
func conformanceCases(most int) (all []wsCase) {
	add := func(name string, send []byte, code int, back ...rawMessage) {
		all = append(all, wsCase{name, send, back, code, len(send) <= 600})
	}
	framing(add, most)
	controls(add)
	reserved(add)
	fragments(add)
	characters(add)
	closings(add)
	tooLong(add, most)
	return all
}

type adder func(name string, send []byte, code int, back ...rawMessage)

func framing(add adder, most int) {
	for _, n := range []int{0, 1, 2, 3, 4, 5, 7, 8, 31, 124, 125, 126, 127, 128, 129, 255, 256, 1000, 4095, 4096, 65534, 65535, 65536, 65537, 131072, most - 1, most} {
		text, data := strings.Repeat("*", n), string(bytes.Repeat([]byte{0xFE}, n))
		add(fmt.Sprintf("a text of %d bytes", n), rawFrame(whole|opText, text), 0, rawMessage{opText, text})
		add(fmt.Sprintf("%d bytes", n), rawFrame(whole|opBinary, data), 0, rawMessage{opBinary, data})
	}
	for _, mask := range [][4]byte{{}, {0xFF, 0xFF, 0xFF, 0xFF}, {0, 0, 0, 1}, {0x80, 0, 0, 0}} {
		add(fmt.Sprintf("mask %x", mask), rawFrameMasked(whole|opBinary, "the mask does not matter", mask), 0, rawMessage{opBinary, "the mask does not matter"})
		add(fmt.Sprintf("mask %x on an empty frame", mask), rawFrameMasked(whole|opText, "", mask), 0, rawMessage{opText, ""})
	}
	var run []byte
	var back []rawMessage
	for i := range 500 {
		m := fmt.Sprintf("message %d", i)
		run, back = append(run, rawFrame(whole|opText, m)...), append(back, rawMessage{opText, m})
	}
	add("500 messages at once", run, 0, back...)
}

func controls(add adder) {
	for _, n := range []int{0, 1, 2, 50, 124, 125} {
		p := strings.Repeat("\xFE", n)
		add(fmt.Sprintf("a ping of %d bytes", n), rawFrame(whole|opPing, p), 0, rawMessage{opPong, p})
		add(fmt.Sprintf("an unasked pong of %d bytes", n), rawFrame(whole|opPong, p), 0)
		add(fmt.Sprintf("an unasked pong of %d bytes, then a ping", n), joined(rawFrame(whole|opPong, p), rawFrame(whole|opPing, "x")), 0, rawMessage{opPong, "x"})
	}
	var run []byte
	var back []rawMessage
	for i := range 10 {
		run, back = append(run, rawFrame(whole|opPing, fmt.Sprint("ping ", i))...), append(back, rawMessage{opPong, fmt.Sprint("ping ", i)})
	}
	add("ten pings, answered in their order", run, 0, back...)
	for i := range 2000 {
		run, back = append(run, rawFrame(whole|opPing, fmt.Sprint(i))...), append(back, rawMessage{opPong, fmt.Sprint(i)})
	}
	add("2,000 pings at once", run, 0, back...)
	for _, op := range []byte{opPing, opPong, opClose} {
		add(fmt.Sprintf("control %x of 126 bytes", op), rawFrame(whole|op, strings.Repeat("x", 126)), 1002)
		add(fmt.Sprintf("control %x of 126 bytes, its head alone", op), []byte{whole | op, 0x80 | 126}, 1002)
		add(fmt.Sprintf("control %x of 64 KiB", op), rawFrame(whole|op, strings.Repeat("x", 65536)), 1002)
		add(fmt.Sprintf("control %x in a longer form of its length", op), []byte{whole | op, 0x80 | 126, 0, 5, 1, 2, 3, 4, 5, 6, 7, 8, 9}, 1002)
		add(fmt.Sprintf("control %x in fragments", op), rawFrame(op, "x"), 1002)
		add(fmt.Sprintf("control %x in fragments, and its end", op), joined(rawFrame(op, "x"), rawFrame(whole|opContinuation, "y")), 1002)
		add(fmt.Sprintf("control %x in fragments behind a message", op), joined(rawFrame(whole|opText, "before"), rawFrame(op, "")), 1002, rawMessage{opText, "before"})
	}
}

func reserved(add adder) {
	names := map[byte]string{opContinuation: "a continuation", opText: "text", opBinary: "binary", opClose: "close", opPing: "ping", opPong: "pong"}
	for bits := byte(1); bits < 8; bits++ {
		for _, op := range []byte{opContinuation, opText, opBinary, opClose, opPing, opPong} {
			first := whole | bits<<4 | op
			add(fmt.Sprintf("reserved bits %03b on %s", bits, names[op]), rawFrame(first, ""), 1002)
			add(fmt.Sprintf("reserved bits %03b on %s with a payload", bits, names[op]), rawFrame(first, "payload"), 1002)
			add(fmt.Sprintf("reserved bits %03b on %s between messages", bits, names[op]),
				joined(rawFrame(whole|opText, "before"), rawFrame(first, "x"), rawFrame(whole|opText, "after"), rawFrame(whole|opPing, "")), 1002, rawMessage{opText, "before"})
		}
		add(fmt.Sprintf("reserved bits %03b inside a fragmented message", bits), joined(rawFrame(opText, "x"), rawFrame(whole|bits<<4|opContinuation, "y")), 1002)
	}
	for _, op := range []byte{3, 4, 5, 6, 7, 11, 12, 13, 14, 15} {
		add(fmt.Sprintf("opcode %d", op), rawFrame(whole|op, ""), 1002)
		add(fmt.Sprintf("opcode %d, its head alone", op), rawFrame(whole|op, "")[:2], 1002)
		add(fmt.Sprintf("opcode %d with a payload", op), rawFrame(whole|op, "payload"), 1002)
		add(fmt.Sprintf("opcode %d in fragments", op), rawFrame(op, "payload"), 1002)
		add(fmt.Sprintf("opcode %d between messages", op), joined(rawFrame(whole|opText, "before"), rawFrame(whole|op, ""), rawFrame(whole|opText, "after")), 1002, rawMessage{opText, "before"})
		add(fmt.Sprintf("opcode %d inside a fragmented message", op), joined(rawFrame(opText, "x"), rawFrame(whole|op, "y")), 1002)
	}
	for _, op := range []byte{opContinuation, opText, opBinary, opClose, opPing, opPong} {
		add("no mask on "+names[op], []byte{whole | op, 0}, 1002)
		add("no mask on "+names[op]+" with a payload", []byte{whole | op, 3, 'a', 'b', 'c'}, 1002)
		add("no mask on "+names[op]+" between messages", joined(rawFrame(whole|opBinary, "before"), []byte{whole | op, 0}, rawFrame(whole|opBinary, "after")), 1002, rawMessage{opBinary, "before"})
	}
	for _, n := range []uint64{0, 1, 125, 126, 1000, 65535} {
		if n < 126 {
			add(fmt.Sprintf("%d bytes in the form of 16 bits", n), append([]byte{whole | opBinary, 0x80 | 126, byte(n >> 8), byte(n)}, make([]byte, 4+n)...), 1002)
		}
		add(fmt.Sprintf("%d bytes in the form of 64 bits", n), append(binary.BigEndian.AppendUint64([]byte{whole | opBinary, 0x80 | 127}, n), make([]byte, 4+n)...), 1002)
		add(fmt.Sprintf("%d bytes in the form of 64 bits, head alone", n), binary.BigEndian.AppendUint64([]byte{whole | opText, 0x80 | 127}, n), 1002)
	}
	for _, n := range []uint64{1 << 63, 1<<63 | 5, 1<<64 - 1} {
		add(fmt.Sprintf("a length of %x", n), binary.BigEndian.AppendUint64([]byte{whole | opBinary, 0x80 | 127}, n), 1002)
	}
}

func fragments(add adder) {
	for _, op := range []byte{opText, opBinary} {
		kind := map[byte]string{opText: "text", opBinary: "binary"}[op]
		back := func(p string) rawMessage { return rawMessage{op, p} }
		add(kind+" in two fragments", joined(rawFrame(op, "frag"), rawFrame(whole|opContinuation, "ment")), 0, back("fragment"))
		add(kind+" in three empty fragments", joined(rawFrame(op, ""), rawFrame(opContinuation, ""), rawFrame(whole|opContinuation, "")), 0, back(""))
		add(kind+" in the middle of empty fragments", joined(rawFrame(op, ""), rawFrame(opContinuation, "middle"), rawFrame(whole|opContinuation, "")), 0, back("middle"))
		add(kind+" with a ping between", joined(rawFrame(op, "a"), rawFrame(whole|opPing, "p"), rawFrame(whole|opContinuation, "b")), 0, rawMessage{opPong, "p"}, back("ab"))
		add(kind+" with a pong between", joined(rawFrame(op, "a"), rawFrame(whole|opPong, "p"), rawFrame(whole|opContinuation, "b")), 0, back("ab"))
		add(kind+" with a ping behind every fragment", joined(rawFrame(op, "1"), rawFrame(whole|opPing, "x"), rawFrame(opContinuation, "2"), rawFrame(whole|opPing, "y"), rawFrame(opContinuation, "3"),
			rawFrame(whole|opPing, "z"), rawFrame(whole|opContinuation, "4")), 0, rawMessage{opPong, "x"}, rawMessage{opPong, "y"}, rawMessage{opPong, "z"}, back("1234"))
		add(kind+" twice in fragments", joined(rawFrame(op, "a"), rawFrame(whole|opContinuation, "b"), rawFrame(op, "c"), rawFrame(whole|opContinuation, "d")), 0, back("ab"), back("cd"))
		for _, n := range []int{16, 17, 64, 1000, 8192} {
			run := rawFrame(op, "")
			for i := range n {
				run = append(run, rawFrame(opContinuation, string(rune('a'+i%26)))...)
			}
			run = append(run, rawFrame(whole|opContinuation, "")...)
			var want strings.Builder
			for i := range n {
				want.WriteByte(byte('a' + i%26))
			}
			add(fmt.Sprintf("%s in %d fragments", kind, n), run, 0, back(want.String()))
		}
		for _, size := range []int{64, 256, 1024, 4096, 16384} {
			payload := strings.Repeat("0123456789abcdef", 64<<10/16)
			var run []byte
			for i := 0; i < len(payload); i += size {
				first := byte(opContinuation)
				if i == 0 {
					first = op
				}
				if i+size == len(payload) {
					first |= whole
				}
				run = append(run, rawFrame(first, payload[i:i+size])...)
			}
			add(fmt.Sprintf("64 KiB of %s in fragments of %d bytes", kind, size), run, 0, back(payload))
		}
		add(kind+" begun inside "+kind, joined(rawFrame(op, "a"), rawFrame(op, "b")), 1002)
		add(kind+", whole, inside "+kind, joined(rawFrame(op, "a"), rawFrame(whole|op, "b")), 1002)
		add(kind+" begun inside the other kind", joined(rawFrame(opText+opBinary-op, "a"), rawFrame(op, "b")), 1002)
		add(kind+", then a continuation too many", joined(rawFrame(whole|op, "a"), rawFrame(whole|opContinuation, "b")), 1002, back("a"))
		add(kind+" in fragments, then a continuation too many", joined(rawFrame(op, "a"), rawFrame(whole|opContinuation, "b"), rawFrame(opContinuation, "c")), 1002, back("ab"))
	}
	for _, first := range []byte{opContinuation, whole | opContinuation} {
		for _, p := range []string{"", "stray"} {
			add(fmt.Sprintf("a stray continuation %x %q", first, p), rawFrame(first, p), 1002)
			add(fmt.Sprintf("a stray continuation %x %q before a message", first, p), joined(rawFrame(first, p), rawFrame(whole|opText, "after")), 1002)
			add(fmt.Sprintf("a stray continuation %x %q behind a ping", first, p), joined(rawFrame(whole|opPing, "p"), rawFrame(first, p)), 1002, rawMessage{opPong, "p"})
		}
	}
}

// goodText and badText: RFC 3629. Each bad one is bad from its last byte on at the latest.
var (
	goodText = []string{"κόσμε", "\u00e9", "\x00", "\x7f", "\u0080", "\u07ff", "\u0800", "\ud7ff", "\ue000", "\ufffd", "\ufffe", "\uffff", "\U00010000", "\U0001fffe", "\U0010fffd", "\U0010ffff",
		"Hello-µ@ßöäüàá-UTF-8!!", "😀😀😀", "日本語", "\ufeffmark", "a\u0301"}
	badText = []string{"\x80", "\xbf", "\x80\xbf\x80", "\xc0\x80", "\xc0\xaf", "\xc1\xbf", "\xc3\x28", "\xe0\x80\x80", "\xe0\x80\xaf", "\xe0\x9f\xbf", "\xed\xa0\x80", "\xed\xaf\xbf", "\xed\xb0\x80", "\xed\xbf\xbf",
		"\xf0\x80\x80\x80", "\xf0\x8f\xbf\xbf", "\xf4\x90\x80\x80", "\xf5\x80\x80\x80", "\xf8\x88\x80\x80\x80", "\xfc\x84\x80\x80\x80\x80", "\xfe", "\xff", "\xfe\xfe\xff\xff", "\xe2\x28\xa1", "\xf0\x28\x8c\xbc", "\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5\xed\xa0\x80edited"}
	cutText = []string{"\xc3", "\xe2\x82", "\xf0\x9f\x98", "\xf4\x8f", "\xce\xba\xe1\xbd"}
)

func characters(add adder) {
	for _, s := range goodText {
		add(fmt.Sprintf("text %+q", s), rawFrame(whole|opText, s), 0, rawMessage{opText, s})
		run := rawFrame(opText, "")
		for i := range len(s) {
			run = append(run, rawFrame(opContinuation, s[i:i+1])...)
		}
		add(fmt.Sprintf("text %+q, a fragment each byte", s), append(run, rawFrame(whole|opContinuation, "")...), 0, rawMessage{opText, s})
	}
	for _, s := range goodText {
		for i := 1; i < len(s); i++ {
			add(fmt.Sprintf("text %+q cut at %d, a ping between", s, i), joined(rawFrame(opText, s[:i]), rawFrame(whole|opPing, "p"), rawFrame(whole|opContinuation, s[i:])), 0, rawMessage{opPong, "p"}, rawMessage{opText, s})
		}
	}
	for _, s := range badText {
		add(fmt.Sprintf("no text %x", s), rawFrame(whole|opText, s), 1007)
		add(fmt.Sprintf("no text %x behind good text", s), rawFrame(whole|opText, "good "+s), 1007)
		add(fmt.Sprintf("no text %x, told while the frame goes on", s), rawFrame(whole|opText, s+strings.Repeat("x", 100))[:6+len(s)], 1007)
		add(fmt.Sprintf("no text %x, told while the message goes on", s), joined(rawFrame(opText, "good"), rawFrame(opContinuation, s)), 1007)
		add(fmt.Sprintf("no text %x, told before a ping is complete", s), joined(rawFrame(opText, s), rawFrame(whole|opPing, "x")[:3]), 1007)
		run := rawFrame(opText, "")
		for i := range len(s) {
			run = append(run, rawFrame(opContinuation, s[i:i+1])...)
		}
		add(fmt.Sprintf("no text %x, a fragment each byte", s), run, 1007)
		for i := 1; i < len(s); i++ { // 8.1: at every place where a character can be cut
			add(fmt.Sprintf("no text %x, cut at %d", s, i), joined(rawFrame(opText, "κ"+s[:i]), rawFrame(opContinuation, s[i:]+"κ")), 1007)
			add(fmt.Sprintf("no text %x, cut at %d, a ping between", s, i), joined(rawFrame(opText, s[:i]), rawFrame(whole|opPing, ""), rawFrame(whole|opContinuation, s[i:])), 1007, pongUnless(hopeless(s[:i]))...)
		}
		add(fmt.Sprintf("%x as binary", s), rawFrame(whole|opBinary, s), 0, rawMessage{opBinary, s})
		add(fmt.Sprintf("close reason %x", s), rawClose(1000, s), 1007)
	}
	for _, s := range cutText {
		add(fmt.Sprintf("text ends within %x", s), rawFrame(whole|opText, s), 1007)
		add(fmt.Sprintf("text ends within %x in the last fragment", s), joined(rawFrame(opText, "a"), rawFrame(whole|opContinuation, s)), 1007)
		add(fmt.Sprintf("text ends within %x before an empty last fragment", s), joined(rawFrame(opText, s), rawFrame(whole|opContinuation, "")), 1007)
	}
}

// hopeless tells whether no bytes behind s can make it a text: then it is told before anything else is answered.
func hopeless(s string) bool {
	for len(s) > 0 && utf8.FullRuneInString(s) {
		r, n := utf8.DecodeRuneInString(s)
		if r == utf8.RuneError && n == 1 {
			return true
		}
		s = s[n:]
	}
	return false
}

// pongUnless is the answer to an empty ping, or none.
func pongUnless(over bool) []rawMessage {
	if over {
		return nil
	}
	return []rawMessage{{opPong, ""}}
}

func closings(add adder) {
	add("close without a code", rawFrame(whole|opClose, ""), 1005)
	for _, code := range []uint16{1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 1012, 1013, 1014, 3000, 3999, 4000, 4001, 4400, 4999} {
		add(fmt.Sprintf("close %d", code), rawClose(code, ""), int(code))
		add(fmt.Sprintf("close %d with a reason", code), rawClose(code, "good-bye, ça va"), int(code))
	}
	for _, code := range []uint16{0, 1, 500, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999, 5000, 40000, 65535} {
		add(fmt.Sprintf("close %d", code), rawClose(code, ""), 1002)
		add(fmt.Sprintf("close %d with a reason", code), rawClose(code, "reason"), 1002)
	}
	add("close of one byte", rawFrame(whole|opClose, "\x03"), 1002)
	add("close with the longest reason", rawClose(1000, strings.Repeat("x", 123)), 1000)
	add("close with a reason too long", rawClose(1000, strings.Repeat("x", 124)), 1002)
	add("close with a reason of many bytes a character", rawClose(1000, strings.Repeat("日", 41)), 1000)
	add("close twice", joined(rawClose(1000, ""), rawClose(1001, "")), 1000)
	add("a ping behind close", joined(rawClose(1000, ""), rawFrame(whole|opPing, "x")), 1000)
	add("text behind close", joined(rawClose(1000, ""), rawFrame(whole|opText, "x")), 1000)
	add("no frame behind close", joined(rawClose(1000, ""), []byte{0xFF, 0xFF, 0xFF}), 1000)
	add("64 KiB behind close", joined(rawClose(1000, ""), rawFrame(whole|opBinary, strings.Repeat("x", 65536))), 1000)
	add("4 MiB behind close", joined(rawClose(1000, ""), make([]byte, 4<<20)), 1000)
	add("4 MiB behind a fault", joined(rawFrame(0xFF, ""), make([]byte, 4<<20)), 1002)
	add("close behind a fault, as both close at once", joined(rawFrame(0xFF, ""), rawClose(1000, "")), 1002)
	add("close without a code, twice", joined(rawFrame(whole|opClose, ""), rawFrame(whole|opClose, "")), 1005)
	add("a fault in the reason, then close", joined(rawClose(1000, "\xff"), rawClose(1000, "")), 1007)
	add("a ping, a pong and close inside a fragmented message", joined(rawFrame(opText, "x"), rawFrame(whole|opPing, "1"), rawFrame(whole|opPong, ""), rawClose(1001, "")), 1001, rawMessage{opPong, "1"})
	add("close inside a fragmented message", joined(rawFrame(opText, "x"), rawClose(1000, "")), 1000)
	add("text, close", joined(rawFrame(whole|opText, "x"), rawClose(4321, "")), 4321, rawMessage{opText, "x"})
	add("ping, close", joined(rawFrame(whole|opPing, "x"), rawClose(1001, "")), 1001, rawMessage{opPong, "x"})
	var run []byte
	var back []rawMessage
	for i := range 64 {
		p := strings.Repeat(string(rune('a'+i%26)), 64<<10)
		run, back = append(run, rawFrame(whole|opBinary, p)...), append(back, rawMessage{opBinary, p})
	}
	add("close with 4 MiB in flight", joined(run, rawClose(1000, "")), 1000, back...)
	add("a fault with 4 MiB in flight", joined(run, []byte{0x83, 0x80}), 1002, back...)
}

func tooLong(add adder, most int) {
	for _, n := range []uint64{uint64(most) + 1, 1 << 31, 1 << 32, 1 << 40, 1 << 62, 1<<63 - 1} {
		add(fmt.Sprintf("a length of %d, its head alone", n), rawLength(whole|opBinary, n), 1009)
		add(fmt.Sprintf("a length of %d, with the mask", n), append(rawLength(whole|opText, n), 1, 2, 3, 4), 1009)
		add(fmt.Sprintf("a length of %d, begun", n), append(rawLength(opBinary, n), make([]byte, 70000)...), 1009)
		add(fmt.Sprintf("a continuation of %d", n), joined(rawFrame(opBinary, "x"), rawLength(whole|opContinuation, n)), 1009)
	}
	half := strings.Repeat("x", most/2)
	add("too long together", joined(rawFrame(opBinary, half), rawFrame(opContinuation, half), rawLength(opContinuation, 1)), 1009)
	add("as long together as allowed", joined(rawFrame(opBinary, half), rawFrame(whole|opContinuation, half)), 0, rawMessage{opBinary, half + half})
	add("too long behind a message", joined(rawFrame(whole|opText, "before"), rawLength(whole|opText, uint64(most)+1)), 1009, rawMessage{opText, "before"})
}
