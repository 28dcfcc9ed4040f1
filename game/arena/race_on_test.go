//go:build race

package arena

// The detector makes a match in virtual time some ten times slower: fewer shots, and so a wider margin.
const (
	shotsEach  = 200 // of a kind of gunners
	shotsApart = 15  // points
)
