package web

import (
	"net/netip"
	"strings"

	"github.com/gin-gonic/gin"
)

const forwardedFor = "X-Forwarded-For"

// readForwarded removes ports and brackets from the addresses in X-Forwarded-For. Some proxies add ports and
// brackets, with which gin would not recognize the addresses. gin decides from which proxies the header
// counts: see Limits.Proxies.
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

// withoutPort returns the address of an entry in canonical form, or the entry itself when it has no address.
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
