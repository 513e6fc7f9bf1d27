package system_test

import (
	"encoding/csv"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// TestRollingRestart restarts two instances of all services one after the other, behind the HAProxy of
// docs/operations.md, under load. No request may fail. HAProxy sends none of them again: retries is 0.
func TestRollingRestart(t *testing.T) {
	if testing.Short() {
		t.Skip("load")
	}
	program, err := exec.LookPath("haproxy")
	if err != nil {
		program, err = exec.LookPath("/usr/sbin/haproxy")
	}
	if err != nil && os.Getenv("CI") == "" {
		t.Skip("this machine has no haproxy")
	}
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		if err := g.Exec("UPDATE products SET stock = 1000000 WHERE id = 2").Error; err != nil {
			t.Fatal(err)
		}
		instances := make([]*process, 2)
		env := make([][]string, len(instances))
		for i := range instances {
			// The delay is a little above the interval of HAProxy's checks.
			env[i] = append(guarded(c), "DRAIN_DELAY_SECONDS=3", "LOG_LEVEL=warn")
			for variable := range servicePorts() {
				env[i] = append(env[i], variable+"="+freePort(t))
			}
			instances[i] = start(t, env[i])
		}
		b := startBalancer(t, program, instances)
		until(t, "HAProxy uses both instances", b.usesAll)
		calls := b.load(t)
		for i, p := range instances {
			answered := calls.made.Load()
			until(t, "some calls", func() bool { return calls.made.Load() >= answered+50 })
			p.cmd.Process.Signal(syscall.SIGTERM)
			if p.cmd.Wait(); p.cmd.ProcessState.ExitCode() != 0 {
				t.Errorf("exit code %d: %s", p.cmd.ProcessState.ExitCode(), p.log)
			}
			until(t, "HAProxy has noticed", func() bool { return !b.usesAll() })
			start(t, env[i])
			until(t, "HAProxy uses both instances again", b.usesAll)
		}
		made, failed := calls.stop()
		if len(failed) > 0 {
			t.Errorf("%d of %d calls failed: %s", len(failed), made, strings.Join(failed[:min(5, len(failed))], "\n"))
		}
		t.Logf("%d calls", made)
	})
}

// balancer is a running HAProxy in front of instances of all services.
type balancer struct {
	services map[string]string // addresses by name
	stats    string            // address of the statistics
}

// startBalancer runs HAProxy with the configuration of docs/operations.md for each service.
func startBalancer(t *testing.T, program string, instances []*process) balancer {
	t.Helper()
	defaults, listen, found := strings.Cut(blocks(page(t, "docs/operations.md"), "haproxy")[0], "listen orchestrator\n")
	if !found {
		t.Fatal("the page has no listen orchestrator")
	}
	b := balancer{services: map[string]string{}, stats: "127.0.0.1:" + freePort(t)}
	text := defaults + "    retries 0\nlisten stats\n    bind " + b.stats + "\n    stats enable\n    stats uri /\n"
	for name, base := range map[string]func(*process) string{
		"customers":    func(p *process) string { return p.customers },
		"orders":       func(p *process) string { return p.orders },
		"orchestrator": func(p *process) string { return p.orchestrator },
	} {
		front := "127.0.0.1:" + freePort(t)
		b.services[name] = "http://" + front
		addresses := []string{":80", front}
		for i, p := range instances {
			at := strings.Replace(strings.TrimPrefix(base(p), "http://"), "localhost", "127.0.0.1", 1)
			addresses = append(addresses, fmt.Sprintf("10.0.0.%d:3000", i+1), at)
		}
		text += "listen " + name + "\n" + strings.NewReplacer(addresses...).Replace(listen)
	}
	file := filepath.Join(t.TempDir(), "haproxy.cfg")
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	var log strings.Builder
	cmd := exec.Command(program, "-db", "-f", file)
	cmd.Stderr = &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("%s\n%s", text, &log)
		}
	})
	return b
}

// usesAll reports whether HAProxy sends calls to all instances of all services.
func (b balancer) usesAll() bool {
	res, err := http.Get("http://" + b.stats + "/;csv")
	if err != nil {
		return false
	}
	defer res.Body.Close()
	rows, err := csv.NewReader(res.Body).ReadAll()
	if err != nil || len(rows) == 0 {
		return false
	}
	status := slices.Index(rows[0], "status")
	return !slices.ContainsFunc(rows[1:], func(row []string) bool {
		isServer := row[1] != "FRONTEND" && row[1] != "BACKEND"
		return isServer && !strings.HasPrefix(row[status], "UP")
	})
}

// calls is a load through a balancer.
type calls struct {
	made    atomic.Int64
	done    chan struct{}
	clients sync.WaitGroup
	mu      sync.Mutex
	failed  []string
}

// load makes calls to all services by eight clients, about 200 a second. Each is made once: send repeats none.
func (b balancer) load(t *testing.T) *calls {
	l := &calls{done: make(chan struct{})}
	const clients = 8
	for n := range clients {
		by := newPartner(t, fmt.Sprintf("client-%d", n), 0)
		client := &http.Client{Timeout: time.Minute, Transport: &http.Transport{}}
		l.clients.Go(func() {
			defer client.CloseIdleConnections()
			pace := time.NewTicker(40 * time.Millisecond)
			defer pace.Stop()
			for i := 0; ; i++ {
				select {
				case <-l.done:
					return
				case <-pace.C:
				}
				key := fmt.Sprintf("%d-%d", n, i)
				line := `"customer_id":1,"items":[{"product_id":2,"qty":1}]`
				method, url, body := "POST", b.services["orders"]+"/orders", "{"+line+"}"
				switch i % 4 {
				case 1:
					url = b.services["orchestrator"] + "/orchestrator/create-and-confirm-order"
					body = fmt.Sprintf(`{"idempotency_key":"o-%s",%s}`, key, line)
				case 2:
					method, url, body = "GET", b.services["orders"]+"/orders?limit=10", ""
				case 3:
					method, url, body = "GET", b.services["customers"]+"/customers/1", ""
				}
				status, answer, err := send(client, method, url, body, by.token, key)
				l.made.Add(1)
				if status != http.StatusOK && status != http.StatusCreated || err != nil {
					l.mu.Lock()
					l.failed = append(l.failed, fmt.Sprintf("%s %s: %d %v %s", method, url, status, err, answer))
					l.mu.Unlock()
				}
			}
		})
	}
	return l
}

// stop ends the load, and returns the number of calls, and the failed ones.
func (l *calls) stop() (made int64, failed []string) {
	close(l.done)
	l.clients.Wait()
	return l.made.Load(), l.failed
}
