package system_test

import (
	"fmt"
	"os/exec"
	"sync"
	"testing"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/dbtest/server"
)

// TestSilentDatabase makes the database of a running b2b silent: the database accepts connections, and
// answers on no connection, old or new. Every call must get an answer in time. Once new connections work, b2b
// must recover within maxRecovery, without a restart. The old connections stay silent, as behind a firewall
// that has lost its state.
func TestSilentDatabase(t *testing.T) {
	if testing.Short() {
		t.Skip("network faults")
	}
	t.Parallel()
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		t.Parallel() // the test mostly waits, and has its own database
		if c.Driver == db.SQLite {
			t.Skip("SQLite has no connection to a server")
		}
		seeded(t, c)
		behind, silence := dbtest.Between(t, c)
		fall := func() error { silence.Fall(); return nil }
		end := func() error { silence.End(); return nil }
		suffersSilence(t, c, behind, fall, end)
	})
}

// TestFrozenServer freezes the process of the database server, and later thaws it. b2b must recover as in
// TestSilentDatabase.
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
			t.Parallel() // the test mostly waits, and has its own server
			private, err := server.Start(engine.Engine, program, t.TempDir())
			if err != nil {
				t.Fatal(err)
			}
			defer private.Stop()
			defer private.Thaw()
			c := db.Config{Driver: db.MySQL, Host: "127.0.0.1", Port: private.Port, User: "root", MaxConns: 5}
			c.Name = "mysql"
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

// suffersSilence runs b2b with the database at the address behind. The function fall makes this address
// silent, and the function end ends the silence. The doctor connects to the database at the address c.
func suffersSilence(t *testing.T, c, behind db.Config, fall, end func() error) {
	const connections = 5 // fewer than concurrent calls, so that some calls wait for a connection
	env := append(environment(behind), anyPorts...)
	env = append(env, fmt.Sprint("DB_MAX_CONNECTIONS=", connections), "REQUEST_TIMEOUT_SECONDS=1")
	p := start(t, env)
	examine := exec.Command(binary(), "doctor")
	examine.Dir, examine.Env = t.TempDir(), environment(c)
	s := newStarved(t, p, examine)
	s.client.Timeout = networkTimeout + networkMargin
	if !s.order(t) || !s.ready(t) {
		t.Fatal("b2b does not work with a database that answers")
	}
	if err := fall(); err != nil {
		t.Fatal(err)
	}
	for range 2 { // the first calls use the old connections, the later calls use new ones
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
	if duration := time.Since(began); duration > maxRecovery {
		t.Errorf("recovered after %s", duration)
	}
}

const maxRecovery = 30 * time.Second // generous, for busy machines
