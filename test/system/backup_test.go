package system_test

import (
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
)

// TestBackup copies the database under load, kills the services, and restores the copy elsewhere, with the
// commands of docs/operations.md. The doctor must find nothing broken. The copy must have every order, with
// its key, that was acknowledged before the backup began. A new order must not get the id of an order that
// the copy lacks.
func TestBackup(t *testing.T) {
	section := sectionOf(t, page(t, "docs/operations.md"), "## Backup and restore")
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		b := backupOf(t, section, g, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		p := start(t, append(environment(c), anyPorts...))
		webtest.Do(t, "POST", p.orders+"/products/2/stock-adjustments", `{"delta":1000000,"reason":"load"}`,
			"Content-Type", "application/json")
		load := placeOrders(p.orchestrator, 8)
		load.await(50)
		before := load.placed()
		b.copy()
		load.await(50)
		p.kill()
		all := load.stop()

		restored := b.restore()
		if out, err := execute(t, databaseOnly(restored), "doctor"); err != nil {
			t.Errorf("the doctor after the restore: %v\n%s", err, out)
		}
		b.skipIDs(restored, int64(len(all))+1000)
		p = start(t, append(environment(restored), anyPorts...))
		lost := 0
		for key, id := range all {
			again := order(p.orchestrator, key)
			_, must := before[key]
			switch {
			case must && again != id:
				t.Errorf("order %d of key %s, acknowledged before the backup, is now %d", id, key, again)
			case again != id:
				lost++
				if again == 0 || slices.Contains(slices.Collect(maps.Values(all)), again) {
					t.Errorf("the lost order %d of key %s is placed again as %d", id, key, again)
				}
			}
		}
		if lost == 0 {
			t.Error("no order is newer than the copy")
		}
		if code := p.stop(); code != 0 {
			t.Errorf("exit code %d: %s", code, p.log)
		}
		if out, err := execute(t, databaseOnly(restored), "doctor"); err != nil {
			t.Errorf("the doctor after more orders: %v\n%s", err, out)
		}
		t.Logf("%d orders before the backup, %d in all, %d lost", len(before), len(all), lost)
	})
}

// TestBackupRefuses runs b2b backup with arguments that it must refuse. Each error must be a single line, and
// b2b must write no file.
func TestBackupRefuses(t *testing.T) {
	dir := t.TempDir()
	file := func(name string) string { return filepath.Join(dir, name) }
	full, existing := migratedFile(t), file("existing")
	for name, content := range map[string]string{existing: "kept", file("empty"): ""} {
		if err := os.WriteFile(name, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for _, c := range []struct{ env, to, want string }{
		{"DB_PATH=" + full, existing, existing + ": file already exists"},
		{"DB_PATH=" + full, file("missing/copy"), "no such file or directory"},
		{"DB_PATH=" + full, "", "an argument is missing"},
		{"DB_PATH=" + file("nowhere"), file("copy"), "DB_PATH: "},
		{"DB_PATH=" + file("empty"), file("copy"), "the database has no schema"},
		{"DB_HOST=127.0.0.1 DB_PASSWORD=password-of-the-test APP_ENV=development", file("copy"),
			"mysqldump --single-transaction --set-gtid-purged=OFF --no-tablespaces customers_orders, "},
	} {
		out := refused(t, strings.Fields(c.env), "backup", c.to)
		if !strings.Contains(out, c.want) || strings.Count(out, "\n") != 1 {
			t.Errorf("%s: want %q, got %q", c.env, c.want, out)
		}
	}
	if content, err := os.ReadFile(existing); err != nil || string(content) != "kept" {
		t.Errorf("%v %s", err, content)
	}
	left, err := filepath.Glob(file("*"))
	if err != nil || !slices.Equal(left, []string{file("empty"), existing}) {
		t.Errorf("%v %v", err, left)
	}
}

// TestDoctorRefuses runs b2b doctor on a path without a file, and on an empty file. The error must say what
// is missing, and the doctor must make no file.
func TestDoctorRefuses(t *testing.T) {
	dir := t.TempDir()
	empty := filepath.Join(dir, "empty")
	if err := os.WriteFile(empty, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	for path, want := range map[string]string{
		filepath.Join(dir, "data", "nowhere"): "DB_PATH: ", empty: "run b2b migrate",
	} {
		if out := refused(t, []string{"DB_PATH=" + path}, "doctor"); !strings.Contains(out, want) {
			t.Errorf("want %q, got %q", want, out)
		}
	}
	if _, err := os.Stat(filepath.Join(dir, "data")); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("the doctor made a folder: %v", err)
	}
}

// placing is a load of orders, each with a key.
type placing struct {
	mu  sync.Mutex
	ids map[string]int64 // acknowledged orders by key
	// answered gets an element for each placed order, but only while await waits.
	answered, done chan struct{}
	clients        sync.WaitGroup
}

func placeOrders(orchestrator string, clients int) *placing {
	l := &placing{ids: map[string]int64{}, answered: make(chan struct{}), done: make(chan struct{})}
	for client := range clients {
		l.clients.Go(func() {
			for i := 0; ; i++ {
				select {
				case <-l.done:
					return
				default:
				}
				key := fmt.Sprintf("load-%d-%d", client, i)
				if id := order(orchestrator, key); id != 0 {
					l.mu.Lock()
					l.ids[key] = id
					l.mu.Unlock()
					select {
					case l.answered <- struct{}{}:
					default:
					}
				}
			}
		})
	}
	return l
}

// await returns once n more orders are acknowledged.
func (l *placing) await(n int) {
	for range n {
		<-l.answered
	}
}

// placed returns the acknowledged orders by key.
func (l *placing) placed() map[string]int64 {
	l.mu.Lock()
	defer l.mu.Unlock()
	return maps.Clone(l.ids)
}

// stop ends the load, and returns the acknowledged orders by key.
func (l *placing) stop() map[string]int64 {
	close(l.done)
	l.clients.Wait()
	return l.placed()
}

// backup has the commands of docs/operations.md to copy and to restore one kind of database.
type backup struct {
	copy    func()
	restore func() db.Config // restores the copy into a new database
	skipIDs func(restored db.Config, ids int64)
}

// backupOf returns the commands for the engine of g. It skips the test on TiDB, and where the programs of the
// engine are missing.
func backupOf(t *testing.T, section string, g *gorm.DB, c db.Config) backup {
	copied := filepath.Join(t.TempDir(), "copy")
	if c.Driver == db.SQLite {
		return backup{
			copy: func() {
				if _, err := execute(t, databaseOnly(c), "backup", copied); err != nil {
					t.Fatal(err)
				}
			},
			restore: func() db.Config {
				to := db.Config{Driver: db.SQLite, Path: filepath.Join(t.TempDir(), "b2b.db")}
				if err := os.Rename(copied, to.Path); err != nil {
					t.Fatal(err)
				}
				return to
			},
			skipIDs: func(restored db.Config, _ int64) {
				execSQL(t, restored, commandOf(t, section, "UPDATE sqlite_sequence "))
			},
		}
	}
	dump, client := "mysqldump", "mysql"
	var version string
	if err := g.Raw("SELECT VERSION()").Scan(&version).Error; err != nil {
		t.Fatal(err)
	}
	switch {
	case strings.Contains(version, "TiDB"):
		t.Skip("TiDB has programs of its own for this")
	case strings.Contains(version, "MariaDB"):
		dump, client = "mariadb-dump", "mariadb"
		if _, err := exec.LookPath(dump); err != nil && os.Getenv("CI") == "" {
			t.Skip("this machine has no mariadb-dump")
		}
	default:
		about, err := exec.Command(dump, "--version").Output()
		if err != nil || strings.Contains(string(about), "MariaDB") {
			t.Skipf("this machine has no mysqldump of MySQL: %s", about)
		}
	}
	shell := func(program, database string) {
		t.Helper()
		command := commandOf(t, section, program+" ")
		server := fmt.Sprintf("%s -h %s -P %d -u %s ", program, c.Host, c.Port, c.User)
		here := strings.NewReplacer(program+" ", server, "customers_orders", database, "copy.sql", copied)
		command = here.Replace(command)
		cmd := exec.Command("sh", "-c", command)
		cmd.Env = append(os.Environ(), "MYSQL_PWD="+c.Password)
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command, err, out)
		}
	}
	return backup{
		copy: func() { shell(dump, c.Name) },
		restore: func() db.Config {
			to := c
			to.Name = c.Name + "_restored"
			if err := g.Exec("CREATE DATABASE " + to.Name).Error; err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { g.Exec("DROP DATABASE " + to.Name) })
			shell(client, to.Name)
			return to
		},
		skipIDs: func(restored db.Config, ids int64) {
			statement := commandOf(t, section, "ALTER TABLE orders ")
			tables := regexp.MustCompile("for each of the tables (.*?):").FindStringSubmatch(section)
			if tables == nil {
				t.Fatal("the page names no tables")
			}
			for _, table := range codeSpan.FindAllStringSubmatch(tables[1], -1) {
				one := strings.NewReplacer("orders", table[1], "5000000", strconv.FormatInt(ids, 10)).Replace(statement)
				execSQL(t, restored, one)
			}
		},
	}
}

// commandOf returns the code span of a text that begins with the prefix. Exactly one code span must begin
// with it.
func commandOf(t *testing.T, text, prefix string) string {
	t.Helper()
	var found []string
	for _, m := range codeSpan.FindAllStringSubmatch(text, -1) {
		if strings.HasPrefix(m[1], prefix) && !slices.Contains(found, m[1]) {
			found = append(found, m[1])
		}
	}
	if len(found) != 1 {
		t.Fatalf("%d commands begin with %q: %q", len(found), prefix, found)
	}
	return found[0]
}

func execSQL(t *testing.T, c db.Config, statement string) {
	t.Helper()
	g, err := db.Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close(g)
	if err := g.Exec(statement).Error; err != nil {
		t.Fatalf("%s: %v", statement, err)
	}
}
