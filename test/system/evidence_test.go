package system_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime/pprof"
	"strings"
	"syscall"
	"testing"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// keptFolder returns a new folder, which is deleted when the test passes. The log of a failed test names the
// folder.
func keptFolder(t *testing.T) string {
	dir, err := os.MkdirTemp("", "b2b-kept-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("logs, goroutines, and the state of the database server are in %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// keepDatabase writes the state of the database server, and the goroutines of the test, to dir.
func keepDatabase(t *testing.T, dir string, c db.Config) {
	test, err := os.Create(filepath.Join(dir, "test.goroutines"))
	if err == nil {
		err = pprof.Lookup("goroutine").WriteTo(test, 2)
		test.Close()
	}
	if err != nil {
		t.Error(err)
	}
	if c.Driver == db.SQLite {
		return
	}
	file, err := os.Create(filepath.Join(dir, "database.txt"))
	if err != nil {
		t.Error(err)
		return
	}
	defer file.Close()
	pool, err := sql.Open("mysql", fmt.Sprintf("%s:%s@tcp(%s:%d)/", c.User, c.Password, c.Host, c.Port))
	if err != nil {
		t.Error(err)
		return
	}
	defer pool.Close()
	for _, statement := range []string{
		"SHOW FULL PROCESSLIST", "SHOW ENGINE INNODB STATUS", "SHOW GLOBAL STATUS LIKE '%onnect%'",
		"SELECT * FROM information_schema.innodb_trx",
		"SELECT * FROM information_schema.innodb_lock_waits", // MariaDB
		"SELECT * FROM performance_schema.data_lock_waits",   // MySQL
		"SELECT * FROM performance_schema.metadata_locks",    // MySQL
	} {
		fmt.Fprintf(file, "\n%s\n", statement)
		if err := show(pool, file, statement); err != nil {
			fmt.Fprintln(file, err)
		}
	}
}

// show writes the rows of a statement, with a line for each column.
func show(pool *sql.DB, to io.Writer, statement string) error {
	ctx, cancel := context.WithTimeout(context.Background(), 10*time.Second)
	defer cancel()
	rows, err := pool.QueryContext(ctx, statement)
	if err != nil {
		return err
	}
	defer rows.Close()
	names, err := rows.Columns()
	if err != nil {
		return err
	}
	values, into := make([]sql.NullString, len(names)), make([]any, len(names))
	for i := range values {
		into[i] = &values[i]
	}
	for rows.Next() {
		if err := rows.Scan(into...); err != nil {
			return err
		}
		for i, name := range names {
			fmt.Fprintf(to, "%30s: %s\n", name, strings.TrimSpace(values[i].String))
		}
		fmt.Fprintln(to)
	}
	return rows.Err()
}

// printGoroutines sends SIGQUIT to a Go process, which prints all its goroutines to its stderr and ends.
// printGoroutines returns after the end of the process, but at most ten seconds later. Another goroutine must
// call Wait for the process: until Wait returns, an ended process seems to run.
func printGoroutines(p *os.Process) {
	_ = p.Signal(syscall.SIGQUIT)
	deadline := time.Now().Add(10 * time.Second)
	for p.Signal(syscall.Signal(0)) == nil && time.Now().Before(deadline) {
		time.Sleep(50 * time.Millisecond)
	}
}

// keepLog ends the process, if it still runs, and writes its log, with all its goroutines, to a file. The log
// of the test names the file.
func (p *process) keepLog(t *testing.T) {
	if p.cmd.ProcessState == nil {
		_ = p.cmd.Process.Signal(syscall.SIGQUIT)
		defer time.AfterFunc(10*time.Second, func() { p.cmd.Process.Kill() }).Stop()
		p.cmd.Wait()
	}
	file, err := os.CreateTemp("", "b2b-kept-*.log")
	if err == nil {
		_, err = file.Write(p.log.Bytes())
		file.Close()
		t.Logf("the log of %v is in %s", p.cmd.Args, file.Name())
	}
	if err != nil {
		t.Error(err)
	}
}

// until repeats the function try until it returns true. After the time patience, it fails the test with the
// text in the parameter goal.
func until(t *testing.T, goal string, try func() bool) {
	t.Helper()
	for began := time.Now(); !try(); {
		if time.Since(began) > patience {
			t.Fatalf("%s: not within %s", goal, patience)
		}
	}
}

// patience is the time without progress after which a test gives up. On a busy machine, a server may need a
// minute to recover from a crash.
const patience = 2 * time.Minute

// TestEvidence checks that a test that gives up can keep the state of the processes and of the database
// server.
func TestEvidence(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		p := start(t, append(environment(c), anyPorts...))
		dir := t.TempDir()
		keepDatabase(t, dir, c)
		want := func(file, text string) {
			t.Helper()
			content, err := os.ReadFile(filepath.Join(dir, file))
			if err != nil || !strings.Contains(string(content), text) {
				t.Errorf("%q is not in %s, %v: %.1000s", text, file, err, content)
			}
		}
		want("test.goroutines", "TestEvidence")
		if c.Driver == db.MySQL {
			want("database.txt", "Command: Sleep") // an idle connection of b2b
			want("database.txt", "SELECT * FROM information_schema.innodb_trx")
		}
		ended := make(chan struct{})
		go func() { p.cmd.Wait(); close(ended) }()
		printGoroutines(p.cmd.Process)
		<-ended
		// Each function runs in another goroutine.
		for _, function := range []string{"main.serve(", "connectionOpener("} {
			if log := p.log.String(); !strings.Contains(log, function) {
				t.Errorf("not all goroutines: %.1000s", log)
			}
		}
	})
}
