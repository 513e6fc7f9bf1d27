package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/procfs"
	vegeta "github.com/tsenart/vegeta/v12/lib"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest/server"
	"example.com/b2b/internal/auth"
)

// process is a running program that serves.
type process struct {
	cmd  *exec.Cmd
	took time.Duration // from its start to its first answer
}

// launch runs a program and returns when url answers 200. What the program prints goes nowhere, as a disk that is busy with it would be
// measured, too.
func launch(ctx context.Context, cmd *exec.Cmd, url string) (*process, error) {
	began := time.Now()
	if err := cmd.Start(); err != nil {
		return nil, err
	}
	p := &process{cmd: cmd}
	ended := make(chan error, 1)
	go func() { ended <- cmd.Wait() }()
	tick := time.NewTicker(time.Millisecond)
	defer tick.Stop()
	for deadline := time.After(time.Minute); ; {
		if res, err := http.Get(url); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				p.took = time.Since(began)
				return p, nil
			}
		}
		select {
		case err := <-ended:
			return nil, fmt.Errorf("%s has ended: %v", cmd, err)
		case <-deadline:
			p.stop()
			return nil, fmt.Errorf("%s does not answer at %s", cmd, url)
		case <-ctx.Done():
			p.stop()
			return nil, ctx.Err()
		case <-tick.C:
		}
	}
}

// stop asks the process to end, and returns when its port is free or it has had ten seconds.
func (p *process) stop() {
	_ = p.cmd.Process.Signal(syscall.SIGTERM)
	for range 1000 {
		if p.cmd.Process.Signal(syscall.Signal(0)) != nil {
			return
		}
		time.Sleep(10 * time.Millisecond)
	}
	_ = p.cmd.Process.Kill()
}

func (p *process) pid() int { return p.cmd.Process.Pid }

// addresses are where the services of one process are.
type addresses struct{ customers, orders, orchestrator string }

// secrets that production takes.
const (
	jwtSecret    = "a-jwt-secret-of-the-benchmark-of-its-own"
	serviceToken = "a-service-token-of-the-benchmark-of-its-own"
)

// b2b runs all three services in one process, as in production: callers need tokens, and each call is logged.
func (b *bench) b2b(ctx context.Context, c db.Config) (*process, addresses, error) {
	var ports [3]string
	for i := range ports {
		port, err := server.FreePort()
		if err != nil {
			return nil, addresses{}, err
		}
		ports[i] = strconv.Itoa(port)
	}
	cmd := exec.Command(b.program)
	cmd.Dir = b.dir
	cmd.Env = append(environment(c), "APP_ENV=production", "BIND_ADDRESS=localhost", "SERVICE_TOKEN="+serviceToken, "JWT_SECRET="+jwtSecret,
		"CUSTOMERS_PORT="+ports[0], "ORDERS_PORT="+ports[1], "ORCHESTRATOR_PORT="+ports[2])
	at := func(i int) string { return "http://localhost:" + ports[i] }
	p, err := launch(ctx, cmd, at(1)+"/ready")
	return p, addresses{at(0), at(1), at(2)}, err
}

func environment(c db.Config) []string {
	if c.Driver == db.SQLite {
		return []string{"DB_PATH=" + c.Path}
	}
	return []string{"DB_HOST=" + c.Host, "DB_PORT=" + strconv.Itoa(c.Port), "DB_USER=" + c.User, "DB_NAME=" + c.Name}
}

// instances are processes of b2b that share the calls.
func (b *bench) instances(name string, all []addresses, processes ...*process) contender {
	c := contender{name: name, transport: overHTTP, target: func(o operation, n int64) vegeta.Target {
		return b.authorized(o.http(all[n%int64(len(all))], n))
	}}
	for _, p := range processes {
		c.service = append(c.service, p.pid())
	}
	return c
}

func (b *bench) authorized(t vegeta.Target) vegeta.Target {
	if t.Header == nil {
		t.Header = http.Header{}
	}
	t.Header.Set("Authorization", "Bearer "+b.token)
	if t.Body != nil {
		t.Header.Set("Content-Type", "application/json")
	}
	return t
}

func token() (string, error) {
	return auth.Tokens{Secret: jwtSecret}.Issue(auth.Principal{Subject: "bench", Scope: auth.Admin}, 24*time.Hour)
}

// peer is the same placement of an order, as others would write it.
type peer struct {
	name, folder, needs string
	install             string                                 // run by bash, in a folder of its own outside of the checkout, beside the peer's files
	command             func(installed string) (args []string) // in that folder
}

var peers = []peer{{
	"Express + mysql2", "express", "npm", "npm install --no-audit --no-fund --silent",
	func(string) []string { return []string{"node", "server.js"} },
}, {
	"FastAPI + SQLAlchemy", "fastapi", "python3", "python3 -m venv venv && venv/bin/pip install -q -r requirements.txt",
	func(installed string) []string {
		return []string{filepath.Join(installed, "venv/bin/python"), "server.py"}
	},
}}

// start installs a peer, where that was not done yet, and runs it. It returns no process where the peer's language is missing.
func (p peer) start(ctx context.Context, b *bench, c db.Config) (*process, contender, error) {
	if _, err := exec.LookPath(p.needs); err != nil {
		return nil, contender{}, nil
	}
	cache, err := os.UserCacheDir()
	if err != nil {
		return nil, contender{}, err
	}
	installed := filepath.Join(cache, "b2b-bench", p.folder)
	// It is installed again when the list of what it needs has changed.
	install := exec.CommandContext(ctx, "bash", "-ec", `mkdir -p "$2"; cd "$1"; for list in package.json requirements.txt; do
		[[ ! -f $list ]] || cmp -s $list "$2/done" || { cp -r . "$2"; (cd "$2"; `+p.install+`); cp $list "$2/done"; }; done; cp -r . "$2"`,
		"bash", filepath.Join("test", "bench", "peers", p.folder), installed)
	if out, err := install.CombinedOutput(); err != nil {
		return nil, contender{}, fmt.Errorf("%s cannot be installed: %w: %s", p.name, err, out)
	}
	port, err := server.FreePort()
	if err != nil {
		return nil, contender{}, err
	}
	args := p.command(installed)
	cmd := exec.Command(args[0], args[1:]...)
	cmd.Dir, cmd.Env = installed, append(append(os.Environ(), environment(c)...), "PORT="+strconv.Itoa(port))
	base := "http://127.0.0.1:" + strconv.Itoa(port)
	running, err := launch(ctx, cmd, base+"/health")
	if err != nil {
		return nil, contender{}, err
	}
	return running, b.instances(p.name, []addresses{{orders: base}}, running), nil
}

// usage is what processes have used so far.
type usage struct {
	cpu  time.Duration
	peak uint64 // memory, in bytes
	now  uint64
}

// usedBy adds up what processes and their children have used. A process id of 0 is none.
func usedBy(pids ...int) (sum usage, err error) {
	for _, pid := range family(pids) {
		p, err := procfs.NewProc(pid)
		if err != nil {
			return sum, err
		}
		stat, err := p.Stat()
		if err != nil {
			return sum, err
		}
		status, err := p.NewStatus()
		if err != nil {
			return sum, err
		}
		sum.cpu += time.Duration(stat.CPUTime() * float64(time.Second))
		sum.peak += status.VmHWM
		sum.now += status.VmRSS
	}
	return sum, nil
}

func family(pids []int) (all []int) {
	for _, pid := range pids {
		if pid == 0 {
			continue
		}
		all = append(all, pid)
		threads, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
		for _, thread := range threads {
			children, _ := os.ReadFile(thread) // a thread may have ended
			for _, child := range strings.Fields(string(children)) {
				id, _ := strconv.Atoi(child)
				all = append(all, family([]int{id})...)
			}
		}
	}
	return all
}

// forgetPeak lets the peak of processes' memory start anew: see clear_refs in proc(5). Where that is not allowed it is the peak since
// their start.
func forgetPeak(pids ...int) {
	for _, pid := range family(pids) {
		_ = os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", pid), []byte("5"), 0)
	}
}

// build makes the program that is measured.
func build(ctx context.Context, program string) error {
	out, err := exec.CommandContext(ctx, "make", "build", "PROGRAM="+program).CombinedOutput()
	if err != nil {
		err = errors.Join(err, errors.New(string(out)))
	}
	return err
}
