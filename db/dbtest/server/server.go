// Package server runs a private MySQL or MariaDB server for tests, in a folder and on a port of its own.
// Tests may kill the server, and start it again with the old data.
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
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	_ "github.com/go-sql-driver/mysql"
)

// Server is a database server that only the tests of one command use. Only one goroutine at a time may call
// its methods.
type Server struct {
	DSN  string // DSN of the user root
	Port int

	command []string // the command of TEST_MYSQL_KILL that runs the server; nil when program runs it
	program string
	args    []string
	process *os.Process
	ended   chan struct{} // closed when the process has ended
}

// Engines is the environment variable with the names of the engines that tests may use, separated by commas,
// for example SQLite,MySQL. When the variable is not set, tests use all engines.
const Engines = "TEST_ENGINES"

// IsChosen reports whether tests may use an engine.
func IsChosen(engine string) bool {
	chosen := os.Getenv(Engines)
	return chosen == "" || slices.Contains(strings.Split(chosen, ","), engine)
}

// Private starts a server of an engine in the folder dir. It runs the installed server program with the
// arguments args. It returns nil when no program is installed, or the engine is not chosen.
//
// For MySQL, the environment variable TEST_MYSQL_KILL may name a command that replaces the program; then the
// parameter dir is not used. The command gets the argument start, kill (SIGKILL) or wipe (stop the server,
// and delete its data), and a port of 127.0.0.1; the arguments of the server are in the variable
// MYSQL_SERVER_ARGS. On the command's server, root must have no password.
func Private(engine, dir string, args ...string) (*Server, error) {
	command := strings.Fields(os.Getenv("TEST_MYSQL_KILL"))
	if engine == "MySQL" && len(command) > 0 && IsChosen(engine) {
		port, err := FreePort()
		if err != nil {
			return nil, err
		}
		s := &Server{DSN: dsn(port), Port: port, command: command, args: append([]string{noBinaryLog}, args...)}
		return s, errors.Join(s.Stop(), s.Restart()) // Stop deletes data that an earlier run has left
	}
	program := Find(engine)
	if program == "" {
		return nil, nil
	}
	return Start(engine, program, dir, args...)
}

// Find returns the path of an engine's server program, or "" when there is none, or the engine is not chosen.
// The program of MariaDB may also be called mysqld.
func Find(engine string) string {
	if engine != "MySQL" && engine != "MariaDB" || !IsChosen(engine) {
		return ""
	}
	for _, name := range []string{"mysqld", "mariadbd"} {
		dirs := append(filepath.SplitList(os.Getenv("PATH")), "/usr/sbin", "/usr/local/sbin", "/usr/libexec")
		for _, dir := range dirs {
			path := filepath.Join(dir, name)
			says, err := exec.Command(path, "--no-defaults", "--version").Output()
			if err == nil && strings.Contains(string(says), "MariaDB") == (engine == "MariaDB") {
				return path
			}
		}
	}
	return ""
}

// Start runs the server program of an engine on a free port, with an empty data folder in the folder dir. The
// parameter args is added to the usual arguments. Start returns when the server answers.
func Start(engine, program, dir string, args ...string) (*Server, error) {
	port, err := FreePort()
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(filepath.Join(dir, "tmp"), 0o755); err != nil {
		return nil, err
	}
	// The server gets a tmpdir of its own, because a starting MariaDB deletes the temporary tables of all
	// servers with the same tmpdir.
	own := []string{
		"--no-defaults", "--datadir=" + filepath.Join(dir, "data"), "--tmpdir=" + filepath.Join(dir, "tmp"),
	}
	if os.Getuid() == 0 {
		own = append(own, "--user=root")
	}
	initialize := exec.Command(program, append(own, "--initialize-insecure")...)
	if engine == "MariaDB" {
		args := append(own, "--auth-root-authentication-method=normal", "--skip-test-db")
		initialize = exec.Command("mariadb-install-db", args...)
	}
	if out, err := initialize.CombinedOutput(); err != nil {
		return nil, fmt.Errorf("%w: %s", err, out)
	}
	own = append(own,
		"--port="+strconv.Itoa(port), "--bind-address=127.0.0.1", "--socket="+filepath.Join(dir, "sock"),
		"--pid-file="+filepath.Join(dir, "pid"), "--max-connections=300", noBinaryLog,
		"--loose-innodb-snapshot-isolation=ON",
	)
	s := &Server{DSN: dsn(port), Port: port, program: program, args: append(own, args...)}
	return s, s.Restart()
}

// noBinaryLog is an argument of servers. An argument --log-bin after it takes precedence.
const noBinaryLog = "--skip-log-bin"

// FreePort returns an unused port of this machine.
func FreePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, err
	}
	return l.Addr().(*net.TCPAddr).Port, l.Close()
}

func dsn(port int) string { return fmt.Sprintf("root@tcp(127.0.0.1:%d)/", port) }

// Restart starts the server again after its end, with the old data. It returns when the server answers.
func (s *Server) Restart() error {
	if s.command != nil {
		return s.tell("start")
	}
	cmd := exec.Command(s.program, s.args...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C must end only the tests, not the server
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

// Ended returns a channel that is closed when the current process ends. It returns nil when a command runs
// the server.
func (s *Server) Ended() <-chan struct{} { return s.ended }

// Kill ends the server as a crash would.
func (s *Server) Kill() error { return s.end(syscall.SIGKILL, "kill") }

// Stop shuts the server down. When the command of TEST_MYSQL_KILL runs the server, Stop also deletes the
// data.
func (s *Server) Stop() error { return s.end(syscall.SIGTERM, "wipe") }

// Freeze suspends the process until Thaw. The server must be a process that Private or Start has started.
func (s *Server) Freeze() error { return s.process.Signal(syscall.SIGSTOP) }

// Thaw resumes the process that Freeze has suspended.
func (s *Server) Thaw() error { return s.process.Signal(syscall.SIGCONT) }

func (s *Server) end(signal os.Signal, word string) error {
	if s.command != nil {
		return s.tell(word)
	}
	// Read s.ended before the signal: once the process has ended, another goroutine may call Restart, and
	// Restart replaces s.ended.
	ended := s.ended
	err := s.process.Signal(signal)
	<-ended
	return err
}

// tell runs the server's command with a word, such as start, and the port.
func (s *Server) tell(word string) error {
	args := append(s.command[1:], word, strconv.Itoa(s.Port))
	cmd := exec.Command(s.command[0], args...)
	cmd.Env = append(os.Environ(), "MYSQL_SERVER_ARGS="+strings.Join(s.args, " "))
	out, err := cmd.CombinedOutput()
	if err != nil {
		err = fmt.Errorf("%s: %w: %s", word, err, out)
	}
	return err
}

// Version asks the server at a DSN for the version.
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
