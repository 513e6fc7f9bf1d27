// Package server runs a private MySQL or MariaDB server for tests, with its own data folder and port. Tests
// may kill the server and start it again with the same data.
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
	DSN  string // for a user with all privileges
	Port int

	command []string // see Private; nil when program runs the server
	program string
	args    []string
	process *os.Process
	ended   chan struct{} // closed after the end of process
}

// Private starts an engine's server in dir, with the installed program. For machines without a MySQL program,
// TEST_MYSQL_KILL names a command to run the server. Its last arguments are start, kill (SIGKILL) or wipe
// (stop, delete the data), and a port of 127.0.0.1; root must not need a password. dir and args do not apply
// to the command. Private returns nil without a program and a command.
func Private(engine, dir string, args ...string) (*Server, error) {
	if command := strings.Fields(os.Getenv("TEST_MYSQL_KILL")); engine == "MySQL" && len(command) > 0 {
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		s := &Server{DSN: dsn(port), Port: port, command: command}
		return s, errors.Join(s.Stop(), s.Restart()) // Stop deletes the data of an earlier, killed run
	}
	program := Find(engine)
	if program == "" {
		return nil, nil
	}
	return Start(engine, program, dir, args...)
}

// Find returns the path of the server program of MySQL or MariaDB; both may be named mysqld. It returns ""
// when the program is not installed, and for other engines.
func Find(engine string) string {
	if engine != "MySQL" && engine != "MariaDB" {
		return ""
	}
	for _, name := range []string{"mysqld", "mariadbd"} {
		dirs := append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin", "/usr/libexec")
		for _, dir := range dirs {
			path := filepath.Join(dir, name)
			version, err := exec.Command(path, "--no-defaults", "--version").Output()
			if err == nil && strings.Contains(string(version), "MariaDB") == (engine == "MariaDB") {
				return path
			}
		}
	}
	return ""
}

// Start creates a data folder in dir and runs the server on a free port, with additional arguments. It
// returns when the server answers.
func Start(engine, program, dir string, args ...string) (*Server, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o755); err != nil {
		return nil, err
	}
	// A starting MariaDB deletes all temporary tables in tmpdir, even those of other servers.
	own := []string{"--no-defaults",
		"--datadir=" + filepath.Join(dir, "data"), "--tmpdir=" + filepath.Join(dir, "tmp")}
	if os.Getuid() == 0 {
		own = append(own, "--user=root")
	}
	initialize := exec.Command(program, append(own, "--initialize-insecure")...)
	if engine == "MariaDB" {
		initialize = exec.Command("mariadb-install-db",
			append(own, "--auth-root-authentication-method=normal", "--skip-test-db")...)
	}
	if out, err := initialize.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	own = append(own, "--port="+strconv.Itoa(port), "--bind-address=127.0.0.1",
		"--socket="+filepath.Join(dir, "sock"), "--pid-file="+filepath.Join(dir, "pid"),
		"--max-connections=300", "--skip-log-bin", "--loose-innodb-snapshot-isolation=ON")
	s := &Server{DSN: dsn(port), Port: port, program: program, args: append(own, args...)}
	return s, s.Restart()
}

// FreePort returns an unused TCP port of 127.0.0.1.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func dsn(port int) string { return fmt.Sprintf("root@tcp(127.0.0.1:%d)/", port) }

// Restart runs the ended server again with its data. It returns when the server answers.
func (s *Server) Restart() error {
	if s.command != nil {
		return s.runCommand("start")
	}
	cmd := exec.Command(s.program, s.args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // no SIGINT from Ctrl-C: the tests stop the server
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

// Ended returns a channel that is closed after the end of the current process. It returns nil when
// TEST_MYSQL_KILL runs the server.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Kill ends the server like a crash.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL) }

// Stop shuts the server down and waits for its end.
func (s *Server) Stop() error { return s.end(syscall.SIGTERM) }

// Freeze pauses the process of the server until Thaw. The server must have been started by Start.
func (s *Server) Freeze() error { return s.process.Signal(syscall.SIGSTOP) }

// Thaw ends Freeze.
func (s *Server) Thaw() error { return s.process.Signal(syscall.SIGCONT) }

func (s *Server) end(signal os.Signal) error {
	if s.command != nil {
		if signal == syscall.SIGKILL {
			return s.runCommand("kill")
		}
		return s.runCommand("wipe")
	}
	ended := s.ended // another goroutine may call Restart as soon as the process has ended
	err := s.process.Signal(signal)
	<-ended
	return err
}

func (s *Server) runCommand(verb string) error {
	args := append(s.command[1:], verb, strconv.Itoa(s.Port))
	out, err := exec.Command(s.command[0], args...).CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", verb, err, out)
	}
	return err
}

// Version returns the version of the server at a DSN.
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
