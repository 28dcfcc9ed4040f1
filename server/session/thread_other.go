//go:build !linux

package session

import "errors"

func threadID() int32         { return 0 }
func mayRaise() bool          { return false }
func lowerThread(int32) error { return errors.ErrUnsupported }
func raiseThread(int32) error { return errors.ErrUnsupported }
