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

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
)

// keptFolder returns a new folder that is deleted when the test passes. A failure names it.
func keptFolder(t *testing.T) string {
	dir, err := os.MkdirTemp("", "b2b-kept-")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if t.Failed() {
			t.Logf("the logs, with all goroutines, and the state of the database server are kept in %s", dir)
		} else if err := os.RemoveAll(dir); err != nil {
			t.Error(err)
		}
	})
	return dir
}

// keepDatabase writes what the database server is doing, as a connection of its own sees it, and the test's
// own goroutines to dir.
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
		"SHOW FULL PROCESSLIST", "SHOW ENGINE INNODB STATUS", "SELECT * FROM information_schema.innodb_trx", "SHOW GLOBAL STATUS LIKE '%onnect%'",
		"SELECT * FROM information_schema.innodb_lock_waits",                                                  // MariaDB
		"SELECT * FROM performance_schema.data_lock_waits", "SELECT * FROM performance_schema.metadata_locks", // MySQL
	} {
		fmt.Fprintf(file, "\n%s\n", statement)
		if err := show(pool, file, statement); err != nil {
			fmt.Fprintln(file, err)
		}
	}
}

// show writes a statement's rows, one column a line.
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

// printGoroutines has a Go process print all its goroutines to its stderr and end. It returns when somebody
// has waited for its end, or when it does not react.
func printGoroutines(p *os.Process) {
	_ = p.Signal(syscall.SIGQUIT)
	for deadline := time.Now().Add(10 * time.Second); p.Signal(syscall.Signal(0)) == nil && time.Now().Before(deadline); {
		time.Sleep(50 * time.Millisecond)
	}
}

// keepLog ends the process, if it still runs, and writes its log with all its goroutines to a file that the
// test names.
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
		t.Logf("the log of %v is kept in %s", p.cmd.Args, file.Name())
	}
	if err != nil {
		t.Error(err)
	}
}

// until makes a try again while it fails, and ends the test when it has failed for patience.
func until(t *testing.T, what string, try func() bool) {
	t.Helper()
	for began := time.Now(); !try(); {
		if time.Since(began) > patience {
			t.Fatalf("%s: not for %s", what, patience)
		}
	}
}

// patience bounds how long a system may do nothing before a test gives up. A server that recovers from a
// crash on a busy machine may take a minute.
const patience = 2 * time.Minute

// TestEvidence holds that a test which gives up can say what the processes and the database server were
// doing.
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
			want("database.txt", "Command: Sleep") // a connection of b2b
			want("database.txt", "SELECT * FROM information_schema.innodb_trx")
		}
		ended := make(chan struct{})
		go func() { p.cmd.Wait(); close(ended) }()
		printGoroutines(p.cmd.Process)
		<-ended
		if log := p.log.String(); !strings.Contains(log, "main.serve(") ||
			!strings.Contains(log, "connectionOpener(") { // in the main goroutine, and another
			t.Errorf("not all goroutines: %.1000s", log)
		}
	})
}
