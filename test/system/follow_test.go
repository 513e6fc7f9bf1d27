package system_test

import (
	"bufio"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/web/webtest"
)

// TestFollow runs b2b follow while the services are killed and started again. b2b follow must go on after the
// last event, and print each event once.
func TestFollow(t *testing.T) {
	port := freePort(t)
	env := append(slices.Clone(anyPorts), "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db"), "APP_ENV=development")
	for i, variable := range env {
		if strings.HasPrefix(variable, "EVENTS_PORT=") {
			env[i] = "EVENTS_PORT=" + port
		}
	}
	p := start(t, env)
	follow := exec.Command(binary(), "follow", "--after", "0")
	follow.Dir, follow.Env = t.TempDir(), []string{"EVENTS_PORT=" + port}
	out, err := follow.StdoutPipe()
	if err == nil {
		err = follow.Start()
	}
	if err != nil {
		t.Fatal(err)
	}
	defer follow.Wait()
	defer follow.Process.Kill()
	lines := bufio.NewScanner(out)
	next := func(want string) {
		t.Helper()
		if !lines.Scan() || !strings.HasPrefix(lines.Text(), want) {
			t.Fatalf("%q, want %s", lines.Text(), want)
		}
	}
	for _, want := range []string{"1  2024-01-10T08:00:00Z  customer.created 1  by system", "2  ", "3  "} {
		next(want)
	}
	for position := 4; position <= 18; position++ {
		next("")
	}
	p.kill()
	p = start(t, env)
	webtest.Do(t, "POST", p.orders+"/products/2/stock-adjustments", `{"delta":1,"reason":"came"}`,
		"Content-Type", "application/json")
	next("19  ")
	if !strings.Contains(lines.Text(), "stock.adjusted 2  by anonymous") {
		t.Error(lines.Text())
	}
	if out, err := execute(t, []string{"EVENTS_PORT=" + port}, "follow", "--after", "99"); err == nil ||
		!strings.Contains(err.Error(), "/query/after is 99, and must be from 0 to 19") {
		t.Errorf("%v %s", err, out)
	}
}
