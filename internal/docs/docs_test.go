package docs

import "testing"

// TestForBrowser puts the host that a browser has called into the address of another service. An address with
// a dot in its host, or without a port, must stay as it is.
func TestForBrowser(t *testing.T) {
	for _, row := range []struct{ base, host, want string }{
		{"http://localhost:3001", "localhost:3000", "http://localhost:3001"},
		{"http://localhost:3001", "192.0.2.7:3000", "http://192.0.2.7:3001"},
		{"http://localhost:3001", "orders.example.com", "http://orders.example.com:3001"},
		{"http://customers-api:3001", "[::1]:3000", "http://[::1]:3001"},
		{"http://localhost:3001", "[2001:db8::1]", "http://[2001:db8::1]:3001"},
		{"https://api.example.com/orders", "localhost:3000", "https://api.example.com/orders"},
		{"http://localhost", "[::1]", "http://localhost"},
	} {
		if got := ForBrowser(row.base, row.host); got != row.want {
			t.Errorf("%s for %s is %s, not %s", row.base, row.host, got, row.want)
		}
	}
}
