package system_test

import (
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/dbtest/server"
)

// TestResources takes a resource that the database needs from a running b2b, and gives it back. Without the
// resource, b2b must answer 503, and must not be ready. Later, b2b must work without a restart, and each key
// must have a single order.
func TestResources(t *testing.T) {
	if testing.Short() {
		t.Skip("kills")
	}
	t.Run("disk full", diskFull)
	t.Run("read-only folder", readOnlyFolder)
	for _, engine := range dbtest.Servers {
		if program := server.Find(engine.Engine); program != "" {
			t.Run(engine.Engine, func(t *testing.T) { serverRefuses(t, engine.Engine, program) })
		}
	}
	t.Run("migration half done", migrationHalfDone)
}

// starved runs all services in a process that lacks a resource.
type starved struct {
	network
	name   string
	keys   []string
	stock  int64     // stock of product 2 before the first order
	price  int64     // price of product 1 after the last change
	doctor *exec.Cmd // examines the database
}

func newStarved(t *testing.T, p *process, doctor *exec.Cmd) *starved {
	s := &starved{
		name: t.Name(), doctor: doctor,
		network: network{processes: map[string]*process{"customers": p, "orders": p, "orchestrator": p}},
	}
	s.stock = s.stockNow(t)
	return s
}

func (s *starved) stockNow(t *testing.T) int64 {
	t.Helper()
	var answer struct{ Data struct{ Stock int64 } }
	status, body := s.call(t, "GET", s.processes["orders"].orders+"/products/2", "", "")
	if err := json.Unmarshal(body, &answer); err != nil || status != http.StatusOK {
		t.Errorf("reading answered %d %s", status, body)
	}
	return answer.Data.Stock
}

// order places an order with a new key, and reports success.
func (s *starved) order(t *testing.T) bool {
	key := fmt.Sprintf("%s-%d", s.name, len(s.keys))
	s.keys = append(s.keys, key)
	return s.place(t, key) != 0
}

// change changes the price of product 1, and reports success.
func (s *starved) change(t *testing.T) bool {
	s.price++
	price := fmt.Sprintf(`{"price_cents":%d}`, s.price)
	status, body := s.call(t, "PATCH", s.processes["orders"].orders+"/products/1", price, "")
	return s.succeeded(t, "/products/1", status, http.StatusOK, body)
}

// ready reports whether the Customers API and the Orders API are ready.
func (s *starved) ready(t *testing.T) bool {
	p := s.processes["orders"]
	status, body := s.call(t, "GET", p.orders+"/ready", "", "")
	orders := s.succeeded(t, "/ready", status, http.StatusOK, body)
	status, body = s.call(t, "GET", p.customers+"/ready", "", "")
	return s.succeeded(t, "/ready", status, http.StatusOK, body) && orders
}

// starves checks that b2b places no order, and that no service is ready. A refusal must have a status of 503
// or higher.
func (s *starved) starves(t *testing.T) {
	t.Helper()
	for range 3 {
		if s.order(t) {
			t.Error("an order was placed")
		}
	}
	s.read(t)
	if s.placeDirectly(t, s.name, keyedProduct) {
		t.Error("the Orders API, called directly, placed an order")
	}
	if s.ready(t) {
		t.Error("ready without the resource")
	}
}

// recovers waits until b2b is ready, and repeats the orders of all keys. Then it compares the stock, and runs
// the doctor.
func (s *starved) recovers(t *testing.T) {
	t.Helper()
	until(t, "ready", func() bool { return s.ready(t) })
	for _, key := range s.keys {
		until(t, "an order", func() bool { return s.place(t, key) != 0 }) // the breaker may still be open
	}
	if got := s.stockNow(t); got != s.stock-3*int64(len(s.keys)) {
		t.Errorf("stock %d after %d orders, want %d", got, len(s.keys), s.stock-3*int64(len(s.keys)))
	}
	if out, err := s.doctor.CombinedOutput(); err != nil {
		t.Errorf("%v: %s", err, out)
	}
}

// inMountNamespace returns a command that runs the shell script in a mount namespace of its own. The last
// command of the script must execute b2b.
func inMountNamespace(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	if out, err := exec.Command("unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Skipf("needs a mount namespace of its own: %v %s", err, out)
	}
	return exec.Command("unshare", append([]string{"-rm", "sh", "-ec", script, "sh"}, args...)...)
}

// diskFull fills the small file system of an SQLite database, and frees space again. At this time SQLite
// overwrites its log from the beginning, so some more orders succeed without free space.
func diskFull(t *testing.T) {
	data := t.TempDir()
	env := append(anyPorts, "DB_PATH="+filepath.Join(data, "b2b.db"), "LOG_LEVEL=warn", "PATH="+os.Getenv("PATH"))
	p := launch(t, env, inMountNamespace(t, `mount -t tmpfs -o size=32m b2b "$1"; exec "$2"`, data, binary()))
	pid := strconv.Itoa(p.cmd.Process.Pid)
	namespace := []string{"--target=" + pid, "--user", "--mount", "--preserve-credentials"}
	examine := exec.Command("nsenter", append(namespace, binary(), "doctor")...)
	examine.Env = p.cmd.Env
	s := newStarved(t, p, examine)
	if !s.order(t) || !s.ready(t) {
		t.Fatal("b2b does not work with free space")
	}
	folder := filepath.Join("/proc", pid, "root", data)
	for size := int64(0); ; { // until the log stops growing, because SQLite overwrites it
		if !s.change(t) {
			t.Fatal("a product was not changed with free space")
		}
		log, err := os.Stat(filepath.Join(folder, "b2b.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		if log.Size() == size {
			break
		}
		size = log.Size()
	}
	ballast := filepath.Join(folder, "ballast")
	f, err := os.Create(ballast)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, syscall.ENOSPC) {
		t.Fatal(err)
	}
	if s.ready(t) {
		t.Error("ready at the first probe on a full disk")
	}
	for s.change(t) {
	}
	for s.order(t) { // until the space of the log is used up
	}
	s.starves(t)
	s.stockNow(t) // reads still succeed
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	f.Close()
	s.recovers(t)
}

// readOnlyFolder starts b2b with its database in a read-only folder. b2b must end with an error of a single
// line.
func readOnlyFolder(t *testing.T) {
	data := t.TempDir()
	dbtest.Open(t, db.Config{Driver: db.SQLite, Path: filepath.Join(data, "b2b.db")})
	cmd := inMountNamespace(t, `mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; exec "$2"`, data, binary())
	cmd.Env = append(anyPorts, "DB_PATH="+filepath.Join(data, "b2b.db"), "LOG_LEVEL=error", "PATH="+os.Getenv("PATH"))
	out, err := cmd.CombinedOutput()
	if err == nil || strings.Count(string(out), "\n") != 1 || !strings.HasPrefix(string(out), "b2b: ") {
		t.Errorf("%v: %s", err, out)
	}
}

// serverRefuses changes the settings of a private server, so that it refuses writes, or connections.
func serverRefuses(t *testing.T, engine, program string) {
	private, err := server.Start(engine, program, t.TempDir())
	if err != nil {
		t.Fatal(err)
	}
	defer private.Stop()
	admin, err := sql.Open("mysql", private.DSN)
	if err != nil {
		t.Fatal(err)
	}
	defer admin.Close()
	do := func(t *testing.T, statement string) {
		t.Helper()
		if _, err := admin.Exec(statement); err != nil {
			t.Fatalf("%s: %v", statement, err)
		}
	}
	do(t, "CREATE DATABASE b2b")
	do(t, "CREATE USER app IDENTIFIED BY 'password-of-app' WITH MAX_USER_CONNECTIONS 100")
	do(t, "GRANT ALL ON b2b.* TO app")
	asRoot := db.Config{Driver: db.MySQL, Host: "127.0.0.1", Port: private.Port, User: "root", Name: "b2b", MaxConns: 5}
	asApp := asRoot
	asApp.User, asApp.Password = "app", "password-of-app"
	g := dbtest.Open(t, asRoot)
	if _, err := db.Seed(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	p := start(t, append(environment(asApp), anyPorts...))
	examine := func() *exec.Cmd {
		cmd := exec.Command(binary(), "doctor")
		cmd.Dir, cmd.Env = t.TempDir(), environment(asApp)
		return cmd
	}

	t.Run("read-only", func(t *testing.T) {
		s := newStarved(t, p, examine())
		open := func() (ids []int64) {
			g.Raw("SELECT id FROM information_schema.processlist WHERE user = 'app'").Scan(&ids)
			return ids
		}
		before := open()
		do(t, "SET GLOBAL read_only = 1")
		s.starves(t)
		// b2b must close its connections to a server that has become a replica, because new connections may
		// lead to the new primary.
		if now := open(); !slices.ContainsFunc(before, func(id int64) bool { return !slices.Contains(now, id) }) {
			t.Errorf("the connections %v are still open: %v", before, now)
		}
		s.stockNow(t) // reads still succeed
		do(t, "SET GLOBAL read_only = 0")
		s.recovers(t)
	})
	t.Run("too many connections", func(t *testing.T) {
		s := newStarved(t, p, examine())
		s.order(t)
		do(t, "ALTER USER app WITH MAX_USER_CONNECTIONS 1")
		crowd, err := sql.Open("mysql", fmt.Sprintf("app:password-of-app@tcp(127.0.0.1:%d)/", private.Port))
		if err != nil {
			t.Fatal(err)
		}
		defer crowd.Close()
		only, err := crowd.Conn(t.Context())
		for err != nil { // kill connections of b2b until the test has the only one
			var ids []int64
			g.Raw("SELECT id FROM information_schema.processlist WHERE user = 'app'").Scan(&ids)
			for _, id := range ids {
				_, _ = admin.Exec(fmt.Sprint("KILL ", id)) // fails when the connection has already ended
			}
			only, err = crowd.Conn(t.Context())
		}
		s.starves(t)
		only.Close()
		do(t, "ALTER USER app WITH MAX_USER_CONNECTIONS 100")
		crowd.Close()
		s.recovers(t)
	})
}

// migrationHalfDone starts the Orders API with an incomplete schema, and completes the schema while the
// service runs.
func migrationHalfDone(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g, err := db.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close(g)
		// Not on SQLite, where a migration runs in one transaction, and so is never half done.
		if c.Driver == db.MySQL {
			file, err := os.ReadFile("../../db/migrations/mysql/00001_init.sql")
			if err != nil {
				t.Fatal(err)
			}
			for _, statement := range strings.SplitAfterN(string(file), ";\n", 4)[:3] {
				if err := g.Exec(statement).Error; err != nil {
					t.Fatal(err)
				}
			}
		}
		p := start(t, append(environment(c), "MIGRATE_ON_START=false", "PORT=0"), "orders")
		var n network
		get := func(path string) bool {
			status, answer := n.call(t, "GET", p.orders+path, "", "")
			return n.succeeded(t, path, status, http.StatusOK, answer)
		}
		createProduct := func(sku string) bool {
			product := fmt.Sprintf(`{"sku":%q,"name":%[1]q,"price_cents":1,"stock":1}`, sku)
			status, answer := n.call(t, "POST", p.orders+"/products", product, "")
			return n.succeeded(t, "/products", status, http.StatusCreated, answer)
		}
		if get("/ready") {
			t.Error("ready without all tables")
		}
		if get("/orders") || c.Driver == db.SQLite && createProduct("A") {
			t.Error("a call succeeded without its tables")
		}
		migrate := exec.Command(binary(), "migrate")
		migrate.Dir, migrate.Env = t.TempDir(), environment(c)
		if out, err := migrate.CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		if !get("/ready") || !get("/orders") || !createProduct("B") {
			t.Error("a call failed with the complete schema")
		}
	})
}
