package main

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"os"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/function/functiontest"
	"example.com/b2b/v2/internal/web/webtest"
)

const (
	token  = "service-token-of-the-test-in-production"
	secret = "jwt-secret-of-the-test-in-production"
)

func TestMain(m *testing.M) {
	webtest.Forbid(token, secret)
	functiontest.Main(m)
}

// onServers runs a test on an empty database of each MySQL and MariaDB server.
func onServers(t *testing.T, test func(t *testing.T, c db.Config)) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("a function has no file system for SQLite")
		}
		test(t, c)
	})
}

// environment returns the variables of a function.
func environment(handler string, c db.Config, more ...string) []string {
	return append([]string{
		"_HANDLER=" + handler, "DB_HOST=" + c.Host, "DB_PORT=" + strconv.Itoa(c.Port), "DB_USER=" + c.User,
		"DB_PASSWORD=" + c.Password, "DB_NAME=" + c.Name, "DB_MAX_CONNECTIONS=2", "DB_TLS=off",
		"SERVICE_TOKEN=" + token, "JWT_SECRET=" + secret,
	}, more...)
}

func start(t *testing.T, variables []string) *functiontest.Function {
	return functiontest.Start(t, functiontest.Bootstrap, variables...)
}

// behindGateway returns the address of a function behind an HTTP API.
func behindGateway(t *testing.T, f *functiontest.Function) string {
	gateway := httptest.NewServer(f)
	t.Cleanup(gateway.Close)
	return gateway.URL
}

func migrated(t *testing.T, c db.Config) *gorm.DB {
	t.Helper()
	f := start(t, environment("migrate", c))
	for _, first := range []bool{true, false} {
		r := f.Invoke(t, nil)
		var done struct {
			NewSteps *int `json:"new_steps"`
		}
		if err := json.Unmarshal(r.Body, &done); err != nil || done.NewSteps == nil || (*done.NewSteps > 0) != first {
			t.Fatalf("first run %t: %s", first, r.Body)
		}
	}
	f.End()
	return dbtest.Open(t, c)
}

func admin(t *testing.T) string {
	t.Helper()
	admin := auth.Principal{Subject: "ops", Scope: auth.Admin}
	jwt, err := auth.Tokens{Secrets: []string{secret}}.Issue(admin, time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return "Bearer " + jwt
}

// TestServices runs the Customers API, the Orders API and the orchestrator as functions that call each other.
// It migrates the database, creates a customer and a product, places orders, imports and exports files, and
// runs the background jobs. An instance must never have more connections than its pool. A connection that is
// lost while the instance is frozen must do no harm.
func TestServices(t *testing.T) {
	for _, pool := range []string{"1", "2"} {
		t.Run("pool of "+pool, func(t *testing.T) {
			onServers(t, func(t *testing.T, c db.Config) { testServices(t, c, "DB_MAX_CONNECTIONS="+pool) })
		})
	}
}

func testServices(t *testing.T, c db.Config, pool string) {
	g := migrated(t, c)
	customersFunction := start(t, environment("customers", c, pool))
	customers := behindGateway(t, customersFunction)
	ordersFunction := start(t, environment("orders", c, pool, "CUSTOMERS_API_BASE="+customers))
	orders := behindGateway(t, ordersFunction)
	orchestrator := behindGateway(t, functiontest.Start(t, functiontest.Build(t, "../lambda"),
		"CUSTOMERS_API_BASE="+customers, "ORDERS_API_BASE="+orders, "SERVICE_TOKEN="+token, "JWT_SECRET="+secret))
	send := func(method, url, body string, want int, headers ...string) []byte {
		t.Helper()
		headers = append([]string{"Authorization", admin(t)}, headers...)
		if body != "" && !slices.Contains(headers, "Content-Type") {
			headers = append(headers, "Content-Type", "application/json")
		}
		status, answer, _ := webtest.Do(t, method, url, body, headers...)
		if status != want {
			t.Fatalf("%s %s: %d %s, want %d", method, url, status, answer, want)
		}
		return answer
	}
	id := func(answer []byte) int {
		t.Helper()
		var a struct{ Data struct{ ID int } }
		if err := json.Unmarshal(answer, &a); err != nil || a.Data.ID == 0 {
			t.Fatalf("%s: %v", answer, err)
		}
		return a.Data.ID
	}
	most := watchConnections(t, g, c)

	for _, base := range []string{customers, orders, orchestrator} {
		send("GET", base+"/health", "", http.StatusOK)
		send("GET", base+"/ready", "", http.StatusOK)
	}
	customer := id(send("POST", customers+"/customers", `{"name": "ACME", "email": "ops@acme.example"}`,
		http.StatusCreated))
	product := id(send("POST", orders+"/products",
		`{"sku": "PEN", "name": "Pen", "price_cents": 100, "stock": 1000}`, http.StatusCreated))
	order := fmt.Sprintf(`"customer_id": %d, "items": [{"product_id": %d, "qty": 3}]`, customer, product)
	placed := send("POST", orchestrator+"/orchestrator/create-and-confirm-order",
		`{`+order+`, "idempotency_key": "first"}`, http.StatusCreated)
	if !strings.Contains(string(placed), `"status":"CONFIRMED"`) {
		t.Errorf("%s", placed)
	}
	again := send("POST", orchestrator+"/orchestrator/create-and-confirm-order",
		`{`+order+`, "idempotency_key": "first"}`, http.StatusCreated)
	if string(again) == "" || !strings.Contains(string(again), `"status":"CONFIRMED"`) {
		t.Errorf("%s", again)
	}

	// In an idempotency key, a comma is an ordinary character. In If-None-Match, it separates entity tags.
	one := id(send("POST", orders+"/orders", `{`+order+`}`, http.StatusCreated, "Idempotency-Key", "a,b"))
	other := id(send("POST", orders+"/orders", `{`+order+`}`, http.StatusCreated, "Idempotency-Key", "a,c"))
	if one == other {
		t.Error("two keys with commas are one")
	}
	path := orders + "/orders/" + strconv.Itoa(one)
	_, _, header := webtest.Do(t, "GET", path, "", "Authorization", admin(t))
	send("GET", path, "", http.StatusNotModified, "If-None-Match", `"x", `+header.Get("ETag"))

	file := "sku,name,price_cents,stock\n"
	for i := range 500 {
		file += fmt.Sprintf("SKU-%03d,Thing %d,%d,5\n", i, i, i+1)
	}
	imported := string(send("POST", orders+"/products/import", file, http.StatusOK, "Content-Type", "text/csv"))
	if !strings.Contains(imported, `"created":500`) {
		t.Errorf("imported %.500s", imported)
	}
	exported := string(send("GET", orders+"/products/export", "", http.StatusOK))
	if lines := strings.Split(strings.TrimSpace(exported), "\n"); len(lines) != 501 ||
		!strings.Contains(exported, "SKU-499") {
		t.Errorf("exported %d lines, the last %s", len(lines), lines[len(lines)-1])
	}

	// Let the database close the connections of frozen instances.
	for _, f := range []*functiontest.Function{customersFunction, ordersFunction} {
		if err := f.Process(t).Signal(syscall.SIGSTOP); err != nil {
			t.Fatal(err)
		}
	}
	for _, connection := range connections(t, g, c) {
		_ = g.Exec(fmt.Sprintf("KILL %d", connection)).Error // the connection may have ended
	}
	for _, f := range []*functiontest.Function{customersFunction, ordersFunction} {
		if err := f.Process(t).Signal(syscall.SIGCONT); err != nil {
			t.Fatal(err)
		}
	}
	send("POST", orders+"/orders", `{`+order+`}`, http.StatusCreated, "Idempotency-Key", "after-the-frost")

	// Let a reservation and a key expire. An event must run the jobs once.
	must(t, g.Exec("UPDATE orders SET created_at = created_at - INTERVAL 25 HOUR WHERE id = ?", one).Error)
	const expire = "UPDATE idempotency_keys SET expires_at = expires_at - INTERVAL 25 HOUR WHERE idempotency_key = ?"
	must(t, g.Exec(expire, "a,c").Error)
	jobs := start(t, environment("jobs", c, pool))
	if r := jobs.Invoke(t, map[string]any{"source": "aws.scheduler"}); r.Failed || string(r.Body) != "null" {
		t.Errorf("failed %t: %s", r.Failed, r.Body)
	}
	if answer := send("GET", path, "", http.StatusOK); !strings.Contains(string(answer), "reservation_expired") {
		t.Errorf("the reservation has not expired: %s", answer)
	}
	var unindexed int64
	must(t, g.Raw("SELECT COUNT(*) FROM products WHERE unindexed IS NOT NULL").Scan(&unindexed).Error)
	if unindexed > 0 {
		t.Errorf("%d products are not in the search index", unindexed)
	}
	limit, _ := strconv.Atoi(strings.TrimPrefix(pool, "DB_MAX_CONNECTIONS="))
	if n := most(); n == 0 || n > 3*limit {
		t.Errorf("three instances had %d connections, the pool of each is %d", n, limit)
	}
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// connections returns the ids of the connections to the database, without the connection of g.
func connections(t testing.TB, g *gorm.DB, c db.Config) (ids []int64) {
	t.Helper()
	var err error
	for range 100 { // MySQL refuses this query while a session runs a statement that is not valid UTF-8
		if err = g.Raw("SELECT id FROM information_schema.processlist WHERE db = ? AND id NOT IN (?)",
			c.Name, own(g)).Scan(&ids).Error; err == nil {
			return ids
		}
	}
	t.Fatal(err)
	return nil
}

// own returns the id of the connection of g, and limits the pool of g to this connection.
func own(g *gorm.DB) (id int64) {
	pool, err := g.DB()
	if err == nil {
		pool.SetMaxOpenConns(1)
		err = g.Raw("SELECT CONNECTION_ID()").Scan(&id).Error
	}
	if err != nil {
		panic(err)
	}
	return id
}

// watchConnections counts the connections of the functions repeatedly. The returned function stops the
// counting and returns the largest count.
func watchConnections(t *testing.T, g *gorm.DB, c db.Config) func() int {
	ctx, stop := context.WithCancel(t.Context())
	largest := make(chan int)
	go func() {
		most := 0
		for ctx.Err() == nil {
			var ids []int64
			const others = "SELECT id FROM information_schema.processlist WHERE db = ? AND id <> CONNECTION_ID()"
			if g.WithContext(ctx).Raw(others, c.Name).Scan(&ids).Error == nil {
				most = max(most, len(ids))
			}
		}
		largest <- most
	}()
	own(g) // limits g to one connection, which the query does not count
	return func() int { stop(); return <-largest }
}

// TestInitError expects the reason in the error of a function that cannot start.
func TestInitError(t *testing.T) {
	onServers(t, func(t *testing.T, c db.Config) {
		for name, variables := range map[string][]string{
			`the handler is "bootstrap"; allowed: customers, orders, jobs, migrate`: environment("bootstrap", c),
			"DB_HOST":            {"_HANDLER=customers", "SERVICE_TOKEN=" + token, "JWT_SECRET=" + secret},
			"SERVICE_TOKEN":      environment("customers", c, "SERVICE_TOKEN="),
			"DB_MAX_CONNECTIONS": environment("jobs", c, "DB_MAX_CONNECTIONS=0"),
			"DB_NAME":            environment("migrate", c, "DB_NAME=nowhere_at_all"),
		} {
			f := start(t, variables)
			if r := f.Invoke(t, nil); !r.Failed ||
				!strings.Contains(strings.ReplaceAll(string(r.Body), `\"`, `"`), name) {
				t.Errorf("failed %t: %s, want %s", r.Failed, r.Body, name)
			}
		}
	})
}

// TestInitQuery compares the session variables that InitQuery of the template sets for the RDS Proxy with the
// session variables that the program sets. They must be equal, because the proxy shares connections among
// sessions.
func TestInitQuery(t *testing.T) {
	var template struct {
		Resources struct {
			ProxyTargets struct {
				Properties struct {
					ConnectionPoolConfigurationInfo struct {
						InitQuery string `yaml:"InitQuery"`
					} `yaml:"ConnectionPoolConfigurationInfo"`
				} `yaml:"Properties"`
			} `yaml:"ProxyTargets"`
		} `yaml:"Resources"`
	}
	text, err := os.ReadFile("../../deploy/lambda/services.yaml")
	must(t, err)
	must(t, yaml.Unmarshal(text, &template))
	query := template.Resources.ProxyTargets.Properties.ConnectionPoolConfigurationInfo.InitQuery
	onServers(t, func(t *testing.T, c db.Config) {
		const values = "SELECT variable_name, variable_value FROM performance_schema.session_variables"
		const onMariaDB = "SELECT variable_name, variable_value FROM information_schema.session_variables"
		g := dbtest.Open(t, c)
		own(g)
		read := func() map[string]string {
			var rows []struct{ VariableName, VariableValue string }
			if g.Raw(values).Scan(&rows).Error != nil || len(rows) == 0 {
				must(t, g.Raw(onMariaDB).Scan(&rows).Error)
			}
			all := map[string]string{}
			for _, r := range rows {
				all[strings.ToLower(r.VariableName)] = r.VariableValue
			}
			return all
		}
		program := read()
		for _, name := range []string{"time_zone", "sql_mode", "innodb_lock_wait_timeout", "lock_wait_timeout"} {
			must(t, g.Exec("SET SESSION "+name+" = DEFAULT").Error)
		}
		must(t, g.Exec("SET SESSION TRANSACTION ISOLATION LEVEL REPEATABLE READ").Error)
		plain := read()
		for statement := range strings.SplitSeq(query, ";") {
			must(t, g.Exec(statement).Error)
		}
		proxy := read()
		changed := 0
		for name, want := range program {
			switch name {
			case "timestamp", "statement_id", "rand_seed1", "rand_seed2":
				continue // the server changes these variables by itself
			case "wait_timeout":
				continue // InitQuery does not set wait_timeout, which applies to the proxy's own connections
			}
			if proxy[name] != want {
				t.Errorf("%s is %s, with the proxy %s", name, want, proxy[name])
			}
			if plain[name] != want {
				changed++
			}
		}
		if changed < 4 {
			t.Errorf("only %d variables differ from the server's defaults", changed)
		}
	})
}
