package system_test

import (
	"fmt"
	"net"
	"net/http"
	"net/url"
	"os/exec"
	"strings"
	"testing"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// TestDescriptors runs all services with a limit of 256 open files. It opens 450 connections that send
// nothing or an unfinished request. New callers must still be served, including the calls to other services
// and to the database. With a limit of 64 open files, b2b must not start.
func TestDescriptors(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		limited := exec.Command("sh", "-c", `ulimit -n 256; exec "$0"`, binary())
		p := launch(t, append(environment(c), anyPorts...), limited)
		unfinished := []string{
			"", "GET / HTTP/1.1\r\nHost:",
			"POST /orders HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n{",
		}
		for i := range 150 {
			for _, base := range p.all {
				c, err := net.Dial("tcp", strings.TrimPrefix(base, "http://"))
				if err != nil {
					t.Fatal(err)
				}
				defer c.Close()
				fmt.Fprint(c, unfinished[i%3])
			}
		}
		// Each call has a new connection.
		client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{DisableKeepAlives: true}}
		for i := range 20 {
			const order = `{"customer_id":1,"items":[{"product_id":2,"qty":1}],"idempotency_key":"crowd-%d"}`
			url := p.orchestrator + "/orchestrator/create-and-confirm-order"
			res, err := client.Post(url, "application/json", strings.NewReader(fmt.Sprintf(order, i)))
			if err != nil {
				t.Fatalf("%v %s", err, p.log)
			}
			res.Body.Close()
			if res.StatusCode != http.StatusCreated {
				t.Errorf("order %d: %s", i, res.Status)
			}
			for _, base := range p.all {
				res, err := client.Get(base + "/ready")
				if err != nil {
					t.Fatal(err)
				}
				res.Body.Close()
				if res.StatusCode != http.StatusOK {
					t.Errorf("%s/ready: %s", base, res.Status)
				}
			}
		}
	})
	cmd := exec.Command("sh", "-c", `ulimit -n 64; exec "$0"`, binary())
	cmd.Dir, cmd.Env = t.TempDir(), append([]string{"DB_PATH=" + t.TempDir() + "/b2b.db"}, anyPorts...)
	out, _ := cmd.CombinedOutput()
	if !strings.HasPrefix(string(out), "b2b: this process may have 64 files open and needs 112") {
		t.Errorf("with 64 files: %s", out)
	}
}

// TestBindAddress connects to a service by the loopback addresses, and by an address that other machines can
// use. BIND_ADDRESS must decide which connections succeed.
func TestBindAddress(t *testing.T) {
	outside := ""
	addresses, err := net.InterfaceAddrs()
	if err != nil {
		t.Fatal(err)
	}
	for _, a := range addresses {
		if n, ok := a.(*net.IPNet); ok && n.IP.To4() != nil && !n.IP.IsLoopback() {
			outside = n.IP.String()
		}
	}
	reaches := func(t *testing.T, p *process, host string) bool {
		u, err := url.Parse(p.customers)
		if err != nil {
			t.Fatal(err)
		}
		c, err := net.Dial("tcp", net.JoinHostPort(host, u.Port()))
		if err == nil {
			c.Close()
		}
		return err == nil
	}
	l, err := net.Listen("tcp6", "[::1]:0")
	hasIPv6 := err == nil
	if hasIPv6 {
		l.Close()
	}
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		for address, open := range map[string]bool{
			"": c.Driver == db.MySQL, "localhost": false, "127.0.0.1": false, "0.0.0.0": true, "::": true,
		} {
			p := start(t, append(environment(c), "PORT=0", "BIND_ADDRESS="+address), "customers")
			if !reaches(t, p, "127.0.0.1") || outside != "" && reaches(t, p, outside) != open {
				t.Errorf("BIND_ADDRESS=%s on %s: open to other machines is not %t", address, c.Driver, open)
			}
			if hasIPv6 && address != "127.0.0.1" && !reaches(t, p, "::1") {
				t.Errorf("BIND_ADDRESS=%s on %s: not reached by ::1", address, c.Driver)
			}
			p.kill()
		}
	})
}
