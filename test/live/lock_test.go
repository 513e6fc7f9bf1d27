package live_test

import (
	"database/sql"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/test/live"
)

// TestForeignLock holds SQLite's write lock in another session. Reads must succeed, even while an order waits
// for the lock. Readiness probes must answer 503 within nine seconds. The order must succeed once the lock is
// free.
func TestForeignLock(t *testing.T) {
	path := filepath.Join(t.TempDir(), "b2b.db")
	g := dbtest.Open(t, db.Config{Driver: db.SQLite, Path: path})
	if _, err := db.Seed(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	base := live.Serve(g, webtest.Options(), func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	})
	other, err := sql.Open("sqlite", path)
	if err != nil {
		t.Fatal(err)
	}
	defer other.Close()
	other.SetMaxOpenConns(1)
	if _, err := other.Exec("BEGIN IMMEDIATE"); err != nil {
		t.Fatal(err)
	}

	get := func(url string, want int) {
		t.Helper()
		answered := make(chan int, 1)
		go func() {
			status, _, _ := webtest.Do(t, "GET", url, "")
			answered <- status
		}()
		select {
		case status := <-answered:
			if status != want {
				t.Errorf("%s answered %d, want %d", url, status, want)
			}
		case <-time.After(9 * time.Second): // less than the 10 s for which SQLite waits for a lock
			t.Errorf("%s waits for the lock", url)
		}
	}
	readAll := func() {
		t.Helper()
		for _, path := range []string{
			"/orders", "/orders/1", "/orders/1/history", "/orders/export",
			"/products", "/products?search=laptop",
		} {
			get(base["orders"]+path, 200)
		}
		for _, path := range []string{"/customers", "/customers/1", "/customers?search=acme"} {
			get(base["customers"]+path, 200)
		}
		get(base["orders"]+"/ready", 503)
		get(base["customers"]+"/ready", 503)
	}
	readAll()
	placed := make(chan int, 1)
	go func() {
		defer close(placed) // also when the request fails
		const order = `{"customer_id":1,"items":[{"product_id":2,"qty":1}]}`
		status, _, _ := webtest.Do(t, "POST", base["orders"]+"/orders", order, "Content-Type", "application/json")
		placed <- status
	}()
	pool, _ := g.DB()
	// Wait until the order uses a connection.
	for deadline := time.Now().Add(time.Minute); pool.Stats().InUse == 0; {
		if time.Now().After(deadline) {
			t.Fatal("the order does not wait")
		}
		time.Sleep(time.Millisecond)
	}
	readAll()
	if len(placed) > 0 {
		t.Error("the order did not wait")
	}
	if _, err := other.Exec("ROLLBACK"); err != nil {
		t.Fatal(err)
	}
	if status := <-placed; status != 201 {
		t.Errorf("the order that waited: %d", status)
	}
	get(base["orders"]+"/ready", 200)
}
