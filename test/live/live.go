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

// Main is for a TestMain: it sets base to the address of the service with that name, runs m and ends the process. All services
// run, on a fresh SQLite file with the sample data.
func Main(m *testing.M, name string, base *string) {
	os.Exit(run(m, name, base))
}

func run(m *testing.M, name string, base *string) int {
	folder, err := os.MkdirTemp("", "b2b-")
	must(err)
	defer os.RemoveAll(folder)
	ctx := context.Background()
	g, err := db.Open(ctx, db.Config{Driver: db.SQLite, Path: filepath.Join(folder, "b2b.db")})
	must(err)
	defer db.Close(g)
	_, err = db.Migrate(ctx, g)
	must(err)
	_, err = db.Seed(ctx, g)
	must(err)

	servers, peers := map[string]*httptest.Server{}, map[string]web.Peer{}
	serve := func(name string, handler http.Handler) {
		servers[name] = httptest.NewServer(handler)
		peers[name] = web.Peer{Base: servers[name].URL, Token: webtest.Token, Timeout: time.Minute}
	}
	serve("customers", customers.New(g).Handler(webtest.Options()))
	o, err := orders.New(g, orders.Config{Customers: peers["customers"], CancellationWindow: time.Hour, Reservation: time.Hour, KeyLifetime: time.Hour})
	must(err)
	serve("orders", o.Handler(webtest.Options()))
	saga, err := orchestrator.New(peers["customers"], peers["orders"])
	must(err)
	serve("orchestrator", saga.Engine(webtest.Options()))
	for _, s := range servers {
		defer s.Close()
	}
	*base = servers[name].URL
	return m.Run()
}

func must(err error) {
	if err != nil {
		panic(err)
	}
}
