//go:build !linux

package netpoll

func systemDriver() Driver { return NewPortable() }

func epollDriver() Driver { return nil }
