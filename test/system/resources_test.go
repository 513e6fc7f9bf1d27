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
	"strconv"
	"strings"
	"syscall"
	"testing"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/db/dbtest/server"
)

// TestResources takes from a running b2b what its database needs, and gives it back. Meanwhile it says 503
// and that it is not ready; afterwards it works without a restart, and each key stands for one order.
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

// starved is b2b, all three services, while it lacks something.
type starved struct {
	network
	name   string
	keys   []string
	stock  int64     // of product 2 before the first order
	price  int64     // of product 1, as last changed
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

// order places an order with a new key and reports whether it did.
func (s *starved) order(t *testing.T) bool {
	key := fmt.Sprintf("%s-%d", s.name, len(s.keys))
	s.keys = append(s.keys, key)
	return s.place(t, key) != 0
}

// change changes the price of product 1 and reports whether it did.
func (s *starved) change(t *testing.T) bool {
	s.price++
	status, body := s.call(
		t, "PATCH", s.processes["orders"].orders+"/products/1", fmt.Sprintf(`{"price_cents":%d}`, s.price),
		"",
	)
	return s.succeeded(t, "/products/1", status, http.StatusOK, body)
}

// ready reports whether both services with a database say so.
func (s *starved) ready(t *testing.T) bool {
	p := s.processes["orders"]
	status, body := s.call(t, "GET", p.orders+"/ready", "", "")
	orders := s.succeeded(t, "/ready", status, http.StatusOK, body)
	status, body = s.call(t, "GET", p.customers+"/ready", "", "")
	return s.succeeded(t, "/ready", status, http.StatusOK, body) && orders
}

// starves wants everything refused that needs what is missing.
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
		t.Error("it says that it is ready")
	}
}

// recovers repeats what was refused, and examines the database.
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

// inMountNamespace returns a command that runs script, whose last step becomes b2b, where it may mount.
func inMountNamespace(t *testing.T, script string, args ...string) *exec.Cmd {
	t.Helper()
	if out, err := exec.Command("unshare", "-rm", "true").CombinedOutput(); err != nil {
		t.Skipf("needs a mount namespace of its own: %v %s", err, out)
	}
	return exec.Command("unshare", append([]string{"-rm", "sh", "-ec", script, "sh"}, args...)...)
}

// diskFull fills the small file system under SQLite, and makes room again. SQLite has written over what it
// has of the disk already, as after some orders it does again and again, so that the next ones still fit.
func diskFull(t *testing.T) {
	data := t.TempDir()
	p := launch(
		t,
		append(
			[]string{"DB_PATH=" + filepath.Join(data, "b2b.db"), "LOG_LEVEL=warn", "PATH=" + os.Getenv("PATH")},
			anyPorts...),
		inMountNamespace(t, `mount -t tmpfs -o size=12m b2b "$1"; exec "$2"`, data, binary()),
	)
	pid := strconv.Itoa(p.cmd.Process.Pid)
	examine := exec.Command(
		"nsenter", "--target="+pid, "--user", "--mount", "--preserve-credentials", binary(), "doctor",
	)
	examine.Env = p.cmd.Env
	s := newStarved(t, p, examine)
	if !s.order(t) || !s.ready(t) {
		t.Fatal("it does not work with room on the disk")
	}
	folder := filepath.Join("/proc", pid, "root", data)
	for grown := int64(0); ; { // until SQLite writes over its log
		if !s.change(t) {
			t.Fatal("a product was not changed with room on the disk")
		}
		log, err := os.Stat(filepath.Join(folder, "b2b.db-wal"))
		if err != nil {
			t.Fatal(err)
		}
		if log.Size() == grown {
			break
		}
		grown = log.Size()
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
		t.Error("the first /ready on a full disk says that it is ready")
	}
	for s.change(t) {
	}
	for s.order(t) { // what SQLite has of the disk already
	}
	s.starves(t)
	s.stockNow(t) // reading goes on
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	f.Close()
	s.recovers(t)
}

// readOnlyFolder starts b2b where it may not write, which it must say in one line.
func readOnlyFolder(t *testing.T) {
	data := t.TempDir()
	dbtest.Open(t, db.Config{Driver: db.SQLite, Path: filepath.Join(data, "b2b.db")})
	cmd := inMountNamespace(t, `mount --bind "$1" "$1"; mount -o remount,bind,ro "$1"; exec "$2"`, data, binary())
	cmd.Env = append(
		[]string{"DB_PATH=" + filepath.Join(data, "b2b.db"), "LOG_LEVEL=error", "PATH=" + os.Getenv("PATH")},
		anyPorts...)
	out, err := cmd.CombinedOutput()
	if err == nil || strings.Count(string(out), "\n") != 1 || !strings.HasPrefix(string(out), "b2b: ") {
		t.Errorf("%v: %s", err, out)
	}
}

// serverRefuses is about a private server, whose settings are the test's.
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
	do(t, "CREATE USER app IDENTIFIED BY 'secret' WITH MAX_USER_CONNECTIONS 100")
	do(t, "GRANT ALL ON b2b.* TO app")
	asRoot := db.Config{
		Driver: db.MySQL, Host: "127.0.0.1", Port: private.Port, User: "root", Name: "b2b", MaxConns: 5,
	}
	asApp := asRoot
	asApp.User, asApp.Password = "app", "secret"
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
		do(t, "SET GLOBAL read_only = 1")
		s.starves(t)
		s.stockNow(t) // reading goes on
		do(t, "SET GLOBAL read_only = 0")
		s.recovers(t)
	})
	t.Run("too many connections", func(t *testing.T) {
		s := newStarved(t, p, examine())
		s.order(t)
		do(t, "ALTER USER app WITH MAX_USER_CONNECTIONS 1")
		crowd, err := sql.Open("mysql", fmt.Sprintf("app:secret@tcp(127.0.0.1:%d)/", private.Port))
		if err != nil {
			t.Fatal(err)
		}
		defer crowd.Close()
		only, err := crowd.Conn(t.Context())
		for err != nil { // until none of b2b's is left
			var ids []int64
			g.Raw("SELECT id FROM information_schema.processlist WHERE user = 'app'").Scan(&ids)
			for _, id := range ids {
				_, _ = admin.Exec(fmt.Sprint("KILL ", id)) // it may have gone
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

// migrationHalfDone starts the Orders API before the schema is there, and completes the schema beside it.
func migrationHalfDone(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g, err := db.Open(t.Context(), c)
		if err != nil {
			t.Fatal(err)
		}
		defer db.Close(g)
		if c.Driver == db.MySQL { // where it can be half done
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
		work := func(path, body string) bool {
			status, answer := n.call(
				t, map[bool]string{true: "GET", false: "POST"}[body == ""], p.orders+path, body, "",
			)
			return n.succeeded(t, path, status, map[bool]int{true: 200, false: 201}[body == ""], answer)
		}
		if work("/ready", "") {
			t.Error("it says that it is ready")
		}
		if work("/orders", "") ||
			c.Driver == db.SQLite && work("/products", `{"sku":"A","name":"A","price_cents":1,"stock":1}`) {
			t.Error("it works without its tables")
		}
		migrate := exec.Command(binary(), "migrate")
		migrate.Dir, migrate.Env = t.TempDir(), environment(c)
		if out, err := migrate.CombinedOutput(); err != nil {
			t.Fatalf("%v %s", err, out)
		}
		if !work("/ready", "") || !work("/orders", "") ||
			!work("/products", `{"sku":"B","name":"B","price_cents":1,"stock":1}`) {
			t.Error("it does not work with its tables")
		}
	})
}
