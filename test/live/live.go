// Package live runs the services inside a test's process, for the examples of the typed clients.
package live

import (
	"context"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"testing"
	"time"

	"example.com/b2b/customers"
	"example.com/b2b/db"
	"example.com/b2b/internal/web"
	"example.com/b2b/internal/web/webtest"
	"example.com/b2b/orchestrator"
	"example.com/b2b/orders"
)

// Main is for a TestMain: it sets base to the address of the service with that name, and runs m. All services run, on a fresh
// SQLite file with the sample data.
func Main(m *testing.M, name string, base *string) {
	folder := must(os.MkdirTemp("", "b2b-"))
	defer os.RemoveAll(folder)
	ctx := context.Background()
	g := must(db.Open(ctx, db.Config{Driver: db.SQLite, Path: filepath.Join(folder, "b2b.db")}))
	defer db.Close(g)
	must(db.Migrate(ctx, g))
	must(db.Seed(ctx, g))

	peers := map[string]web.Peer{}
	serve := func(name string, handler http.Handler) {
		peers[name] = web.Peer{Base: httptest.NewServer(handler).URL, Token: webtest.Token, Timeout: time.Minute}
	}
	serve("customers", customers.New(g).Handler(webtest.Options()))
	o := orders.Config{Customers: peers["customers"], CancellationWindow: time.Hour, Reservation: time.Hour, KeyLifetime: time.Hour}
	serve("orders", must(orders.New(g, o)).Handler(webtest.Options()))
	serve("orchestrator", must(orchestrator.New(peers["customers"], peers["orders"])).Engine(webtest.Options()))
	*base = peers[name].Base
	m.Run()
}

func must[T any](made T, err error) T {
	if err != nil {
		panic(err)
	}
	return made
}
