package server

import "syscall"

// Errors of connections. Windows does not return the values that package syscall has under the names of Unix.
const (
	ErrAddressInUse      = syscall.Errno(10048) // WSAEADDRINUSE
	ErrConnectionRefused = syscall.Errno(10061) // WSAECONNREFUSED
)
