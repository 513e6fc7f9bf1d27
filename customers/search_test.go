package customers_test

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/customers"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
)

// TestSearchesLeaveRoom sends 300 searches at once and blocks each search in the database. The limit is two
// searches in the database at a time, so a read of a customer must still get its answer.
func TestSearchesLeaveRoom(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		for at := 0; at < 2000; at += 500 {
			var rows []string
			for i := range 500 {
				const row = "('Customer %[1]d', 'c%[1]d@example.com', '2024-01-01', '2024-01-01')"
				rows = append(rows, fmt.Sprintf(row, at+i))
			}
			values := strings.Join(rows, ",")
			err := g.Exec("INSERT INTO customers (name, email, created_at, updated_at) VALUES " + values).Error
			if err != nil {
				t.Fatal(err)
			}
		}
		var running, most atomic.Int32
		entered, leave := make(chan struct{}, 300), make(chan struct{})
		isSearch := func(q *gorm.DB) bool {
			return strings.Contains(fmt.Sprint(q.Statement.Clauses["WHERE"].Expression), "INSTR")
		}
		if err := g.Callback().Query().Before("gorm:query").Register("begins", func(q *gorm.DB) {
			if isSearch(q) {
				if n := running.Add(1); n > most.Load() {
					most.Store(n)
				}
				entered <- struct{}{}
				<-leave
			}
		}); err != nil {
			t.Fatal(err)
		}
		if err := g.Callback().Query().After("gorm:query").Register("ends", func(q *gorm.DB) {
			if isSearch(q) {
				running.Add(-1)
			}
		}); err != nil {
			t.Fatal(err)
		}
		o := webtest.Options()
		o.Limits.InFlight, o.Limits.Searches = 100, 2
		e := customers.New(g, time.Hour).Handler(o)
		ask := func(path string, caller int) int {
			w, r := httptest.NewRecorder(), httptest.NewRequest(http.MethodGet, path, nil)
			r.RemoteAddr = fmt.Sprintf("10.0.%d.%d:1", caller>>8, caller&255)
			e.ServeHTTP(w, r)
			return w.Code
		}
		answers := make(chan int, 300)
		for i := range 300 {
			go func() { answers <- ask("/customers?search=customer+1999", i) }()
		}
		<-entered
		<-entered
		if status := ask("/customers/2000", 0); status != http.StatusOK {
			t.Errorf("a read beside the searches: %d", status)
		}
		close(leave)
		got := map[int]int{}
		for range 300 {
			got[<-answers]++
		}
		if got[200]+got[503] != 300 || got[200] < 34 || most.Load() != 2 {
			t.Errorf("answers %v, %d concurrent searches in the database", got, most.Load())
		}
	})
}
