// Package protocol is the wire of version 1: what a Skirmish server and its clients say to each other.
// SPEC.md is the standard; testdata/vectors.json holds its golden bytes. There is no I/O, clock, goroutine
// or log in here.
//
// Whatever is appended is trusted: an AppendX documents what its arguments must hold and does not check
// it again. Whatever is decoded is foreign: it is checked against the schema, ranges and limits, and
// refused by an error, never by a panic, and nothing is allocated on a length that a peer declared.
package protocol
