package system_test

import (
	"bufio"
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
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/web/webtest"
)

// binary builds b2b once for all tests, in the way of make build, and returns its path.
var binary = sync.OnceValue(func() string {
	path := filepath.Join(binaryFolder, "b2b")
	build := exec.Command("go", "build", "-o", path, "example.com/b2b/v2/cmd/b2b")
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		panic(fmt.Sprintf("%v: %s", err, out))
	}
	return path
})

var binaryFolder string

func TestMain(m *testing.M) {
	var err error
	if binaryFolder, err = os.MkdirTemp("", "b2b-"); err != nil {
		panic(err)
	}
	code := m.Run()
	os.RemoveAll(binaryFolder)
	os.Exit(code)
}

// process is a running b2b.
type process struct {
	cmd                                     *exec.Cmd
	customers, orders, events, orchestrator string   // addresses, from the output
	all                                     []string // addresses of all services that b2b runs
	base                                    string   // address of the last service
	announced                               string   // the lines that b2b prints when it starts
	log                                     *bytes.Buffer
}

// start runs b2b in a folder of its own with exactly the environment, and returns once b2b serves.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	return launch(t, env, exec.Command(binary(), args...))
}

// launch is like start, for any command that runs b2b.
func launch(t *testing.T, env []string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, log: &bytes.Buffer{}}
	log := &watchedLog{log: p.log, started: make(chan []byte, 1)}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = t.TempDir(), env, log
	forbidSecrets(env)
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := p.cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			p.keepLog(t)
		}
		p.kill()
		webtest.WantNoLeak(t, p.log.Bytes())
	})
	if slices.Contains(env, "APP_ENV=production") {
		p.readStarted(t, log, out)
		return p
	}
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.announced += lines.Text() + "\n"
		if m := serviceAddress.FindStringSubmatch(lines.Text()); m != nil {
			p.add(m[1], m[2])
		}
		if strings.HasPrefix(lines.Text(), "Try: ") {
			go io.Copy(io.Discard, out)
			return p
		}
	}
	p.cmd.Wait()
	t.Fatalf("%v did not start: %s", cmd.Args, p.log)
	return nil
}

// add adds the address of a service. The parameter service is the title of the service, as in the output of
// b2b, or its name, as in the log.
func (p *process) add(service, base string) {
	p.base, p.all = base, append(p.all, base)
	switch service {
	case "Customers API", "customers":
		p.customers = base
	case "Orders API", "orders":
		p.orders = base
	case "Events API", "events":
		p.events = base
	case "Orchestrator", "orchestrator":
		p.orchestrator = base
	}
}

// readStarted waits for the line "started", which b2b logs in production, and reads the addresses from it.
// Stdout must stay empty.
func (p *process) readStarted(t *testing.T, log *watchedLog, stdout io.Reader) {
	t.Helper()
	ended := make(chan []byte)
	go func() {
		all, _ := io.ReadAll(stdout)
		ended <- all
	}()
	var started struct {
		Services  []string
		Addresses map[string]string
	}
	select {
	case line := <-log.started:
		if err := json.Unmarshal(line, &started); err != nil {
			t.Fatalf("%v: %s", err, line)
		}
		t.Cleanup(func() {
			p.kill()
			if all := <-ended; len(all) > 0 {
				t.Errorf("stdout of production: %s", all)
			}
		})
	case <-ended:
		p.cmd.Wait()
		t.Fatalf("%v did not start: %s", p.cmd.Args, p.log)
	}
	for _, name := range started.Services {
		p.add(name, started.Addresses[name])
	}
}

// watchedLog collects a log in JSON, and sends the line "started" to the channel started.
type watchedLog struct {
	log     *bytes.Buffer
	started chan []byte
	sent    bool // only Write uses this field
}

func (l *watchedLog) Write(b []byte) (int, error) {
	n, err := l.log.Write(b)
	if !l.sent {
		if line := startedLine.Find(l.log.Bytes()); line != nil {
			l.started <- bytes.Clone(line)
			l.sent = true
		}
	}
	return n, err
}

var (
	startedLine    = regexp.MustCompile(`(?m)^.*"msg":"started".*\n`)
	serviceAddress = regexp.MustCompile(`^(\S.*?) +(http://\S+:\d+) +documentation:`)
	secretVariable = regexp.MustCompile("_(TOKEN|SECRET|PASSWORD)$")
)

// forbidSecrets makes the test fail when a log contains a secret of the environment.
func forbidSecrets(env []string) {
	for _, variable := range env {
		name, value, _ := strings.Cut(variable, "=")
		if !secretVariable.MatchString(name) {
			continue
		}
		for _, secret := range strings.Split(value, ",") {
			if len(secret) > 5 { // a shorter secret may appear by chance
				webtest.Forbid(secret)
			}
		}
	}
}

// kill kills the process, and waits for its end.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// stop sends SIGTERM, and returns the exit code.
func (p *process) stop() int {
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// execute runs b2b to its end, and returns its output. An error contains the output to stderr.
func execute(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	var stdout, stderr bytes.Buffer
	cmd := exec.Command(binary(), args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = t.TempDir(), env, &stdout, &stderr
	forbidSecrets(env)
	err := cmd.Run()
	webtest.WantNoLeak(t, stderr.Bytes())
	if err != nil {
		err = fmt.Errorf("%w: %s", err, &stderr)
	}
	return stdout.String(), err
}

// refused runs b2b, which must end with exit code 1, and returns its output.
func refused(t *testing.T, env []string, args ...string) string {
	t.Helper()
	cmd := exec.Command(binary(), args...)
	cmd.Dir, cmd.Env = t.TempDir(), env
	out, err := cmd.CombinedOutput()
	if cmd.ProcessState.ExitCode() != 1 {
		t.Errorf("%v %s", err, out)
	}
	return string(out)
}

// anyPorts is an environment in which each service listens on a free port.
var anyPorts = portsAt("0")

// servicePorts maps the variable of each port to the command of the service: ORDERS_PORT to orders.
func servicePorts() map[string]string {
	commands := map[string]string{}
	for _, v := range config.Variables() {
		if name, isPort := strings.CutSuffix(v.Name, "_PORT"); isPort && v.Group == "Ports" {
			commands[v.Name] = strings.ToLower(name)
		}
	}
	return commands
}

// portVariables returns the variables of the services' ports, in the order of the configuration.
func portVariables() (names []string) {
	for _, v := range config.Variables() {
		if servicePorts()[v.Name] != "" {
			names = append(names, v.Name)
		}
	}
	return names
}

// portsAt returns an environment that gives all services the same port.
func portsAt(port string) (env []string) {
	for _, variable := range portVariables() {
		env = append(env, variable+"="+port)
	}
	// Clip gives each test that appends to the result a copy of its own.
	return slices.Clip(env)
}

func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// environment returns the variables with which b2b uses the database of c.
func environment(c db.Config) []string {
	env := []string{"APP_ENV=development", "SERVICE_TOKEN=token-of-the-test", "LOG_LEVEL=info"}
	if c.Driver == db.SQLite {
		return append(env, "DB_PATH="+c.Path)
	}
	env = append(env, "DB_HOST="+c.Host, "DB_PORT="+strconv.Itoa(c.Port), "DB_NAME="+c.Name)
	return append(env, "DB_USER="+c.User, "DB_PASSWORD="+c.Password)
}
