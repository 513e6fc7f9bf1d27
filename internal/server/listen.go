package server

import (
	"errors"
	"net"
	"strconv"
)

// Loopback is the name of the loopback addresses, 127.0.0.1 and ::1.
const Loopback = "localhost"

// Listen listens at an IP address or at Loopback. 0.0.0.0 and :: mean all addresses of this machine, IPv4 and
// IPv6. Port 0 means a free port.
func Listen(address string, port int) ([]net.Listener, error) {
	if address == Loopback {
		return listenOnLoopback(port)
	}
	l, err := listen("tcp", address, port)
	if err != nil {
		return nil, err
	}
	return []net.Listener{l}, nil
}

// listenOnLoopback listens at 127.0.0.1 and at ::1, because some programs try ::1 first. On a machine without
// IPv6, 127.0.0.1 is the only address. Port 0 means a port free at both addresses.
func listenOnLoopback(port int) ([]net.Listener, error) {
	for {
		v4, err := listen("tcp4", "127.0.0.1", port)
		if err != nil {
			return nil, err
		}
		v6, err := listen("tcp6", "::1", v4.Addr().(*net.TCPAddr).Port)
		if err == nil {
			return []net.Listener{v4, v6}, nil
		}
		if !errors.Is(err, ErrAddressInUse) {
			return []net.Listener{v4}, nil
		}
		_ = v4.Close()
		if port != 0 {
			return nil, err
		}
	}
}

func listen(network, address string, port int) (net.Listener, error) {
	return net.Listen(network, net.JoinHostPort(address, strconv.Itoa(port)))
}
