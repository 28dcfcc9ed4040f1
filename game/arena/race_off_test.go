//go:build !race

package arena

const (
	shotsEach  = 2300 // of a kind of gunners
	shotsApart = 2    // points
)
