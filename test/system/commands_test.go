package system_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/web/webtest"
)

func TestRunAll(t *testing.T) {
	data := filepath.Join(t.TempDir(), "new folder", "b2b.db")
	env := append(anyPorts, "DB_PATH="+data)
	p := start(t, env)
	for _, want := range []string{
		p.customers + "/docs", p.orders + "/docs", p.orchestrator + "/docs", data, "Try: curl",
	} {
		if !strings.Contains(p.announced, want) {
			t.Errorf("the start does not show %q:\n%s", want, p.announced)
		}
	}
	for base, service := range map[string]string{
		p.customers: "customers-api", p.orders: "orders-api", p.orchestrator: "orchestrator",
	} {
		for _, path := range []string{"/health", "/ready"} {
			if status, body, _ := webtest.Do(t, "GET", base+path, ""); status != 200 ||
				!strings.Contains(string(body), `"`+service+`"`) {
				t.Errorf("%s%s: %d %s", base, path, status, body)
			}
		}
	}
	announced := regexp.MustCompile(`http://\S+/docs`).FindAllString(p.announced, -1)
	for _, docs := range announced {
		if status, body, _ := webtest.Do(t, "GET", strings.TrimSuffix(docs, "/docs")+"/ready", ""); status != 200 {
			t.Errorf("the service with %s is not ready: %d %s", docs, status, body)
		}
	}
	if len(announced) != len(servicePorts()) {
		t.Errorf("%d services are announced, want %d", len(announced), len(servicePorts()))
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

// TestDrain sends SIGTERM while the orchestrator reads the body of an order. The order must still go through
// all services, and get 201.
func TestDrain(t *testing.T) {
	p := start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")))
	// Send a request without its body, so that it stays in flight.
	conn, err := net.Dial("tcp", strings.TrimPrefix(p.orchestrator, "http://"))
	if err != nil {
		t.Fatal(err)
	}
	defer conn.Close()
	body := `{"customer_id":1,"items":[{"product_id":2,"qty":3}],"idempotency_key":"drain"}`
	const head = "POST /orchestrator/create-and-confirm-order HTTP/1.1\r\nHost: localhost\r\n" +
		"Content-Type: application/json\r\nContent-Length: %d\r\nExpect: 100-continue\r\n\r\n"
	fmt.Fprintf(conn, head, len(body))
	buffer := make([]byte, 1024)
	n, err := conn.Read(buffer)
	if err != nil || !strings.Contains(string(buffer[:n]), "100 Continue") { // the handler reads the body now
		t.Fatalf("%s %v", buffer[:n], err)
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	for deadline := time.Now().Add(time.Minute); ; { // wait until the orchestrator refuses connections
		c, err := net.Dial("tcp", strings.TrimPrefix(p.orchestrator, "http://"))
		if err != nil {
			break
		}
		c.Close()
		if time.Now().After(deadline) {
			t.Fatal("the orchestrator still accepts connections")
		}
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
		bases := []string{"CUSTOMERS_API_BASE=" + customers.customers, "ORDERS_API_BASE=" + orders.orders}
		orchestrator := start(t, append(bases, "PORT=0", "SERVICE_TOKEN=token-of-the-test"), "orchestrator")
		for _, step := range []struct{ url, body string }{
			{customers.customers + "/customers", `{"name":"A","email":"a@example.com"}`},
			{orders.orders + "/products", `{"sku":"A","name":"A","price_cents":1,"stock":1}`},
			{orchestrator.orchestrator + "/orchestrator/create-and-confirm-order",
				`{"customer_id":1,"items":[{"product_id":1,"qty":1}],"idempotency_key":"one"}`},
		} {
			status, body, _ := webtest.Do(t, "POST", step.url, step.body, "Content-Type", "application/json")
			if status != 201 {
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

// TestSweep starts the system with an order whose reservation has expired. The system must cancel the order.
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
		deadline := time.Now().Add(time.Minute)
		for canceled := false; !canceled; { // wait until a round of the background jobs cancels the order
			_, body, _ := webtest.Do(t, "GET", p.orders+"/orders/2", "")
			canceled = strings.Contains(string(body), `"cancel_reason":"reservation_expired"`)
			if !canceled && time.Now().After(deadline) {
				t.Fatalf("the order is not canceled: %s", body)
			}
		}
		if stock := stockOf(t, g, 3); stock != 44 {
			t.Errorf("stock is %d", stock)
		}
	})
}

// TestNoSampleData starts the system on an empty MySQL database, which must stay without the sample data.
func TestNoSampleData(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("a new database of SQLite gets the sample data")
		}
		p := start(t, append(environment(c), anyPorts...))
		if status, body, _ := webtest.Do(t, "GET", p.orders+"/products", ""); status != 200 ||
			strings.Contains(string(body), "sku") {
			t.Errorf("%d %s", status, body)
		}
	})
}

// TestMigrateOnStart starts a service with MIGRATE_ON_START=false. The service must not migrate, so /ready
// must answer 503.
func TestMigrateOnStart(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		p := start(t, append(environment(c), "PORT=0", "MIGRATE_ON_START=false"), "orders")
		status, body, _ := webtest.Do(t, "GET", p.orders+"/ready", "")
		webtest.WantError(t, status, body, 503, "unavailable")
	})
}

func TestMigrateAndSeed(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		env := databaseOnly(c)
		for _, step := range []struct{ command, want string }{
			{"migrate", fmt.Sprintf("The schema is up to date (%d new steps).\n", migrations(t, c))},
			{"migrate", "The schema is up to date (0 new steps).\n"},
			{"seed", "The sample data is loaded.\n"},
			{"seed", "The database has data; nothing was loaded.\n"},
		} {
			if out, err := execute(t, env, step.command); err != nil || out != step.want {
				t.Errorf("%s: %v, %q", step.command, err, out)
			}
		}
	})
}

// migrations returns the number of migrations of an engine.
func migrations(t *testing.T, c db.Config) int {
	t.Helper()
	files, err := os.ReadDir(filepath.Join(root, "db", "migrations", c.Driver))
	if err != nil {
		t.Fatal(err)
	}
	return len(files)
}

// databaseOnly returns the variables of the database, and other variables with invalid values. A command that
// works on the database must not read these other variables.
func databaseOnly(c db.Config) []string {
	env := slices.DeleteFunc(environment(c), func(entry string) bool { return !strings.HasPrefix(entry, "DB_") })
	return append(env, "ORDERS_PORT=no port", "CUSTOMERS_API_BASE=nowhere", "LOG_LEVEL=loud")
}

func TestDoctor(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		env := databaseOnly(c)
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		if out, err := execute(t, env, "doctor"); err != nil || !strings.HasPrefix(out, "rule ") ||
			strings.Contains(out, "unusual") {
			t.Errorf("%v\n%s", err, out)
		}
		const key = `INSERT INTO idempotency_keys
			(caller, operation, idempotency_key, request_hash, target_id, status, response_body, expires_at)
			VALUES ('public', 'createProduct', 'soon', '', 7, 201, '{"success":true,"data":{"id":7}}', ?)`
		if err := g.Exec(key, db.Now(g, time.Minute)).Error; err != nil {
			t.Fatal(err)
		}
		if out, err := execute(t, env, "doctor"); err != nil || !strings.Contains(out, "\n\nunusual, not broken ") ||
			!strings.Contains(out, "createProduct soon") {
			t.Errorf("%v\n%s", err, out)
		}
		if err := g.Exec("UPDATE products SET stock = stock + 1 WHERE id = 7").Error; err != nil {
			t.Fatal(err)
		}
		var report struct {
			Healthy       bool
			Checks, Notes []doctor.Check
		}
		out, err := execute(t, env, "doctor", "--json")
		names7 := func(c doctor.Check) bool { return slices.Equal(c.First, []string{"7"}) }
		if json.Unmarshal([]byte(out), &report) != nil || err == nil || report.Healthy ||
			!slices.ContainsFunc(report.Checks, names7) || slices.ContainsFunc(report.Notes, names7) ||
			!slices.ContainsFunc(report.Notes, func(c doctor.Check) bool { return c.Broken == 1 }) {
			t.Errorf("%v\n%s", err, out)
		}
	})
}

func TestRefusedStart(t *testing.T) {
	listener, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer listener.Close()
	port := fmt.Sprint(listener.Addr().(*net.TCPAddr).Port)
	// The fields env and args may hold several entries, separated by spaces.
	for _, c := range []struct{ env, args, want string }{
		{"ORDERS_PORT=abc", "", `ORDERS_PORT is "abc"; allowed: a whole number from 0 to 65535`},
		{"PORT=65536", "orders", `PORT is "65536"; allowed: a whole number from 0 to 65535`},
		{"DB_DRIVER=postgres", "", `DB_DRIVER is "postgres"; allowed: sqlite, mysql`},
		{"DB_DRIVER=mysql APP_ENV=development", "",
			`DB_HOST is ""; allowed: the MySQL server, since DB_DRIVER is mysql`},
		{"DB_MAX_CONNECTIONS=0", "", `DB_MAX_CONNECTIONS is "0"; allowed: a whole number from 1 to 1000`},
		{"ORDERS_PORT=b LOG_LEVEL=a", "",
			"LOG_LEVEL is \"a\"; allowed: debug, info, warn, error\nORDERS_PORT is \"b\"; allowed: a whole"},
		{"", "doctor --xml", `flag provided but not defined: -xml; see b2b doctor --help`},
		{"", "order --customer 1", `an order needs --customer and --item; see b2b order --help`},
		{"", "import", `an argument is missing; see b2b import --help`},
		{"LOG_LEVEL=loud", "", `LOG_LEVEL is "loud"; allowed: debug, info, warn, error`},
		{"MIGRATE_ON_START=maybe", "", `MIGRATE_ON_START is "maybe"; allowed: true, false`},
		{"IDEMPOTENCY_KEY_EXPIRATION_HOURS=-1", "",
			`IDEMPOTENCY_KEY_EXPIRATION_HOURS is "-1"; allowed: a whole number from 1 to 8760`},
		{"ORDER_CANCELLATION_WINDOW_MINUTES=ten", "",
			`ORDER_CANCELLATION_WINDOW_MINUTES is "ten"; allowed: a whole number from 0 to 525600`},
		{"CUSTOMERS_API_BASE=localhost:3001", "orders",
			`CUSTOMERS_API_BASE is "localhost:3001"; allowed: an address such as https://api.example.com`},
		{strings.Join(anyPorts, " ") + " CUSTOMERS_PORT=" + port + " ORDERS_PORT=" + port, "",
			`port ` + port + ` is taken; stop the program that has it, or give the Customers API another`},
		{strings.Join(anyPorts, " ") + " CUSTOMERS_PORT=" + port, "", `another: CUSTOMERS_PORT`},
		{"ORDERS_PORT=" + port, "orders", `another: ORDERS_PORT`},
		{"ORDERS_PORT=0 PORT=" + port, "orders", `another: PORT`},
		{strings.Join(anyPorts, " ") + " BIND_ADDRESS=192.0.2.1", "",
			`the Customers API cannot listen (BIND_ADDRESS, CUSTOMERS_PORT): `},
		{"DB_HOST=127.0.0.1 DB_PORT=1 APP_ENV=development PORT=0", "customers",
			`DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME, DB_TLS) cannot be used`},
		{strings.Join(anyPorts, " ") + " DB_PATH=/dev/null/b2b.db", "", `(DB_PATH) cannot be opened`},
		{"", "ordre", `"ordre" is no command; see b2b --help`},
		{"", "orders now", `"now" is one argument too many; see b2b orders --help`},
	} {
		out := refused(t, strings.Fields(c.env), strings.Fields(c.args)...)
		if !strings.Contains(out, c.want) || strings.Count(out, "b2b: ") != 1 || strings.Contains(out, "goroutine") {
			t.Errorf("want %q, got %q", c.want, out)
		}
		message := strings.TrimSpace(out[max(0, strings.Index(out, "b2b: ")):])
		if strings.Count(message, "\n") != strings.Count(c.want, "\n") {
			t.Errorf("more than a line for each mistake: %q", out)
		}
	}
}

// TestDotEnv reads a file .env. A variable of the environment must have precedence over the file.
func TestDotEnv(t *testing.T) {
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte("DB_PORT=loud\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for env, want := range map[string]string{"": `DB_PORT is "loud"`, "DB_PORT=silent": `DB_PORT is "silent"`} {
		cmd := exec.Command(binary(), "migrate")
		cmd.Dir, cmd.Env = dir, []string{env}
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%v %s", err, out)
		}
	}
}

// TestDotEnvDollar reads values with a $, which must not be expanded.
func TestDotEnvDollar(t *testing.T) {
	dir := t.TempDir()
	for line, want := range map[string]string{
		`pa$WORD$1${X}$(Y)`: `pa$WORD$1${X}$(Y)`, `'pa$$WORD'`: `pa$$WORD`, `"pa$WORD"`: `pa$WORD`,
		`"pa\$WORD"`: `pa$WORD`, `a\$b`: `a\$b`, `$`: `$`,
	} {
		content := []byte("WORD=x\nDB_DRIVER=" + line + " # a comment\n")
		if err := os.WriteFile(filepath.Join(dir, ".env"), content, 0o600); err != nil {
			t.Fatal(err)
		}
		cmd := exec.Command(binary(), "migrate")
		cmd.Dir, cmd.Env = dir, []string{}
		want := fmt.Sprintf("DB_DRIVER is %q;", want)
		if out, err := cmd.CombinedOutput(); err == nil || !strings.Contains(string(out), want) {
			t.Errorf("%s: want %s, got %v %s", line, want, err, out)
		}
	}
}

// TestLogReaderEnds closes the reader of the log. The services must go on.
func TestLogReaderEnds(t *testing.T) {
	reader, log, err := os.Pipe()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("sh", "-c", "exec "+binary()+" 2>&3")
	cmd.ExtraFiles = []*os.File{log} // has the file descriptor 3 in the process
	p := launch(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")), cmd)
	log.Close()
	reader.Close()
	for range 3 { // each request writes a line into the log
		if status, body, _ := webtest.Do(t, "GET", p.orders+"/products/1", ""); status != 200 {
			t.Errorf("%d %s", status, body)
		}
	}
	if code := p.stop(); code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
}

// TestVersion builds the program with a version. The commands, the log, and the health and the document of
// each service must show this version.
func TestVersion(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b2b")
	const version = "-X example.com/b2b/v2/internal/buildinfo.version=7.8.9"
	build := exec.Command("go", "build", "-ldflags", version, "-o", path, "example.com/b2b/v2/cmd/b2b")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	dir := t.TempDir()
	if err := os.WriteFile(filepath.Join(dir, ".env"), []byte("not a variable\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, argument := range []string{"--version", "version"} {
		cmd := exec.Command(path, argument)
		cmd.Dir = dir
		if out, err := cmd.Output(); err != nil || string(out) != "b2b 7.8.9\n" {
			t.Errorf("%v %s", err, out)
		}
	}
	p := launch(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")), exec.Command(path))
	for _, base := range p.all {
		for path, want := range map[string]string{
			"/health": `"version":"7.8.9"`, "/openapi.json": `"version":"7.8.9"`,
			"/openapi.yaml": `version: "7.8.9"`,
		} {
			if status, body, _ := webtest.Do(t, "GET", base+path, ""); status != 200 ||
				!strings.Contains(string(body), want) {
				t.Errorf("%s%s: %d without %s", base, path, status, want)
			}
		}
	}
	started := regexp.MustCompile(`"msg":"started","services":\["customers",.+\],"version":"7\.8\.9"`)
	if p.stop(); !started.MatchString(p.log.String()) {
		t.Errorf("%s", p.log)
	}
}

// TestHelp checks that the help names every command and every variable, and that the help of six commands
// names their flags.
func TestHelp(t *testing.T) {
	for _, args := range [][]string{{"--help"}, {"-h"}, {"help"}, {"orders", "--help"}} {
		help, err := execute(t, nil, args...)
		if err != nil {
			t.Errorf("%v: %v", args, err)
		}
		for _, command := range []string{
			"customers", "orders", "events", "orchestrator", "import", "export", "order", "cancel", "follow", "migrate", "seed",
			"doctor", "backup", "health", "token", "version",
		} {
			if !strings.Contains(help, "  b2b "+command+" ") {
				t.Errorf("%v does not name %s", args, command)
			}
		}
		for _, v := range config.Variables() {
			if !strings.Contains(help, "  "+v.Name+" ") {
				t.Errorf("%v does not name %s", args, v.Name)
			}
		}
	}
	for command, flags := range map[string]string{
		"import": "base token timeout kind format encoding map refused dry-run output",
		"export": "base token timeout format bom delimiter lines status customer-id external-ref from to " +
			"confirmed-from confirmed-to updated-since search sku email active",
		"order":  "base token timeout customer item external-ref metadata key output confirm",
		"cancel": "base token timeout reason key output",
		"doctor": "json",
		"token":  "sub scope customer ttl",
	} {
		help, err := execute(t, nil, command, "--help")
		if err != nil || !strings.HasPrefix(help, "b2b "+command+": ") || strings.Contains(help, "DB_HOST") {
			t.Errorf("%v %s", err, help)
		}
		for _, name := range strings.Fields(flags) {
			if !strings.Contains(help, "\n  --"+name+" ") {
				t.Errorf("the help of %s does not name --%s:\n%s", command, name, help)
			}
		}
	}
}

// TestHelpWraps reads the help at several widths. No line may be wider, except for a line of a single long
// word, and no word may be lost or broken.
func TestHelpWraps(t *testing.T) {
	spaces := regexp.MustCompile(`\s+`)
	for _, args := range [][]string{{"--help"}, {"order", "--help"}, {"import", "--help"}} {
		wide, err := execute(t, []string{"COLUMNS=1000"}, args...)
		if err != nil {
			t.Fatal(err)
		}
		for columns, width := range map[string]int{
			"": 80, "COLUMNS=0": 80, "COLUMNS=100": 100, "COLUMNS=50": 50,
		} {
			help, err := execute(t, []string{columns}, args...)
			if err != nil || spaces.ReplaceAllString(help, " ") != spaces.ReplaceAllString(wide, " ") {
				t.Errorf("%v %s: %v %s", args, columns, err, help)
			}
			for line := range strings.Lines(help) {
				if len(line) > width+1 && len(strings.Fields(line)) > 1 {
					t.Errorf("%v %s: %q", args, columns, line)
				}
			}
		}
	}
}

// TestInterrupt sends SIGINT to commands that wait for an answer. Each command must end with exit code 130.
func TestInterrupt(t *testing.T) {
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	for _, line := range []string{"export orders", "order --customer 1 --item A:1"} {
		args := append(strings.Fields(line), "--base", "http://"+silent.Addr().String())
		cmd := exec.Command(binary(), args...)
		cmd.Dir, cmd.Env = t.TempDir(), []string{}
		var stderr bytes.Buffer
		cmd.Stderr = &stderr
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		conn, err := silent.Accept()
		if err != nil {
			t.Fatal(err)
		}
		cmd.Process.Signal(os.Interrupt)
		cmd.Wait()
		conn.Close()
		code := cmd.ProcessState.ExitCode()
		if code != 130 || !strings.Contains(stderr.String(), "interrupted") {
			t.Errorf("%s: exit code %d, want 130: %s", line, code, &stderr)
		}
	}
}
