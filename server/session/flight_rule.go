//go:build !blindwrites

package session

// blindWrites is true in a build for comparisons only: see loadtest/links.
const blindWrites = false
