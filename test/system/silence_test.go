package system_test

import (
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/db/dbtest/server"
)

// TestSilentDatabase lets the database fall silent under a running b2b: it takes connections, and answers on
// none, old or new. Every call is answered in time meanwhile. Once new connections work b2b is well again
// within seconds and without a restart, although those that were made before never get an answer, as behind a
// firewall that has forgotten them.
func TestSilentDatabase(t *testing.T) {
	if testing.Short() {
		t.Skip("network faults")
	}
	t.Parallel()
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		t.Parallel() // it waits, on a database of its own
		if c.Driver == db.SQLite {
			return // a file
		}
		seeded(t, c)
		behind, silence := dbtest.Between(t, c)
		suffersSilence(
			t, c, behind, func() error { silence.Fall(); return nil },
			func() error { silence.End(); return nil },
		)
	})
}

// TestFrozenServer stops the database server's process, and lets it go on.
func TestFrozenServer(t *testing.T) {
	if testing.Short() {
		t.Skip("network faults")
	}
	t.Parallel()
	for _, engine := range dbtest.Servers {
		program := server.Find(engine.Engine)
		if program == "" {
			continue
		}
		t.Run(engine.Engine, func(t *testing.T) {
			t.Parallel() // it waits, on a server of its own
			private, err := server.Start(engine.Engine, program, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer private.Stop()
			defer private.Thaw()
			c := db.Config{
				Driver: db.MySQL, Host: "127.0.0.1", Port: private.Port, User: "root", Name: "mysql",
				MaxConns: 5,
			}
			admin, err := db.Open(t.Context(), c)
			if err != nil {
				t.Fatal(err)
			}
			defer db.Close(admin)
			if err := admin.Exec("CREATE DATABASE b2b").Error; err != nil {
				t.Fatal(err)
			}
			c.Name = "b2b"
			seeded(t, c)
			suffersSilence(t, c, c, private.Freeze, private.Thaw)
		})
	}
}

func seeded(t *testing.T, c db.Config) {
	t.Helper()
	if _, err := db.Seed(t.Context(), dbtest.Open(t, c)); err != nil {
		t.Fatal(err)
	}
}

// suffersSilence runs b2b with the database that is reached at behind, and at c when that is silent.
func suffersSilence(t *testing.T, c, behind db.Config, fall, end func() error) {
	const connections = 5 // fewer than calls at once, of which some then wait for a connection
	p := start(t, append(append(environment(behind), anyPorts...), fmt.Sprint("DB_MAX_CONNECTIONS=", connections),
		"REQUEST_TIMEOUT_SECONDS=1"))
	examine := exec.Command(binary(), "doctor")
	examine.Dir, examine.Env = t.TempDir(), environment(c)
	s := newStarved(t, p, examine)
	s.client.Timeout = networkTimeout + networkMargin // else a call counts as not answered
	if !s.order(t) || !s.ready(t) {
		t.Fatal("it does not work with a database that answers")
	}
	if err := fall(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // on the old connections, and on new ones
		var crowd sync.WaitGroup
		for range 4 * connections {
			crowd.Go(func() { s.placeDirectly(t, "", plainProduct) })
			crowd.Go(func() { s.read(t) })
		}
		crowd.Wait()
	}
	s.starves(t)
	if err := end(); err != nil {
		t.Fatal(err)
	}
	began := time.Now()
	s.recovers(t)
	if took := time.Since(began); took > recovery {
		t.Errorf("it took %s to be well again", took)
	}
}

const recovery = 30 * time.Second // seconds, on a busy machine
