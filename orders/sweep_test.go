package orders_test

import (
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"gorm.io/gorm"
	"pgregory.net/rapid"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/orders"
)

// expire makes an order so old that its reservation has expired.
func (s *system) expire(t *testing.T, id int64) {
	t.Helper()
	s.age(t, reservation+time.Second, id)
}

// age makes orders and their events older by d. It changes the orders with the ids, or all orders when no ids
// are given.
func (s *system) age(t rapid.TB, d time.Duration, ids ...int64) {
	t.Helper()
	of := func(column string) string {
		if ids == nil {
			return "TRUE"
		}
		return column + " IN (" + strings.Trim(strings.Join(strings.Fields(fmt.Sprint(ids)), ","), "[]") + ")"
	}
	events := of("subject = 'order' AND subject_id")
	const times = "created_at confirmed_at canceled_at updated_at"
	statements := []string{
		"UPDATE orders SET " + s.earlier(d, times) + " WHERE " + of("id"),
		"UPDATE events SET " + s.earlier(d, "created_at") + " WHERE " + events,
	}
	const form = "2006-01-02T15:04:05.000Z"
	var rows []struct {
		ID             int64
		Representation string
	}
	if err := s.db.Raw("SELECT id, representation FROM events WHERE " + events).Scan(&rows).Error; err != nil {
		t.Fatal(err)
	}
	for _, row := range rows {
		shown := "representation"
		times := timeText.FindAllString(row.Representation, -1)
		slices.Sort(times)
		for _, text := range slices.Compact(times) {
			at, err := time.Parse(form, text)
			if err != nil {
				t.Fatal(err)
			}
			shown = fmt.Sprintf("REPLACE(%s, '%s', '%s')", shown, text, at.Add(-d).Format(form))
		}
		statements = append(statements,
			fmt.Sprintf("UPDATE events SET representation = %s WHERE id = %d", shown, row.ID))
	}
	s.atomically(t, statements...)
}

var timeText = regexp.MustCompile(`\d{4}-\d\d-\d\dT[\d:.]+Z`)

// earlier returns the SET clause of an UPDATE that moves the times in the columns back by d.
func (s *system) earlier(d time.Duration, columns string) string {
	set := "%[1]s = %[1]s - INTERVAL %.0[2]f SECOND"
	if s.db.Name() == db.SQLite {
		set = "%[1]s = strftime('%%Y-%%m-%%d %%H:%%M:%%f+00:00', %[1]s, '-%.0[2]f seconds')"
	}
	var all []string
	for column := range strings.FieldsSeq(columns) {
		all = append(all, fmt.Sprintf(set, column, d.Seconds()))
	}
	return strings.Join(all, ", ")
}

// wantHealthy runs the doctor, and names the broken rules.
func wantHealthy(t rapid.TB, g *gorm.DB) {
	t.Helper()
	checks, err := doctor.Examine(ctx, g, orders.Rules())
	if err != nil || !doctor.Healthy(checks) {
		sound := func(c doctor.Check) bool { return c.Broken == 0 }
		t.Errorf("%v %+v", err, slices.DeleteFunc(checks, sound))
	}
}

func TestExpireReservations(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		a, b := s.product(t, 100, 100), s.product(t, 100, 100)
		t.Run("only what is CREATED and expired", func(t *testing.T) {
			old, confirmed := s.placed(t, line(a, 1), line(b, 2)), s.placed(t, line(a, 1))
			canceled, young := s.placed(t, line(a, 1)), s.placed(t, line(a, 1))
			s.confirm(t, confirmed.ID, "sweep-1")
			s.cancel(t, canceled.ID, "")
			if until := old.ReservationExpiresAt; until == nil || !until.Equal(old.CreatedAt.Add(reservation)) {
				t.Errorf("reservation_expires_at %v", until)
			}
			s.expire(t, old.ID)
			s.expire(t, confirmed.ID)
			if n, err := s.service.ExpireReservations(ctx); err != nil || n != 1 {
				t.Errorf("%d expired, %v", n, err)
			}
			if n, err := s.service.ExpireReservations(ctx); err != nil || n != 0 {
				t.Errorf("%d expired again, %v", n, err)
			}
			for id, want := range map[int64]string{
				old.ID:       "CANCELED reservation_expired",
				confirmed.ID: "CONFIRMED -",
				canceled.ID:  "CANCELED requested",
				young.ID:     "CREATED -",
			} {
				read, _ := s.GetOrderWithResponse(ctx, id, nil)
				o, reason := read.JSON200.Data, "-"
				if o.CancelReason != nil {
					reason = string(*o.CancelReason)
				}
				if got := string(o.Status) + " " + reason; got != want {
					t.Errorf("order %d is %s, want %s", id, got, want)
				}
				if (o.ReservationExpiresAt != nil) != (o.Status == contract.CREATED) {
					t.Errorf("%s", read.Body)
				}
			}
			s.wantStock(t, a, 98)
			s.wantStock(t, b, 100)
			res := s.confirm(t, old.ID, "sweep-2")
			webtest.WantError(t, res.StatusCode(), res.Body, 400, "order_not_confirmable")
		})
		t.Run("several instances and batches", func(t *testing.T) {
			p := s.product(t, 1, 1000)
			var ids []int64
			for range 450 {
				ids = append(ids, s.placed(t, line(p, 1)).ID)
			}
			s.age(t, reservation+time.Second, ids...)
			var expired atomic.Int64
			counts := atOnce(4, func(int) string {
				n, err := s.service.ExpireReservations(ctx)
				expired.Add(int64(n))
				return fmt.Sprint(err)
			})
			wantCounts(t, counts, map[string]int{"<nil>": 4})
			if expired.Load() != 450 {
				t.Errorf("%d of 450 expired", expired.Load())
			}
			s.wantStock(t, p, 1000)
		})
		t.Run("beside held rows", func(t *testing.T) {
			if g.Name() == db.SQLite {
				t.Skip("SQLite has a single writer and no row locks")
			}
			held, free := s.product(t, 1, 1000), s.product(t, 1, 1000)
			var ids []int64
			for i := range 250 {
				ids = append(ids, s.placed(t, line([]int64{held, free}[min(i, 1)], 1)).ID)
			}
			s.age(t, reservation+time.Second, ids...)
			tx := g.Begin()
			defer tx.Rollback()
			err := errors.Join(
				tx.Exec("UPDATE products SET stock = stock WHERE id = ?", held).Error,
				tx.Exec("UPDATE orders SET status = status WHERE id = ?", ids[1]).Error,
			)
			if err != nil {
				t.Fatal(err)
			}
			if n, err := s.service.ExpireReservations(ctx); n != len(ids)-2 || err != nil {
				t.Errorf("%d expired: %v", n, err)
			}
			if err := tx.Rollback().Error; err != nil {
				t.Fatal(err)
			}
			if n, err := s.service.ExpireReservations(ctx); n != 2 || err != nil {
				t.Errorf("%d expired when their rows were free: %v", n, err)
			}
			s.wantStock(t, held, 1000)
			s.wantStock(t, free, 1000)
		})
		t.Run("against confirm and cancel", func(t *testing.T) {
			p := s.product(t, 1, 1000)
			var ids []int64
			for range 30 {
				o := s.placed(t, line(p, 1))
				ids = append(ids, o.ID)
				s.expire(t, o.ID)
			}
			counts := atOnce(62, func(i int) string {
				switch {
				case i >= 60:
					_, err := s.service.ExpireReservations(ctx)
					return fmt.Sprint("sweep ", err)
				case i%2 == 0:
					res := s.confirm(t, ids[i/2], fmt.Sprint("against-", i))
					return "confirm " + outcome(res.StatusCode(), res.Body)
				default:
					res := s.cancel(t, ids[i/2], "")
					return "cancel " + outcome(res.StatusCode(), res.Body)
				}
			})
			if counts["sweep <nil>"] != 2 ||
				counts["confirm 200"]+counts["confirm 400 order_not_confirmable"] != 30 ||
				counts["cancel 200"] != 30 {
				t.Errorf("%v", counts)
			}
			s.wantStock(t, p, 1000)
		})
		wantHealthy(t, g)
		t.Run("never", func(t *testing.T) {
			s.service.Reservation = 0
			o := s.placed(t, line(a, 1))
			s.expire(t, o.ID)
			if n, err := s.service.ExpireReservations(ctx); err != nil || n != 0 || o.ReservationExpiresAt != nil {
				t.Errorf("%d expired, %v", n, err)
			}
		})
	})
}

// TestExpireByTime expires orders when a younger order may have a lower id, as in a cluster in which each
// server has its own range of ids. Only the old orders must expire.
func TestExpireByTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 1, 1000)
		expire := func(want int) {
			t.Helper()
			if n, err := s.service.ExpireReservations(ctx); err != nil || n != want {
				t.Errorf("%d expired, want %d; %v", n, want, err)
			}
		}
		lowest := s.placed(t, line(p, 1)).ID
		var young []blocked
		for i := range int64(300) {
			at := time.Now().UTC().Truncate(time.Millisecond)
			young = append(young, blocked{
				ID: lowest + 1 + i, CustomerID: 1, Status: "CREATED", CreatedAt: at, UpdatedAt: at, TotalCents: 1,
			})
		}
		s.insertBlocked(t, young)
		s.exec(t, `INSERT INTO order_items (order_id, product_id, qty, unit_price_cents, subtotal_cents)
			SELECT id, ?, 1, 1, 1 FROM orders WHERE id > ?`, p, lowest)
		s.exec(t, "UPDATE products SET stock = stock - 300 WHERE id = ?", p)
		highest := s.placed(t, line(p, 1)).ID
		if highest <= young[len(young)-1].ID {
			t.Fatalf("the id %d is not greater than the ids of the young orders", highest)
		}
		if g.Name() == db.MySQL {
			s.exec(t, "ANALYZE TABLE orders")
		}

		s.expire(t, highest)
		expire(1)
		s.expire(t, lowest)
		expire(1)
		s.wantStock(t, p, 700)

		s.service.Reservation = reservation / 2 // the new value applies to orders that exist already
		s.exec(t, "UPDATE orders SET created_at = ? WHERE id = ?",
			db.Now(g, -reservation/2-time.Second), young[250].ID)
		expire(1)
		s.exec(t, "UPDATE orders SET created_at = ? WHERE id > ? AND id <= ?",
			db.Now(g, -reservation-time.Second), lowest, lowest+230)
		expire(230)
		s.wantStock(t, p, 931)
		dbtest.NoFilesort(t, g)
		dbtest.WantIndex(t, g, "ix_orders_reserved_since", func() { expire(0) })
	})
}

func TestCancelReason(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 1, 100)
		post := func(id int64, body string, headers ...string) (int, []byte) {
			url := fmt.Sprint(s.base, "/orders/", id, "/cancel")
			status, answer, _ := webtest.Do(t, "POST", url, body, headers...)
			return status, answer
		}
		asService := []string{"Content-Type", "application/json", "Authorization", "Bearer " + webtest.Token}
		for _, c := range []struct {
			body, reason, note string
			headers            []string
		}{
			{"", "requested", "", nil},
			{"{}", "requested", "", asService[:2]},
			// The Postman collection of the Node.js original sends the next body.
			{`{"reason":"Cliente solicitó cancelación"}`, "requested", "Cliente solicitó cancelación", asService[:2]},
			{`{"cause":"requested","reason":"words"}`, "requested", "words", asService[:2]},
			{`{"cause":"compensation"}`, "compensation", "", asService},
		} {
			o := s.placed(t, line(p, 1))
			if status, answer := post(o.ID, c.body, c.headers...); status != 200 {
				t.Errorf("%s: %d %s", c.body, status, answer)
			}
			s.cancel(t, o.ID, "") // the order keeps the reason of the first cancellation
			read, _ := s.GetOrderWithResponse(ctx, o.ID, nil)
			d := read.JSON200.Data
			if d.CancelReason == nil || string(*d.CancelReason) != c.reason ||
				(d.CancelNote == nil) != (c.note == "") ||
				d.CancelNote != nil && *d.CancelNote != c.note {
				t.Errorf("%s: %s", c.body, read.Body)
			}
		}
		o := s.placed(t, line(p, 1))
		status, answer := post(o.ID, `{"cause":"compensation"}`, "Content-Type", "application/json")
		webtest.WantError(t, status, answer, 403, "forbidden", "/cause")
		if read, _ := s.GetOrderWithResponse(ctx, o.ID, nil); read.JSON200.Data.Status != contract.CREATED {
			t.Errorf("%s", read.Body)
		}
		o = s.placed(t, line(p, 1))
		s.confirm(t, o.ID, "taken-over")
		before, _ := s.GetOrderWithResponse(ctx, o.ID, nil)
		status, answer = post(o.ID, `{"cause":"compensation"}`, asService...)
		webtest.WantError(t, status, answer, 412, "precondition_failed", "/cause")
		if after, _ := s.GetOrderWithResponse(ctx, o.ID, nil); string(after.Body) != string(before.Body) {
			t.Errorf("%s, want %s", after.Body, before.Body)
		}
		o = s.placed(t, line(p, 1))
		const bad = `{"cause":"reservation_expired","reason":" ","x":1}`
		status, answer = post(o.ID, bad, "Content-Type", "application/json")
		webtest.WantError(t, status, answer, 400, "validation_failed", "/cause", "/reason", "/x")
		status, answer = post(o.ID, `{"reason":"requested"}`)
		webtest.WantError(t, status, answer, 415, "unsupported_media_type")
	})
}

func TestGetIdempotencyKey(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 1, 100)
		report := func(key string) string {
			t.Helper()
			res, err := s.GetIdempotencyKeyWithResponse(ctx, key)
			if err != nil {
				t.Fatal(err)
			}
			if res.JSON200 == nil {
				return outcome(res.StatusCode(), res.Body)
			}
			all := ""
			for _, o := range res.JSON200.Data.Operations {
				all += string(o.Operation)
				if o.OrderID != nil {
					all += fmt.Sprint(" ", *o.OrderID, " ", *o.OrderStatus)
				}
				if o.ProductID != nil {
					all += fmt.Sprint(" product ", *o.ProductID)
				}
				if left := time.Until(o.ExpiresAt.Time); left < keyLifetime-time.Hour ||
					left > keyLifetime+time.Hour {
					t.Errorf("expires_at %v", o.ExpiresAt)
				}
				all += "; "
			}
			return all
		}
		const odd = `a/b?c#d%41 e`
		const key = `k/1?x#%2F"`
		if got := report(key); got != "404 idempotency_key_unknown" {
			t.Error(got)
		}
		s.place(t, key, line(p, 1000))
		if got := report(key); got != "404 idempotency_key_unknown" { // a refused request stores no key
			t.Error(got)
		}
		id := s.place(t, key, line(p, 1)).JSON201.Data.ID
		if got := report(key); got != fmt.Sprintf("createOrder %d CREATED; ", id) {
			t.Error(got)
		}
		s.confirm(t, id, key)
		s.cancel(t, id, "")
		s.adjust(t, p, 1, "x", key)
		const all = "adjustStock product %d; confirmOrder %d CANCELED; createOrder %d CANCELED; "
		if got := report(key); got != fmt.Sprintf(all, p, id, id) {
			t.Error(got)
		}
		s.exec(t, "UPDATE idempotency_keys SET expires_at = ?", db.Now(g, -time.Second))
		if got := report(key); got != "404 idempotency_key_unknown" {
			t.Error(got)
		}
		res, _ := s.GetIdempotencyKeyWithResponse(ctx, odd)
		webtest.WantError(t, res.StatusCode(), res.Body, 400, "validation_failed", "/path/key")
	})
}
