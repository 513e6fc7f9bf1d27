package system_test

import (
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/openapi/orchestratorapi"
)

// TestRollingRestart restarts two instances of all services, first one and then the other, under load. No
// request may fail. HAProxy repeats no request: retries is 0.
func TestRollingRestart(t *testing.T) {
	haproxy := needHAProxy(t)
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		replaceInstances(t, c, haproxy, "retries 0", binary(), binary())
	})
}

// TestUpgrade replaces two instances of the last release by this version, under load. No request may fail.
// Version 2.0.0 closes its listeners at once on SIGTERM, so HAProxy sends refused requests to the other
// instance.
func TestUpgrade(t *testing.T) {
	haproxy, released := needHAProxy(t), lastRelease(t)
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		retries := "option redispatch\n    " + commandOf(t, page(t, "docs/operations.md"), "retry-on ")
		replaceInstances(t, c, haproxy, retries, released, binary())
	})
}

// needHAProxy returns the path of HAProxy, and skips the test when HAProxy is not installed.
func needHAProxy(t *testing.T) string {
	t.Helper()
	if testing.Short() {
		t.Skip("load")
	}
	for _, name := range []string{"haproxy", "/usr/sbin/haproxy"} {
		if path, err := exec.LookPath(name); err == nil {
			return path
		}
	}
	if os.Getenv("CI") == "" {
		t.Skip("this machine has no haproxy")
	}
	t.Fatal("this machine has no haproxy")
	return ""
}

// lastRelease builds b2b from the code of the last release, and returns the path of the program. It skips the
// test when the checkout does not have the commit of the release.
func lastRelease(t *testing.T) string {
	t.Helper()
	releases, err := os.ReadDir(filepath.Join(root, "openapi", "released"))
	if err != nil {
		t.Fatal(err)
	}
	version := releases[len(releases)-1].Name()
	find := exec.Command("git", "log", "-1", "--format=%H", "--grep=^Release "+regexp.QuoteMeta(version))
	find.Dir = root
	commit, err := find.Output()
	if err != nil || len(commit) == 0 {
		t.Skipf("the checkout has no commit of the release %s", version)
	}
	dir := t.TempDir()
	unpack := exec.Command("sh", "-c", `git archive "$0" | tar -x -C "$1"`, strings.TrimSpace(string(commit)), dir)
	unpack.Dir = root
	build := exec.Command("go", "build", "-o", "released", "./cmd/b2b")
	build.Dir, build.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	for _, cmd := range []*exec.Cmd{unpack, build} {
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
	}
	return filepath.Join(dir, "released")
}

// replaceInstances starts two instances of the program in the parameter before, behind HAProxy with the
// configuration of docs/operations.md. Under load, it replaces one after the other by an instance of the
// program in the parameter after. No request may fail. At the end, it repeats a call with a key, and must get
// the order that the first program has placed for the key.
func replaceInstances(t *testing.T, c db.Config, haproxy, retries, before, after string) {
	for _, command := range []string{"migrate", "seed"} {
		cmd := exec.Command(before, command)
		cmd.Dir, cmd.Env = t.TempDir(), environment(c)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	instances := make([]*process, 2)
	env := make([][]string, len(instances))
	for i := range instances {
		// With a delay of 3 s, HAProxy notices that an instance is not ready before the instance stops:
		// HAProxy checks each instance every second.
		env[i] = append(guarded(c), "DRAIN_DELAY_SECONDS=3", "LOG_LEVEL=warn")
		for variable := range servicePorts() {
			env[i] = append(env[i], variable+"="+freePort(t))
		}
		instances[i] = launch(t, env[i], exec.Command(before))
	}
	status, answer, err := send(http.DefaultClient, "POST", instances[0].orders+"/products/2/stock-adjustments",
		`{"delta":1000000,"reason":"load"}`, newPartner(t, "admin", 0).token, "")
	if status != http.StatusCreated {
		t.Fatalf("%d %v %s", status, err, answer)
	}
	order := func(base string) (id int64, sku string) {
		const body = `{"customer_id":1,"items":[{"product_id":2,"qty":3}],"idempotency_key":"before"}`
		_, answer, err := send(http.DefaultClient, "POST", base+"/orchestrator/create-and-confirm-order", body,
			newPartner(t, "admin", 0).token, "")
		var placed orchestratorapi.OrchestrationResponse
		if err := errors.Join(err, json.Unmarshal(answer, &placed)); err != nil || !placed.Success {
			t.Fatalf("%v %s", err, answer)
		}
		return placed.Data.Order.ID, placed.Data.Order.Items[0].Sku
	}
	first, _ := order(instances[0].orchestrator)
	b := startBalancer(t, haproxy, retries, instances)
	until(t, "HAProxy uses both instances", b.usesAll)
	calls := b.load(t)
	more := func() {
		for range 50 {
			<-calls.answered
		}
	}
	for i, p := range instances {
		more()
		if code := p.stop(); code != 0 {
			t.Errorf("exit code %d: %s", code, p.log)
		}
		until(t, "HAProxy has noticed", func() bool { return !b.usesAll() })
		launch(t, env[i], exec.Command(after))
		until(t, "HAProxy uses both instances again", b.usesAll)
	}
	more()
	if again, sku := order(b.services["orchestrator"]); again != first || sku == "" {
		t.Errorf("the repeated call answers with order %d and sku %q, the first with order %d", again, sku, first)
	}
	made, failed := calls.stop()
	if len(failed) > 0 {
		t.Errorf("%d of %d calls failed: %s", len(failed), made, strings.Join(failed[:min(5, len(failed))], "\n"))
	}
	if out, err := execute(t, databaseOnly(c), "doctor"); err != nil {
		t.Errorf("%v\n%s", err, out)
	}
	t.Logf("%d calls", made)
}

// balancer is a running HAProxy in front of the Customers API, the Orders API and the orchestrator of all
// instances.
type balancer struct {
	services map[string]string // addresses by name
	stats    string            // address of the statistics
}

// startBalancer runs HAProxy with the configuration of docs/operations.md for each service of balancer. The
// parameter retries has additional lines of the section defaults.
func startBalancer(t *testing.T, haproxy, retries string, instances []*process) balancer {
	t.Helper()
	example := blocks(page(t, "docs/operations.md"), "haproxy")[0]
	defaults, listen, found := strings.Cut(example, "listen orchestrator\n")
	if !found {
		t.Fatal("the page has no listen orchestrator")
	}
	b := balancer{services: map[string]string{}, stats: "127.0.0.1:" + freePort(t)}
	const stats = "%s    %s\nlisten stats\n    bind %s\n    stats enable\n    stats uri /\n"
	text := fmt.Sprintf(stats, defaults, retries, b.stats)
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
	cmd := exec.Command(haproxy, "-db", "-f", file)
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

// usesAll reports whether HAProxy sends calls to every service of every instance.
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

// calls counts the calls that clients send through a balancer, and keeps the failures.
type calls struct {
	// answered gets an element for each call that has ended, but only while the test waits for it
	answered, done chan struct{}
	clients        sync.WaitGroup
	mu             sync.Mutex
	made           int
	failed         []string
}

// load makes calls to the Customers API, the Orders API and the orchestrator by eight clients, about 200
// calls a second. No client repeats a call.
func (b balancer) load(t *testing.T) *calls {
	l := &calls{answered: make(chan struct{}), done: make(chan struct{})}
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
				l.mu.Lock()
				l.made++
				if status != http.StatusOK && status != http.StatusCreated || err != nil {
					l.failed = append(l.failed, fmt.Sprintf("%s %s: %d %v %s", method, url, status, err, answer))
				}
				l.mu.Unlock()
				select {
				case l.answered <- struct{}{}:
				default:
				}
			}
		})
	}
	return l
}

// stop ends the load, and returns the number of calls, and the failed calls.
func (l *calls) stop() (made int, failed []string) {
	close(l.done)
	l.clients.Wait()
	return l.made, l.failed
}
