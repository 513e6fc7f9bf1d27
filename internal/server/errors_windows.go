package server

import "syscall"

// Errors of connections. On Windows, the constants of package syscall, such as EADDRINUSE, are not the values
// that Windows returns.
const (
	ErrAddressInUse      = syscall.Errno(10048) // WSAEADDRINUSE
	ErrConnectionRefused = syscall.Errno(10061) // WSAECONNREFUSED
)
