package server_test

import (
	"errors"
	"net"
	"testing"

	"example.com/b2b/v2/internal/server"
)

// TestErrorsOfThisSystem compares the constants with the errors that the system returns.
func TestErrorsOfThisSystem(t *testing.T) {
	listeners, err := server.Listen("127.0.0.1", 0)
	if err != nil {
		t.Fatal(err)
	}
	address := listeners[0].Addr().(*net.TCPAddr)
	if _, err := server.Listen("127.0.0.1", address.Port); !errors.Is(err, server.ErrAddressInUse) {
		t.Errorf("the port is taken: %v", err)
	}
	listeners[0].Close()
	if c, err := net.Dial("tcp", address.String()); !errors.Is(err, server.ErrConnectionRefused) {
		t.Errorf("nobody listens: %v %v", c, err)
	}
}
