// Package elsewhere is read by a test, never built.
package elsewhere

type other struct{}
