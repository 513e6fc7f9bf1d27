package deliver

import (
	"errors"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"syscall"

	"code.dny.dev/ssrf"
)

// azure is the address of Azure's WireServer, which serves the virtual machine that calls it. The address is
// public, so package ssrf alone would not refuse it. Package ssrf refuses the metadata services of other
// clouds, because their addresses are not public: see TestForbiddenAddresses.
var azure = netip.MustParsePrefix("168.63.129.16/32")

var guardian = ssrf.New(ssrf.WithAnyPort(), ssrf.WithDeniedV4Prefixes(azure))

// errPrivate is the error of a connection to an address that is not public.
var errPrivate = errors.New("the address is not public")

// public returns errPrivate unless the address is public. Private, loopback and link-local addresses,
// addresses that a provider's customers share, and IPv6 addresses that stand for an IPv4 address are not
// public.
func public(address netip.Addr) error {
	if guardian.SafeAddr(address.WithZone("")) != nil {
		return errPrivate
	}
	return nil
}

// onlyPublic is the Control function of a net.Dialer. The dialer calls it with the resolved address, just
// before it connects, so a name cannot change its address between check and connection.
func onlyPublic(_, address string, _ syscall.RawConn) error {
	to, err := netip.ParseAddrPort(address)
	if err != nil {
		return errPrivate
	}
	return public(to.Addr())
}

// CheckURL returns an error for a URL to which Send never sends. It does not resolve the host's name: each
// connection checks the address that the name has at that time.
func (s *Sender) CheckURL(raw string) error {
	u, err := url.Parse(raw)
	switch {
	case err != nil:
		return errors.New("must be a URL")
	case u.Scheme != "https" && (u.Scheme != "http" || s.config.OnlyHTTPS):
		return errors.New("must begin with https://")
	case u.Hostname() == "":
		return errors.New("must name a host")
	case u.User != nil:
		return errors.New("must not have a user or a password: the signature says who sends")
	case u.Fragment != "":
		return errors.New("must not have a fragment (#)")
	case !s.config.AllowPrivate && isPrivate(u.Hostname()):
		return errors.New("must be a public address")
	}
	return nil
}

// isPrivate reports whether the host is localhost, a literal address that is not public, or a number such as
// 2130706433 or 127.1, which some resolvers and proxies read as an address. No name ends in a number:
// https://url.spec.whatwg.org/#ends-in-a-number-checker.
func isPrivate(host string) bool {
	name := strings.TrimSuffix(strings.ToLower(host), ".")
	if name == "localhost" || strings.HasSuffix(name, ".localhost") {
		return true
	}
	if address, err := netip.ParseAddr(name); err == nil {
		return public(address) != nil
	}
	last := name[strings.LastIndexByte(name, '.')+1:]
	_, err := strconv.ParseUint(strings.TrimPrefix(last, "0x"), 16, 64)
	return err == nil && (strings.HasPrefix(last, "0x") || strings.Trim(last, "0123456789") == "")
}

// dialer returns the dialer of connections to endpoints. Unless c.AllowPrivate is true, it connects to public
// addresses only.
func (c Config) dialer() *net.Dialer {
	d := &net.Dialer{Timeout: connectTimeout}
	if !c.AllowPrivate {
		d.Control = onlyPublic
	}
	return d
}
