package db_test

import (
	"context"
	"database/sql"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

func openSQLite(t *testing.T) (g *gorm.DB, path string) {
	t.Helper()
	path = filepath.Join(t.TempDir(), "test.db")
	g = dbtest.Open(t, db.Config{Driver: db.SQLite, Path: path})
	if err := g.Exec("CREATE TABLE things (id INTEGER PRIMARY KEY, content BLOB NULL)").Error; err != nil {
		t.Fatal(err)
	}
	return g, path
}

// TestSQLiteCommand uses the system's command sqlite3, which may be older than the SQLite in this program, on
// the sample data. The command changes texts, vacuums the file, dumps and loads the data, and checks both
// files.
func TestSQLiteCommand(t *testing.T) {
	if _, err := exec.LookPath("sqlite3"); err != nil && os.Getenv("CI") == "" {
		t.Skip("this machine has no sqlite3")
	}
	c := db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "test.db")}
	g := dbtest.Open(t, c)
	if _, err := db.Seed(ctx, g); err != nil {
		t.Fatal(err)
	}
	run := func(path, script string) string {
		t.Helper()
		command := exec.Command("sqlite3", "-bail", path)
		command.Stdin = strings.NewReader(script)
		out, err := command.CombinedOutput()
		if err != nil {
			t.Errorf("%.60s: %v: %s", script, err, out)
		}
		return string(out)
	}
	for _, table := range []string{"customers", "products"} {
		run(c.Path, "UPDATE "+table+" SET indexed_text = NULL, name = name || ' & Söhne';")
	}
	run(c.Path, "VACUUM;")
	dump := run(c.Path, ".dump")
	if !strings.Contains(dump, "GENERATED ALWAYS") || strings.Contains(dump, "CONCAT") {
		t.Errorf("a generated column uses CONCAT, which needs SQLite 3.44: %s", dump)
	}
	copied := db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "copy.db")}
	run(copied.Path, dump)
	for _, path := range []string{c.Path, copied.Path} {
		if out := run(path, "PRAGMA integrity_check; PRAGMA foreign_key_check;"); out != "ok\n" {
			t.Errorf("%s: %s", filepath.Base(path), out)
		}
	}
	var names []string
	err := dbtest.Open(t, copied).Table("customers").Order("id").Pluck("name", &names).Error
	if err != nil || len(names) != 5 || names[0] != "ACME Corporation & Söhne" {
		t.Errorf("the copy has %v, %v", names, err)
	}
}

// holdLock takes the write lock of SQLite, as another process would, until free is called.
func holdLock(t *testing.T, path string) (free func()) {
	t.Helper()
	other, err := sql.Open("sqlite", path)
	if err == nil {
		other.SetMaxOpenConns(1)
		_, err = other.Exec("BEGIN IMMEDIATE")
	}
	if err != nil {
		t.Fatal(err)
	}
	free = func() { other.Close() }
	t.Cleanup(free)
	return free
}

// TestReadsBesideForeignLock reads while another process has the write lock and a transaction here waits for
// the lock. Ready fails within its timeout, and the waiting transaction succeeds in the end.
func TestReadsBesideForeignLock(t *testing.T) {
	g, path := openSQLite(t)
	free := holdLock(t, path)
	soon, cancel := context.WithTimeout(ctx, 5*time.Second)
	defer cancel()
	read := func() (n int64) {
		t.Helper()
		if err := g.WithContext(soon).Table("things").Count(&n).Error; err != nil {
			t.Error(err)
		}
		return n
	}
	read()
	if err := db.Ready(ctx, g, "things"); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("ready: %v", err)
	}
	written := make(chan error, 1)
	go func() {
		written <- db.InTx(ctx, g, func(tx *gorm.DB) error {
			return tx.Exec("INSERT INTO things (id) VALUES (1)").Error
		})
	}()
	pool, _ := g.DB()
	for deadline := time.Now().Add(time.Minute); pool.Stats().InUse == 0; { // until the transaction waits
		if time.Now().After(deadline) {
			t.Fatal("the writer does not wait")
		}
		time.Sleep(time.Millisecond)
	}
	read()
	if err := db.Ready(ctx, g, "things"); !errors.Is(err, db.ErrUnavailable) {
		t.Errorf("ready while a transaction waits for the lock: %v", err)
	}
	if read() != 0 || len(written) > 0 || soon.Err() != nil {
		t.Error("a row was written, or the reads took too long")
	}
	free()
	if err := <-written; err != nil {
		t.Error(err)
	}
	var n int64
	if err := g.Table("things").Count(&n).Error; err != nil || n != 1 {
		t.Errorf("%d rows after the commit, %v", n, err)
	}
	if err := db.Ready(ctx, g, "things"); err != nil {
		t.Error(err)
	}
}

// TestReadersDoNotWrite runs INSERT ... RETURNING through Raw, which gorm takes for a read. The statement
// must use the connection for writes.
func TestReadersDoNotWrite(t *testing.T) {
	g, _ := openSQLite(t)
	var id int64
	for range 2 {
		if err := g.Raw("INSERT INTO things (content) VALUES ('a') RETURNING id").Scan(&id).Error; err != nil ||
			id == 0 {
			t.Errorf("%d, %v", id, err)
		}
	}
	if err := g.Raw(" \n\tSELECT MAX(id) FROM things").Scan(&id).Error; err != nil || id != 2 {
		t.Errorf("%d, %v", id, err)
	}
}

// TestLogIsBounded writes much data during overlapping reads, with a read in progress at every moment. The
// write-ahead log must be truncated nevertheless.
func TestLogIsBounded(t *testing.T) {
	if testing.Short() {
		t.Skip("writes 70 MB")
	}
	g, path := openSQLite(t)
	const bound = 64 << 20
	size := func() int64 {
		log, err := os.Stat(path + "-wal")
		if err != nil {
			t.Fatal(err)
		}
		return log.Size()
	}
	read := func() *sql.Rows {
		rows, err := g.Raw("SELECT id FROM things UNION ALL SELECT 1 UNION ALL SELECT 2").Rows()
		if err != nil || !rows.Next() {
			panic(err)
		}
		return rows
	}
	// SQLite cannot restart the log while a read is in progress.
	reading := read()
	for written := 0; size() < bound; written++ {
		if err := g.Exec("INSERT INTO things (content) VALUES (zeroblob(1000000 + 48576))").Error; err != nil {
			t.Fatal(err)
		}
		next := read()
		reading.Close()
		reading = next
		if written == 200 {
			t.Fatalf("the log had only %d bytes", size())
		}
	}
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			next := read()
			reading.Close()
			reading = next
			select {
			case <-stop:
				reading.Close()
				return
			case <-time.After(time.Millisecond):
			}
		}
	}()
	defer func() { close(stop); <-stopped }()
	for deadline := time.Now().Add(time.Minute); size() >= bound; {
		if err := g.Exec("INSERT INTO things (content) VALUES (NULL)").Error; err != nil {
			t.Fatal(err)
		}
		if time.Now().After(deadline) {
			t.Fatalf("the log has %d bytes", size())
		}
	}
}
