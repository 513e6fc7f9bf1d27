package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	vegeta "github.com/tsenart/vegeta/v12/lib"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest/server"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/openapi/documents"
)

// process is a running server.
type process struct {
	cmd     *exec.Cmd
	startup time.Duration // time from the start to the first answer
}

// launch runs a program, and returns when the address url answers 200. It fails when the program ends, or
// when url has not answered 200 for a minute. The output of the program is discarded, because the
// measurements would include the time to write it to a disk.
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
	client := http.Client{Timeout: 10 * time.Second}
	for deadline := time.After(time.Minute); ; {
		if res, err := client.Get(url); err == nil {
			res.Body.Close()
			if res.StatusCode == http.StatusOK {
				p.startup = time.Since(began)
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

// stop asks the process to end, and waits for the end. After ten seconds, it kills the process.
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

// addresses are the addresses of the services of a process.
type addresses struct{ customers, orders, orchestrator, events string }

// Secrets that are long enough for production.
const (
	jwtSecret    = "a-jwt-secret-of-the-benchmark-of-its-own"
	serviceToken = "a-service-token-of-the-benchmark-of-its-own"
)

// b2b runs all services in one process as in production: calls need tokens, and are logged.
func (b *bench) b2b(ctx context.Context, c db.Config) (*process, addresses, error) {
	cmd := exec.Command(b.program)
	cmd.Dir = b.dir
	cmd.Env = append(
		environment(c), "APP_ENV=production", "BIND_ADDRESS=localhost", "SERVICE_TOKEN="+serviceToken,
		"JWT_SECRET="+jwtSecret,
	)
	at := map[string]string{} // the address, by the name of the service
	for _, d := range documents.All {
		port, err := server.FreePort()
		if err != nil {
			return nil, addresses{}, err
		}
		cmd.Env = append(cmd.Env, fmt.Sprintf("%s_PORT=%d", strings.ToUpper(d.Service), port))
		at[d.Service] = fmt.Sprintf("http://localhost:%d", port)
	}
	p, err := launch(ctx, cmd, at["orders"]+"/ready")
	return p, addresses{at["customers"], at["orders"], at["orchestrator"], at["events"]}, err
}

func environment(c db.Config) []string {
	if c.Driver == db.SQLite {
		return []string{"DB_PATH=" + c.Path}
	}
	return []string{
		"DB_HOST=" + c.Host, "DB_PORT=" + strconv.Itoa(c.Port), "DB_USER=" + c.User, "DB_NAME=" + c.Name,
	}
}

// instances returns a contender whose calls are spread over the processes.
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
	tokens := auth.Tokens{Secrets: []string{jwtSecret}}
	return tokens.Issue(auth.Principal{Subject: "bench", Scope: auth.Admin}, 24*time.Hour)
}

func build(ctx context.Context, program string) error {
	out, err := exec.CommandContext(ctx, "make", "build", "PROGRAM="+program).CombinedOutput()
	if err != nil {
		err = errors.Join(err, errors.New(string(out)))
	}
	return err
}
