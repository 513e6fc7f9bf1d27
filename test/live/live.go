// Package live runs all services inside a test's process.
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

	"example.com/b2b/customers"
	"example.com/b2b/db"
	"example.com/b2b/internal/peer"
	"example.com/b2b/internal/web"
	"example.com/b2b/internal/web/webtest"
	"example.com/b2b/orchestrator"
	"example.com/b2b/orders"
)

// Main runs the tests of a TestMain while all services run on a fresh SQLite file with the sample data. It
// sets base to the address of the service with the name.
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

// Serve runs all services on a migrated database, and returns their addresses by name. start starts a handler
// and returns its address.
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
	addresses["orchestrator"] = start(must(orchestrator.New(peerAt("customers"), peerAt("orders"))).Engine(o))
	return addresses
}

func must[T any](value T, err error) T {
	if err != nil {
		panic(err)
	}
	return value
}
