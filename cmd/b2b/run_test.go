package main

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/db/doctor"
	"example.com/b2b/internal/config"
	"example.com/b2b/internal/web/webtest"
)

func TestRunAll(t *testing.T) {
	data := filepath.Join(t.TempDir(), "new folder", "b2b.db")
	env := append(anyPorts, "DB_PATH="+data)
	p := start(t, env)
	for _, want := range []string{p.customers + "/docs", p.orders + "/docs", p.orchestrator + "/docs", data, "Try: curl"} {
		if !strings.Contains(p.announced, want) {
			t.Errorf("the start does not show %q:\n%s", want, p.announced)
		}
	}
	for base, service := range map[string]string{p.customers: "customers-api", p.orders: "orders-api", p.orchestrator: "orchestrator"} {
		for _, path := range []string{"/health", "/ready"} {
			if status, body, _ := webtest.Do(t, "GET", base+path, ""); status != 200 || !strings.Contains(string(body), `"`+service+`"`) {
				t.Errorf("%s%s: %d %s", base, path, status, body)
			}
		}
	}
	status, body, _ := webtest.Do(t, "GET", p.orders+"/products?limit=100", "")
	if status != 200 || bytes.Count(body, []byte(`"sku"`)) != 10 {
		t.Errorf("the sample data is not there: %s", body)
	}
	webtest.Do(t, "DELETE", p.customers+"/customers/3", "")
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d after SIGTERM: %s", code, p.log)
	}
	p = start(t, env)
	if status, _, _ := webtest.Do(t, "GET", p.customers+"/customers/3", ""); status != 404 {
		t.Error("the second start loaded the sample data again")
	}
}

// TestDrain sends SIGTERM while an order is on its way through all three services.
func TestDrain(t *testing.T) {
	p := start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")))
	// A request whose body is not complete is in flight for as long as the test wants.
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.orchestrator, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"customer_id":1,"items":[{"product_id":2,"qty":3}],"idempotency_key":"drain"}`
	fmt.Fprintf(conn, "POST /orchestrator/create-and-confirm-order HTTP/1.1\r\nHost: b2b\r\nContent-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n", len(body))
	buffer := make([]byte, 1024)
	if n, err := conn.Read(buffer); err != nil || !strings.Contains(string(buffer[:n]), "100 Continue") { // the handler reads the body now
		t.Fatalf("%s %v", buffer[:n], err)
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	for { // until no new connection is taken
		c, err := net.Dial("tcp", strings.TrimPrefix(p.orchestrator, "http://"))
		if err != nil {
			break
		}
		c.Close()
	}
	io.WriteString(conn, body)
	answer, err := io.ReadAll(conn)
	if err != nil || !strings.HasPrefix(string(answer), "HTTP/1.1 201") {
		t.Errorf("the order in flight got %s, %v", answer, err)
	}
	if p.cmd.Wait(); p.cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("exit code %d: %s", p.cmd.ProcessState.ExitCode(), p.log)
	}
}

func TestRunOne(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		env := append(environment(c), "PORT=0")
		customers := start(t, env, "customers")
		orders := start(t, append(env, "CUSTOMERS_API_BASE="+customers.customers+"/"), "orders")
		orchestrator := start(t, append([]string{"PORT=0", "SERVICE_TOKEN=token-of-the-test", "CUSTOMERS_API_BASE=" + customers.customers}, "ORDERS_API_BASE="+orders.orders), "orchestrator")
		for _, step := range []struct{ method, url, body string }{
			{"POST", customers.customers + "/customers", `{"name":"A","email":"a@example.com"}`},
			{"POST", orders.orders + "/products", `{"sku":"A","name":"A","price_cents":1,"stock":1}`},
			{"POST", orchestrator.orchestrator + "/orchestrator/create-and-confirm-order", `{"customer_id":1,"items":[{"product_id":1,"qty":1}],"idempotency_key":"one"}`},
		} {
			if status, body, _ := webtest.Do(t, step.method, step.url, step.body, "Content-Type", "application/json"); status != 201 {
				t.Errorf("%s: %d %s", step.url, status, body)
			}
		}
		for _, p := range []*process{orchestrator, orders, customers} {
			if code := p.stop(); code != 0 {
				t.Errorf("exit code %d: %s", code, p.log)
			}
		}
	})
}

// TestSweep starts the system on an order that nobody confirmed in time.
func TestSweep(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		if err := g.Exec("UPDATE orders SET created_at = ? WHERE id = 2", db.Now(g, -25*time.Hour)).Error; err != nil {
			t.Fatal(err)
		}
		p := start(t, append(environment(c), anyPorts...))
		for { // until the sweep, which nobody asks for, has been there
			if _, body, _ := webtest.Do(t, "GET", p.orders+"/orders/2", ""); strings.Contains(string(body), `"cancel_reason":"reservation_expired"`) {
				break
			}
		}
		if stock := stockOf(t, g, 3); stock != 44 {
			t.Errorf("stock is %d", stock)
		}
	})
}

// TestNoSampleData starts the system on an empty MySQL, which may be somebody's production.
func TestNoSampleData(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			return
		}
		p := start(t, append(environment(c), anyPorts...))
		if status, body, _ := webtest.Do(t, "GET", p.orders+"/products", ""); status != 200 || strings.Contains(string(body), "sku") {
			t.Errorf("%d %s", status, body)
		}
	})
}

// TestMigrateOnStart leaves the schema alone when told so.
func TestMigrateOnStart(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		p := start(t, append(environment(c), "PORT=0", "MIGRATE_ON_START=false"), "orders")
		status, body, _ := webtest.Do(t, "GET", p.orders+"/ready", "")
		webtest.WantError(t, status, body, 503, "unavailable")
	})
}

func TestMigrateAndSeed(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		for _, entry := range environment(c) {
			name, value, _ := strings.Cut(entry, "=")
			t.Setenv(name, value)
		}
		for _, step := range []struct{ command, want string }{
			{"migrate", "The schema is up to date (1 new steps).\n"}, {"migrate", "The schema is up to date (0 new steps).\n"},
			{"seed", "The sample data is loaded.\n"}, {"seed", "The database has data; nothing was loaded.\n"},
		} {
			var out bytes.Buffer
			if err := run(context.Background(), []string{step.command}, &out); err != nil || out.String() != step.want {
				t.Errorf("%s: %v, %q", step.command, err, out.String())
			}
		}
	})
}

func TestDoctor(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		for _, entry := range environment(c) {
			name, value, _ := strings.Cut(entry, "=")
			t.Setenv(name, value)
		}
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		var out bytes.Buffer
		if err := run(t.Context(), []string{"doctor"}, &out); err != nil || !strings.HasPrefix(out.String(), "rule ") {
			t.Errorf("%v\n%s", err, &out)
		}
		if err := g.Exec("UPDATE products SET stock = stock + 1 WHERE id = 7").Error; err != nil {
			t.Fatal(err)
		}
		out.Reset()
		var report struct {
			Healthy bool
			Checks  []doctor.Check
		}
		err := run(t.Context(), []string{"doctor", "--json"}, &out)
		if json.Unmarshal(out.Bytes(), &report) != nil || err == nil || report.Healthy || !slices.Equal(report.Checks[0].First, []string{"7"}) {
			t.Errorf("%v\n%s", err, &out)
		}
	})
}

func TestRefusedStart(t *testing.T) {
	taken, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	port := fmt.Sprint(taken.Addr().(*net.TCPAddr).Port)
	for want, start := range map[string]struct {
		env  []string
		args []string
	}{
		`ORDERS_PORT is "abc"; allowed: a whole number from 0 to 65535`:                               {env: []string{"ORDERS_PORT=abc"}},
		`PORT is "65536"; allowed: a whole number from 0 to 65535`:                                    {env: []string{"PORT=65536"}, args: []string{"orders"}},
		`DB_DRIVER is "postgres"; allowed: sqlite, mysql`:                                             {env: []string{"DB_DRIVER=postgres"}},
		`DB_HOST is ""; allowed: the MySQL server, since DB_DRIVER is mysql`:                          {env: []string{"DB_DRIVER=mysql"}},
		`DB_MAX_CONNECTIONS is "0"; allowed: a whole number from 1 to 1000`:                           {env: []string{"DB_MAX_CONNECTIONS=0"}},
		`SERVICE_TOKEN is "dev-service-token"; allowed: a secret of your own`:                         {env: []string{"DB_HOST=localhost"}},
		`LOG_LEVEL is "loud"; allowed: debug, info, warn, error`:                                      {env: []string{"LOG_LEVEL=loud"}},
		`MIGRATE_ON_START is "maybe"; allowed: true, false`:                                           {env: []string{"MIGRATE_ON_START=maybe"}},
		`IDEMPOTENCY_KEY_EXPIRATION_HOURS is "-1"; allowed: a whole number from 1 to 8760`:            {env: []string{"IDEMPOTENCY_KEY_EXPIRATION_HOURS=-1"}},
		`ORDER_CANCELLATION_WINDOW_MINUTES is "ten"; allowed: a whole number from 0 to 525600`:        {env: []string{"ORDER_CANCELLATION_WINDOW_MINUTES=ten"}},
		`CUSTOMERS_API_BASE is "localhost:3001"; allowed: an address such as https://api.example.com`: {env: []string{"CUSTOMERS_API_BASE=localhost:3001"}, args: []string{"orders"}},
		`port ` + port + ` is taken; stop the program that has it, or set CUSTOMERS_PORT`:             {env: []string{"CUSTOMERS_PORT=" + port, "ORDERS_PORT=" + port, "ORCHESTRATOR_PORT=0"}},
		`DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME) cannot be used`:                             {env: []string{"DB_HOST=127.0.0.1", "DB_PORT=1", "SERVICE_TOKEN=t", "PORT=0"}, args: []string{"customers"}},
		`(DB_PATH) cannot be opened`:                                                                  {env: append(anyPorts, "DB_PATH=/dev/null/b2b.db")},
		`"order" is no command; see b2b --help`:                                                       {args: []string{"order"}},
		`"now" is one argument too many; see b2b --help`:                                              {args: []string{"orders", "now"}},
	} {
		said := refused(t, start.env, start.args...)
		if !strings.Contains(said, want) || strings.Count(said, "b2b: ") != 1 || strings.Contains(said, "goroutine") {
			t.Errorf("want %q, got %q", want, said)
		}
		if last := strings.Split(strings.TrimSpace(said), "\n"); !strings.HasPrefix(last[len(last)-1], "b2b: ") {
			t.Errorf("more than one line: %q", said)
		}
	}
}

func TestDotEnv(t *testing.T) {
	t.Chdir(t.TempDir())
	if err := os.WriteFile(".env", []byte("LOG_LEVEL=loud\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	t.Setenv("LOG_LEVEL", "") // restored after the test, which makes run set it
	os.Unsetenv("LOG_LEVEL")
	if err := run(context.Background(), []string{"migrate"}, io.Discard); err == nil || !strings.Contains(err.Error(), `LOG_LEVEL is "loud"`) {
		t.Errorf("%v", err)
	}
	t.Setenv("LOG_LEVEL", "silent") // the environment wins
	if err := run(context.Background(), []string{"migrate"}, io.Discard); err == nil || !strings.Contains(err.Error(), `LOG_LEVEL is "silent"`) {
		t.Errorf("%v", err)
	}
}

// TestVariables holds --help and .env.example to the variables that are read.
func TestVariables(t *testing.T) {
	var help bytes.Buffer
	if err := run(context.Background(), []string{"--help"}, &help); err != nil {
		t.Fatal(err)
	}
	example, err := os.ReadFile("../../.env.example")
	if err != nil {
		t.Fatal(err)
	}
	var named []string
	for _, m := range regexp.MustCompile(`(?m)^#?([A-Z_]+)=(.*)$`).FindAllStringSubmatch(string(example), -1) {
		named = append(named, m[1])
		at := slices.IndexFunc(config.Variables, func(v config.Variable) bool { return v.Name == m[1] })
		if at < 0 {
			t.Errorf(".env.example names %s, which nothing reads", m[1])
		} else if m[2] != config.Variables[at].Default {
			t.Errorf(".env.example says %s, the default is %q", m[0], config.Variables[at].Default)
		}
	}
	for _, v := range config.Variables {
		if !strings.Contains(help.String(), "  "+v.Name+" ") || !slices.Contains(named, v.Name) {
			t.Errorf("%s is missing in --help or .env.example", v.Name)
		}
	}
}
