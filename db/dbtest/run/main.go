// Command run runs go test on every database engine of this machine: SQLite, and each MySQL and MariaDB that TEST_MYSQL_DSN or
// TEST_MARIADB_DSN names or whose server program is installed; that one it starts privately in a temporary folder. It ends by
// saying which engines the tests ran on.
//
//	go run ./db/dbtest/run [-require MySQL,MariaDB] [arguments of go test]
package main

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

	"example.com/b2b/db/dbtest"
)

func main() {
	args := os.Args[1:]
	var required []string
	if len(args) > 1 && args[0] == "-require" {
		required, args = strings.Split(args[1], ","), args[2:]
	}
	if err := run(required, args); err != nil {
		var failed *exec.ExitError
		if errors.As(err, &failed) {
			os.Exit(failed.ExitCode()) // go test has said why
		}
		fmt.Fprintln(os.Stderr, "run:", err)
		os.Exit(1)
	}
}

func run(required, args []string) error {
	dir, err := os.MkdirTemp("", "b2b-test-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	ran := []string{"SQLite"}
	for _, s := range dbtest.Servers {
		if os.Getenv(s.Variable) == "" {
			if program := find(s.Engine); program != "" {
				dsn, stop, err := start(s.Engine, program, filepath.Join(dir, s.Engine))
				if err != nil {
					return fmt.Errorf("%s could not be started: %w", program, err)
				}
				defer stop()
				os.Setenv(s.Variable, dsn)
			}
		}
		if dsn := os.Getenv(s.Variable); dsn != "" {
			version, err := version(dsn)
			if err != nil {
				return fmt.Errorf("%s: %w", s.Variable, err)
			}
			ran = append(ran, s.Engine+" "+version)
		} else if slices.Contains(required, s.Engine) {
			return fmt.Errorf("%s is required: install it or set %s", s.Engine, s.Variable)
		}
	}
	test := exec.Command("go", append([]string{"test"}, args...)...)
	test.Stdout, test.Stderr = os.Stdout, os.Stderr
	err = test.Run()
	fmt.Println("The tests ran on", strings.Join(ran, ", ")+".")
	return err
}

// find returns the engine's server program, "" when it is not installed. MariaDB calls itself mysqld too.
func find(engine string) string {
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

// start makes an empty data folder and runs the server on it, on a free port of this machine.
func start(engine, program, dir string) (dsn string, stop func(), err error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", nil, err
	}
	port := l.Addr().(*net.TCPAddr).Port
	l.Close()
	user := []string{}
	if os.Getuid() == 0 {
		user = []string{"--user=root"}
	}
	data := "--datadir=" + filepath.Join(dir, "data")
	initialize := exec.Command(program, append(user, "--no-defaults", data, "--initialize-insecure")...)
	if engine == "MariaDB" {
		initialize = exec.Command("mariadb-install-db", append([]string{"--no-defaults", data, "--auth-root-authentication-method=normal", "--skip-test-db"}, user...)...)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", nil, err
	}
	if out, err := initialize.CombinedOutput(); err != nil {
		return "", nil, fmt.Errorf("%w: %s", err, out)
	}
	server := exec.Command(program, append([]string{"--no-defaults", data, "--port=" + strconv.Itoa(port), "--bind-address=127.0.0.1",
		"--socket=" + filepath.Join(dir, "sock"), "--pid-file=" + filepath.Join(dir, "pid"), "--max-connections=300",
		"--innodb-flush-log-at-trx-commit=2", "--skip-log-bin"}, user...)...)
	server.SysProcAttr = &syscall.SysProcAttr{Setpgid: true} // Ctrl-C is for go test; the server is stopped after it
	if err := server.Start(); err != nil {
		return "", nil, err
	}
	stop = func() {
		server.Process.Signal(syscall.SIGTERM)
		server.Wait()
	}
	dsn = fmt.Sprintf("root@tcp(127.0.0.1:%d)/", port)
	for deadline := time.Now().Add(time.Minute); ; time.Sleep(100 * time.Millisecond) {
		if _, err = version(dsn); err == nil {
			return dsn, stop, nil
		}
		if time.Now().After(deadline) {
			stop()
			return "", nil, err
		}
	}
}

func version(dsn string) (v string, err error) {
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
