//go:build linux

package node_test

import (
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// limitsTried is which test tries which limit: tests by folder and name, abuses (abuse_test.go) by their names behind "abuse: ".
// Abuses are tried by hundreds at once while players of other matches note how regularly their states come.
var limitsTried = []struct {
	rule  string
	tests []string
}{
	{"handshake: 5 s for the whole head, slow ones cost a small buffer", []string{"abuse: mute sockets", "abuse: heads of a byte at a time", "abuse: half heads", "server/session TestLobbyLosesPatience", "server/session TestLobbyHandshakeByteByByte"}},
	{"handshake: 8 KiB, 64 lines, a target of 2 KiB, every rule of the head", []string{"server/node TestConformanceOfTheHandshake", "abuse: heads of 1 MiB", "server/wsconn FuzzHandshake"}},
	{"handshake: bytes behind the head are kept", []string{"server/session TestLobbyKeepsWhatCameBehindTheHead", "server/node TestConformance"}},
	{"handshake: 1,000 pending, 20 of an address", []string{"server/session TestAdmission", "abuse: mute sockets, 40 of each address"}},
	{"connections: the cap, 503 before the upgrade", []string{"server/node TestAbuseBeyondTheCap", "server/session TestLobbyOverflowIsToldBeforeTheHandshake", "server/session TestLobbyRefusesOnlySoMany"}},
	{"connections: per address, 20 new ones a second, loopback exempt by flag only", []string{"server/session TestAdmission", "abuse: 4,000 connections of 20 addresses", "server/api TestLoopbackLimitCanBeSwitchedOff"}},
	{"connections: headers of trusted proxies only", []string{"server/session TestWhoIsBehindAProxy", "server/session TestLobbyBehindAProxy"}},
	{"connections: out of descriptors, neither spinning nor stopping", []string{"server/node TestAbuseOutOfDescriptors", "server/netpoll TestOutOfDescriptors", "server/netpoll TestBackoff"}},
	{"connections: hello within 5 s", []string{"abuse: no hello", "abuse: half a frame before hello"}},
	{"frames: 4 KiB and 16 fragments, told by the head", []string{"abuse: 2^62 bytes declared before hello", "abuse: 1 GiB declared in a match, and sent", "abuse: thousands of fragments", "server/node TestConformanceOfTheGamePort"}},
	{"frames: every fault has its code", []string{"server/node TestConformance", "server/wsconn TestReader", "server/wsconn TestDifferential", "server/wsconn FuzzFrames", "server/wsconn FuzzDifferential", "abuse: mutants of frames"}},
	{"frames: a begun one ends within 5 s", []string{"abuse: half a frame in a match", "abuse: a frame of a byte at a time", "abuse: fragments that do not end"}},
	{"frames: inputs at twice the tick rate, 3 s of more", []string{"abuse: inputs without end", "server/session TestRoomDropsSurplusInputsAndSaysSo"}},
	{"frames: pings 10 a second, only the newest answered", []string{"abuse: pings before hello", "abuse: pings in a match", "abuse: game pings in a match", "server/session TestLobbyPingFloodBeforeHello"}},
	{"frames: 32 KiB a second", []string{"abuse: pongs without end", "abuse: pongs without end before hello", "server/session TestLobbyByteFloodBeforeHello"}},
	{"liveness: pings, no pong for 10 s, TCP_USER_TIMEOUT", []string{"server/session TestRoomEndsConnectionsWithCodeAndReason", "server/netpoll TestAcceptedSocketsInherit"}},
	{"out: the newest snapshot wins, slow readers cost themselves", []string{"abuse: never readers", "abuse: readers of 100 bytes a second", "server/session TestFlightRule", "server/node TestSlowClientOverRealSockets"}},
	{"out: 64 events or 64 KiB unsent", []string{"server/session TestRoomEventsTooFarBehind", "game TestEventsAreLost"}},
	{"out: the close handshake within 2 s, read away for 500 ms", []string{"server/node TestCloseHandshake", "server/session TestLobbyWaitsUntilTheCloseFrameHasArrived", "server/session TestLobbyFinishesTheCloseFrame", "abuse: connects and resets", "abuse: resets in mid-message"}},
	{"messages: counts before allocation, three bad ones", []string{"abuse: msgpack bombs", "abuse: mutants of messages", "server/node TestMutantsOfEveryMessage", "protocol FuzzClientMessage", "server/session TestRoomForgivesTwoMalformedMessages"}},
	{"messages: numbers rise, 2 s of ticks ahead at most", []string{"abuse: inputs replayed, then far ahead", "game TestPushRefuses"}},
	{"messages: a panic, a hang or a glutton ends its own match", []string{"server/node TestIsolation", "server/node TestSpinningMatches", "server/node TestMatchThatEatsMemory", "server/node TestSlowTickIsNamed"}},
	{"tickets: bounded, single use, never logged, ten failures a minute", []string{"server/ticket FuzzVerify", "server/ticket TestTicketBurnsOnce", "server/ticket TestSecretsAreNotPrinted", "abuse: forged tickets of 10 addresses", "server/node TestBadTicketsBarAnAddress"}},
	{"API: 401, 405, 413, 415, 400 with the field, heads and bodies in time", []string{"server/api TestKeysOpenTheAdminPort", "server/api TestMethodsAndPaths", "server/api TestBodiesMustBeJSONAndSmall", "server/api TestBadBodiesNameTheField", "server/api FuzzBodies", "server/api TestServerHasItsLimits", "abuse: bodies of 1 MiB to the API", "abuse: heads to the API that do not end"}},
	{"API: no key, no port off loopback", []string{"server/node TestAdminKeyOffLoopback"}},
	{"TLS: 1.2 and up, http/1.1, 5 s, certificates read again", []string{"server/node TestAbuseTLS", "server/node TestCertificateIsReadAgain", "server/netpoll TestMuteTLSClients"}},
	{"drain: no new matches, notice, deadline, 1012, results", []string{"server/node TestShutdownWaitsForItsMatches", "server/node TestShutdownDeadline", "server/node TestShutdownCutShort", "server/node TestDrainedNode", "server/node TestDrainIsSpread", "server/node TestSecondSignal"}},
	{"hooks: the echo", []string{"server/node TestEcho", "server/node TestEchoRefusesWithTheRightCode"}},
}

// TestEveryLimitIsTried: the table names tests that exist, and every abuse.
func TestEveryLimitIsTried(t *testing.T) {
	tests := map[string]bool{}
	declared := regexp.MustCompile(`(?m)^func ((?:Test|Fuzz)\w+)\(`)
	root := filepath.Join("..", "..")
	for _, folder := range []string{"game", "protocol", "server/api", "server/netpoll", "server/node", "server/session", "server/ticket", "server/wsconn"} {
		files, err := filepath.Glob(filepath.Join(root, folder, "*_test.go"))
		if err != nil {
			t.Fatal(err)
		}
		for _, file := range files {
			text, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			for _, m := range declared.FindAllSubmatch(text, -1) {
				tests[folder+" "+string(m[1])] = true
			}
		}
	}
	abuses := map[string]bool{}
	for _, w := range waves() {
		for _, o := range w.offences {
			tests["abuse: "+o.name] = true
			abuses["abuse: "+o.name] = true
		}
	}
	for _, l := range limitsTried {
		for _, test := range l.tests {
			if !tests[test] {
				t.Errorf("%s: there is no %q", l.rule, test)
			}
			delete(abuses, test)
		}
		if len(l.tests) == 0 {
			t.Errorf("%s: nothing tries it", l.rule)
		}
	}
	if left := slices.Sorted(maps.Keys(abuses)); len(left) > 0 {
		t.Errorf("no limit for %s", strings.Join(left, ", "))
	}
}
