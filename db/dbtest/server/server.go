// Package server runs a private MySQL or MariaDB server on this machine, for tests: in a folder and on a port
// of its own. It may be killed and started again on its data.
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

// Server is a private server. Its methods are for one goroutine at a time.
type Server struct {
	DSN  string // of a user who may do everything
	Port int

	command []string // that runs it, when program does not
	program string
	args    []string
	process *os.Process
	ended   chan struct{} // closed when the process has
}

// Private starts an engine's server in dir, by the installed program. Where MySQL can only be run by a
// command, TEST_MYSQL_KILL is that command: it is called with the words start, kill (SIGKILL) or wipe (stop,
// delete the data), and a port of 127.0.0.1, and lets root in without a password; dir and args are not for
// it. Private returns nil when neither is there.
func Private(engine, dir string, args ...string) (*Server, error) {
	if command := strings.Fields(os.Getenv("TEST_MYSQL_KILL")); engine == "MySQL" && len(command) > 0 {
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		s := &Server{DSN: dsn(port), Port: port, command: command}
		return s, errors.Join(s.Stop(), s.Restart()) // without the data that a run which was killed left there
	}
	program := Find(engine)
	if program == "" {
		return nil, nil
	}
	return Start(engine, program, dir, args...)
}

// Find returns the server program of MySQL or MariaDB, which calls itself mysqld too. It returns "" for one
// that is not installed and for all other engines.
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

// Start makes an empty data folder in dir and runs the server on it, on a free port of this machine and with
// these arguments besides its own. It returns when the server answers.
func Start(engine, program, dir string, args ...string) (*Server, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o755); err != nil {
		return nil, err
	}
	// A MariaDB that starts deletes the temporary tables of all others that have the same tmpdir.
	own := []string{
		"--no-defaults", "--datadir=" + filepath.Join(dir, "data"), "--tmpdir=" + filepath.Join(dir, "tmp"),
	}
	if os.Getuid() == 0 {
		own = append(own, "--user=root")
	}
	initialize := exec.Command(program, append(own, "--initialize-insecure")...)
	if engine == "MariaDB" {
		initialize = exec.Command(
			"mariadb-install-db",
			append(own, "--auth-root-authentication-method=normal", "--skip-test-db")...)
	}
	if out, err := initialize.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	own = append(
		own,
		"--port="+strconv.Itoa(port),
		"--bind-address=127.0.0.1",
		"--socket="+filepath.Join(dir, "sock"),
		"--pid-file="+filepath.Join(
			dir, "pid",
		),
		"--max-connections=300",
		"--skip-log-bin",
		"--loose-innodb-snapshot-isolation=ON",
	)
	s := &Server{DSN: dsn(port), Port: port, program: program, args: append(own, args...)}
	return s, s.Restart()
}

// FreePort returns a port of this machine that nobody uses now.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func dsn(port int) string { return fmt.Sprintf("root@tcp(127.0.0.1:%d)/", port) }

// Restart runs the server, which must have ended, on its data again. It returns when the server answers.
func (s *Server) Restart() error {
	if s.command != nil {
		return s.tell("start")
	}
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

// Ended is closed when the process has ended that runs now, whatever ended it; nil where a command runs the
// server.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Kill ends the server as a crash does.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Stop ends the server in good order.
func (s *Server) Stop() error { return s.end(syscall.SIGTERM) }

// Freeze stops the process of a server that Start has started, until Thaw lets it go on.
func (s *Server) Freeze() error { return s.process.Signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (s *Server) Thaw() error { return s.process.Signal(syscall.SIGCONT) }

func (s *Server) end(how os.Signal) error {
	if s.command != nil {
		return s.tell(map[os.Signal]string{syscall.SIGKILL: "kill", syscall.SIGTERM: "wipe"}[how])
	}
	ended := s.ended // Restart may come from another goroutine as soon as the process has ended
	err := s.process.Signal(how)
	<-ended
	return err
}

// tell calls the command that runs the server.
func (s *Server) tell(word string) error {
	out, err := exec.Command(s.command[0], append(s.command[1:], word, strconv.Itoa(s.Port))...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", word, err, out)
	}
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
