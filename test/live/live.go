// Package live runs all services inside the process of a test.
package live

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/customers"
	"example.com/b2b/v2/db"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/orchestrator"
	"example.com/b2b/v2/orders"
)

// Main runs the tests of m while all services run, on a new SQLite file with the sample data. Call Main in a
// TestMain. Main sets *base to the address of the service with the given name.
func Main(m *testing.M, name string, base *string) {
	folder := must(os.MkdirTemp("", "b2b-"))
	defer os.RemoveAll(folder)
	ctx := context.Background()
	g := must(db.Open(ctx, db.Config{Driver: db.SQLite, Path: filepath.Join(folder, "b2b.db")}))
	defer db.Close(g)
	must(db.Migrate(ctx, g))
	must(db.Seed(ctx, g))

	*base = Serve(g, webtest.Options(), func(h http.Handler) string { return httptest.NewServer(h).URL })[name]
	m.Run()
}

// Serve starts all services on g, a migrated database, and returns the addresses of the services by name. The
// function start starts a server for a handler and returns the address. The services start in the order of
// documents.All.
func Serve(g *gorm.DB, o web.Options, start func(http.Handler) string) map[string]string {
	const keyLifetime = time.Hour
	addresses := map[string]string{}
	peerAt := func(name string) peer.Peer {
		return peer.Peer{Base: addresses[name], Token: webtest.Token, Timeout: time.Minute}
	}
	addresses["customers"] = start(customers.New(g, keyLifetime).Handler(o))
	c := orders.Config{
		Customers: peerAt("customers"), CancellationWindow: time.Hour, Reservation: time.Hour,
		KeyLifetime: keyLifetime, MaxHeld: 50,
	}
	addresses["orders"] = start(must(orders.New(g, c)).Handler(o))
	addresses["events"] = start(events.New(g, events.Config{KeyLifetime: keyLifetime}).Handler(o))
	addresses["orchestrator"] = start(must(orchestrator.New(peerAt("customers"), peerAt("orders"))).Engine(o))
	return addresses
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
