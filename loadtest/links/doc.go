// Command links measures how young the newest state stays on bad links, over real TCP: a real server on the one side of a
// link emulator, a client on the other, for each link and each way of sending.
//
//	LINKEM=/path/to/linkem loadtest/links/run
//
// Its resume command (loadtest/links/resume) cuts players off again and again and tells how soon they see the match again.
//
// The emulator is not part of this repository. Any program will do that takes the flags in links.go (a link's rates and
// faults, -a with the server's command at 10.99.0.1, -b with the client's) and puts a network namespace on each side.
// Both sides have this machine's clock, so an age is exact: now, less the time that the newest state stands for. Only ticks
// that the server had to drop (missed) make all later ages too old, each by a period: such a run was on a busy machine
// and says nothing. All ways of a run go side by side, so that they meet the same machine.
package main
