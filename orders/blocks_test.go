package orders_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// blockSize is the number of ids in a block, as in the package.
const blockSize = 1024

type blocked struct {
	ID, CustomerID       int64
	Status               string
	CreatedAt, UpdatedAt time.Time
	TotalCents           int64
}

func (s *system) insertBlocked(t *testing.T, rows []blocked) {
	t.Helper()
	if err := s.db.Table("orders").CreateInBatches(rows, 500).Error; err != nil {
		t.Fatal(err)
	}
}

// recordRanges calls RecordRanges, and compares the number of id blocks that it has recorded with want. On
// TiDB it expects that no block is recorded.
func (s *system) recordRanges(t *testing.T, want int) {
	t.Helper()
	if dbtest.IsTiDB(s.db) {
		want = 0
	}
	if n, err := s.service.RecordRanges(ctx); err != nil || n != want {
		t.Fatalf("%d id ranges were recorded, %v, want %d", n, err, want)
	}
}

// TestCreatedBetween lists the orders of random periods while all, some or no blocks of ids are recorded.
// Each list must have the orders of its period.
func TestCreatedBetween(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		start := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
		var rows []blocked
		for i := range int64(5*blockSize + 100) {
			at := start.Add(time.Duration(i)*time.Hour/10 + time.Duration(rand.N(int64(20*time.Hour)))).
				Truncate(time.Millisecond)
			switch {
			case i == 700: // orders of a server with a wrong clock
				at = start.AddDate(1, 0, 0)
			case i == 4000:
				at = start.AddDate(-1, 0, 0)
			case i/blockSize == 3 && i%7 == 0: // ids without an order, as after a rollback
				continue
			}
			row := blocked{ID: i + 1, CustomerID: i%2 + 1, Status: "CREATED", CreatedAt: at, UpdatedAt: at}
			rows = append(rows, row)
		}
		dbtest.NoFilesort(t, g)
		s.insertBlocked(t, rows)
		s.recordRanges(t, 5)
		for _, recorded := range []int{5, 2, 0} {
			s.exec(t, "DELETE FROM order_blocks WHERE block >= ?", recorded)
			for range 15 {
				from := start.Add(time.Duration(rand.N(600))*time.Hour - 50*time.Hour)
				to := start.Add(time.Duration(rand.N(700)) * time.Hour)
				query, bound := "/orders?limit=100", [2]bool{rand.N(5) > 0, rand.N(5) > 0}
				if bound[0] {
					query += "&from=" + from.Format(time.RFC3339)
				}
				if bound[1] {
					query += "&to=" + to.Format(time.RFC3339)
				}
				customer := rand.N(int64(3))
				if customer > 0 {
					query += fmt.Sprint("&customer_id=", customer, "&status=CREATED")
				}
				newest := rand.N(2) > 0
				if newest {
					query += "&sort=-created_at"
				}
				var want []int64
				for _, r := range rows {
					if (!bound[0] || !r.CreatedAt.Before(from)) && (!bound[1] || !r.CreatedAt.After(to)) &&
						(customer == 0 || r.CustomerID == customer) {
						want = append(want, r.ID)
					}
				}
				if newest {
					slices.Reverse(want)
				}
				if got := listed(t, s.base+query+"&"); !slices.Equal(got, want) {
					t.Errorf("%s, %d id ranges recorded: %d orders, want %d", query, recorded, len(got), len(want))
				}
			}
		}
	})
}

// TestRecordRanges checks that a block with missing ids is recorded only when no order can get these ids any
// more.
func TestRecordRanges(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		var clock struct{ Now time.Time }
		if err := g.Raw("SELECT ? AS now", db.Now(g, 0)).Scan(&clock).Error; err != nil {
			t.Fatal(err)
		}
		at := clock.Now.Add(-time.Minute)
		row := func(id int64, at time.Time) blocked {
			return blocked{ID: id, CustomerID: 1, Status: "CREATED", CreatedAt: at, UpdatedAt: at}
		}
		var full []blocked
		for id := range int64(blockSize) {
			full = append(full, row(id+1, at))
		}
		s.recordRanges(t, 0)
		s.insertBlocked(t, full[1:])
		s.recordRanges(t, 0)
		s.insertBlocked(t, []blocked{row(blockSize+2, at)})
		s.recordRanges(t, 0) // the order with the missing id 1 may still be committed
		s.insertBlocked(t, full[:1])
		s.recordRanges(t, 1)
		s.insertBlocked(t, []blocked{row(2*blockSize+1, at)})
		s.recordRanges(t, 0) // orders with the missing ids of the second block may still be committed
		s.exec(t, "UPDATE orders SET created_at = ? WHERE id = ?", db.Now(g, -9*time.Minute), 2*blockSize+1)
		s.recordRanges(t, 0)
		s.exec(t, "UPDATE orders SET created_at = ? WHERE id = ?", db.Now(g, -11*time.Minute), 2*blockSize+1)
		s.recordRanges(t, 1)
		s.insertBlocked(t, []blocked{row(1<<40, at), row(1<<41, at)})
		s.recordRanges(t, 0)
		s.exec(t, "UPDATE orders SET created_at = ? WHERE id > 2000", db.Now(g, -11*time.Minute))
		// The blocks of 2*blockSize+1 and of 1<<40 are recorded. The empty blocks between them need no
		// record.
		s.recordRanges(t, 2)
		for i := range full {
			full[i].ID += 1 << 42
		}
		s.insertBlocked(t, full)
		s.exec(t, "UPDATE orders SET created_at = ? WHERE id = ?", db.Now(g, -11*time.Minute), full[0].ID)
		// The block of 1<<41 is recorded. The full block is not, because orders with lower ids may still be
		// committed.
		s.recordRanges(t, 1)
		got := listed(t, s.base+"/orders?limit=100&from=2024-01-01&sort=-created_at&")
		if len(got) != 2*blockSize+4 {
			t.Errorf("%d orders", len(got))
		}
	})
}
