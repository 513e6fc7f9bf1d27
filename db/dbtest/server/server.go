// Package server runs a private MySQL or MariaDB server on this machine, for tests: in a folder and on a port of its own. It may
// be killed and started again on its data.
package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql"
)

// Server is a private server. Its methods are for one goroutine.
type Server struct {
	DSN  string // of a user who may do everything
	Port int

	program string
	args    []string
	process *os.Process
	ended   chan struct{} // closed when the process has
}

// Find returns the server program of MySQL or MariaDB, which calls itself mysqld too. It returns "" for one that is not installed
// and for all other engines.
func Find(engine string) string {
	if engine != "MySQL" && engine != "MariaDB" {
		return ""
	}
	for _, name := range []string{"mysqld", "mariadbd"} {
		for _, dir := range append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin", "/usr/libexec") {
			path := filepath.Join(dir, name)
			says, err := exec.Command(path, "--no-defaults", "--version").Output()
			if err == nil && strings.Contains(string(says), "MariaDB") == (engine == "MariaDB") {
				return path
			}
		}
	}
	return ""
}

// Start makes an empty data folder in dir and runs the server on it, on a free port of this machine and with these arguments
// besides its own. It returns when the server answers.
func Start(engine, program, dir string, args ...string) (*Server, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	own := []string{"--no-defaults", "--datadir=" + filepath.Join(dir, "data")}
	if os.Getuid() == 0 {
		own = append(own, "--user=root")
	}
	initialize := exec.Command(program, append(own, "--initialize-insecure")...)
	if engine == "MariaDB" {
		initialize = exec.Command("mariadb-install-db", append(own, "--auth-root-authentication-method=normal", "--skip-test-db")...)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return nil, err
	}
	if out, err := initialize.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	own = append(own, "--port="+strconv.Itoa(port), "--bind-address=127.0.0.1", "--socket="+filepath.Join(dir, "sock"),
		"--pid-file="+filepath.Join(dir, "pid"), "--max-connections=300", "--skip-log-bin", "--loose-innodb-snapshot-isolation=ON")
	s := &Server{DSN: fmt.Sprintf("root@tcp(127.0.0.1:%d)/", port), Port: port, program: program, args: append(own, args...)}
	return s, s.Restart()
}

// Restart runs the server, which must have ended, on its data again. It returns when the server answers.
func (s *Server) Restart() error {
	cmd := exec.Command(s.program, s.args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for the tests; the server is stopped after them
	err := cmd.Start()
	if err != nil {
		return err
	}
	ended := make(chan struct{})
	go func() { cmd.Wait(); close(ended) }()
	s.process, s.ended = cmd.Process, ended
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if _, err = Version(s.DSN); err == nil {
			return nil
		}
		select {
		case <-ended:
			return fmt.Errorf("it ended: %s", cmd.ProcessState)
		case <-time.After(100 * time.Millisecond):
		}
	}
	return errors.Join(err, s.Stop())
}

// Kill ends the server as a crash does.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Stop ends the server in good order.
func (s *Server) Stop() error { return s.end(syscall.SIGTERM) }

func (s *Server) end(how os.Signal) error {
	err := s.process.Signal(how)
	<-s.ended
	return err
}

// Version asks the server at a DSN for its version.
func Version(dsn string) (v string, err error) {
	pool, err := sql.Open("mysql", dsn)
	if err != nil {
		return "", err
	}
	defer pool.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	err = pool.QueryRowContext(ctx, "SELECT VERSION()").Scan(&v)
	return v, err
}
