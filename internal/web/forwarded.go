package web

import (
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"
)

const forwardedFor = "X-Forwarded-For"

// readForwarded leaves nothing but addresses in X-Forwarded-For: some proxies add the port, and put IPv6
// between brackets, and gin would not take such an entry for an address. gin decides whose header counts: see
// Limits.Proxies.
func readForwarded(c *gin.Context) {
	lines := c.Request.Header[forwardedFor]
	if len(lines) == 0 {
		return
	}
	entries := strings.Split(strings.Join(lines, ","), ",")
	for i, entry := range entries {
		entries[i] = withoutPort(entry)
	}
	c.Request.Header[forwardedFor] = []string{strings.Join(entries, ",")}
}

// withoutPort returns the address of an entry in its canonical form, or the entry when it has no address.
func withoutPort(entry string) string {
	entry = strings.Trim(entry, " \t\"")
	address, err := netip.ParseAddr(strings.TrimSuffix(strings.TrimPrefix(entry, "["), "]"))
	if err != nil {
		port, err := netip.ParseAddrPort(entry)
		if err != nil {
			return entry
		}
		address = port.Addr()
	}
	return address.Unmap().WithZone("").String()
}
