//go:build !windows

package server

import "syscall"

// Errors of connections.
const (
	ErrAddressInUse      = syscall.EADDRINUSE
	ErrConnectionRefused = syscall.ECONNREFUSED
)
