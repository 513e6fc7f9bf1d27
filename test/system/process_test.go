package system_test

import (
	"bufio"
	"bytes"
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

	"example.com/b2b/db"
	"example.com/b2b/internal/config"
	"example.com/b2b/internal/web/webtest"
)

// binary builds b2b once for all tests, as make build does, and returns its path.
var binary = sync.OnceValue(func() string {
	path := filepath.Join(binaryFolder, "b2b")
	build := exec.Command("go", "build", "-o", path, "example.com/b2b/cmd/b2b")
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
	cmd                             *exec.Cmd
	customers, orders, orchestrator string // addresses, as it printed them
	announced                       string // all that it printed at its start
	log                             *bytes.Buffer
}

// start runs b2b in a folder of its own with exactly that environment, and returns once it serves.
func start(t *testing.T, env []string, args ...string) *process {
	t.Helper()
	return launch(t, env, exec.Command(binary(), args...))
}

// launch is start with a command that becomes b2b.
func launch(t *testing.T, env []string, cmd *exec.Cmd) *process {
	t.Helper()
	p := &process{cmd: cmd, log: &bytes.Buffer{}}
	p.cmd.Dir, p.cmd.Env, p.cmd.Stderr = t.TempDir(), env, p.log
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
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		p.announced += lines.Text() + "\n"
		if m := regexp.MustCompile(`^(Customers API|Orders API|Orchestrator) +(http://\S+:\d+)`).FindStringSubmatch(lines.Text()); m != nil {
			map[string]func(){
				"Customers API": func() { p.customers = m[2] },
				"Orders API":    func() { p.orders = m[2] },
				"Orchestrator":  func() { p.orchestrator = m[2] },
			}[m[1]]()
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

// forbidSecrets keeps those of an environment out of all logs.
func forbidSecrets(env []string) {
	for _, variable := range env {
		if name, value, _ := strings.Cut(variable, "="); regexp.MustCompile("_(TOKEN|SECRET|PASSWORD)$").
			MatchString(name) {
			for _, secret := range strings.Split(value, ",") {
				if len(secret) > 5 { // a shorter one is found by chance
					webtest.Forbid(secret)
				}
			}
		}
	}
}

// kill ends the process as a crash does.
func (p *process) kill() {
	p.cmd.Process.Kill()
	p.cmd.Wait()
}

// stop asks the process to end and returns its exit code.
func (p *process) stop() int {
	p.cmd.Process.Signal(syscall.SIGTERM)
	p.cmd.Wait()
	return p.cmd.ProcessState.ExitCode()
}

// execute runs b2b to its end and returns what it printed, and an error with what it complained of.
func execute(t *testing.T, env []string, args ...string) (string, error) {
	t.Helper()
	var out, complaint bytes.Buffer
	cmd := exec.Command(binary(), args...)
	cmd.Dir, cmd.Env, cmd.Stdout, cmd.Stderr = t.TempDir(), env, &out, &complaint
	forbidSecrets(env)
	err := cmd.Run()
	webtest.WantNoLeak(t, complaint.Bytes())
	if err != nil {
		err = fmt.Errorf("%w: %s", err, &complaint)
	}
	return out.String(), err
}

// refused runs b2b, which must not start, and returns what it says.
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

// anyPorts lets all services take free ports.
var anyPorts = func() (env []string) {
	for variable := range servicePorts() {
		env = append(env, variable+"=0")
	}
	return slices.Clip(env) // tests append to it
}()

// servicePorts returns the variables that say where services listen, with the command that runs just that
// service.
func servicePorts() map[string]string {
	commands := map[string]string{}
	for _, v := range config.Variables() {
		if name, found := strings.CutSuffix(v.Name, "_PORT"); found && v.Group != "Database" {
			commands[v.Name] = strings.ToLower(name)
		}
	}
	return commands
}

// freePort returns a port that nobody uses now.
func freePort(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", ":0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return strconv.Itoa(l.Addr().(*net.TCPAddr).Port)
}

// environment is what makes b2b use that database.
func environment(c db.Config) []string {
	env := []string{"APP_ENV=development", "SERVICE_TOKEN=token-of-the-test", "LOG_LEVEL=info"}
	if c.Driver == db.SQLite {
		return append(env, "DB_PATH="+c.Path)
	}
	return append(
		env, "DB_HOST="+c.Host, "DB_PORT="+strconv.Itoa(c.Port), "DB_USER="+c.User, "DB_PASSWORD="+c.Password,
		"DB_NAME="+c.Name,
	)
}
