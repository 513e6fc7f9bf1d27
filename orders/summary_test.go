package orders_test

import (
	"encoding/json"
	"fmt"
	"net/url"
	"reflect"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// summary reads the summary of a query.
func (s *system) summary(t *testing.T, query string, headers ...string) api.OrdersSummary {
	t.Helper()
	status, body, _ := webtest.Do(t, "GET", s.base+"/orders/summary?"+query, "", headers...)
	var answer api.OrdersSummaryResponse
	if err := json.Unmarshal(body, &answer); err != nil || status != 200 {
		t.Fatalf("%s: %v %d %s", query, err, status, body)
	}
	return answer.Data
}

// TestOrdersSummary compares summaries in several time zones with the orders. In the periods of the test, the
// clocks of some zones change, in two zones at midnight. The zone Pacific/Apia has no 30 December 2011.
func TestOrdersSummary(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		type row struct {
			ID, CustomerID, TotalCents int64
			Units                      *int64
			Status                     string
			CreatedAt, UpdatedAt       time.Time
			ConfirmedAt, CanceledAt    *time.Time
			CancelReason               *string
		}
		type piece struct{ OrderID, ProductID, Qty, UnitPriceCents, SubtotalCents int64 }
		s.product(t, 10, 1)
		s.product(t, 10, 1)
		var rows []row
		var pieces []piece
		for _, start := range []time.Time{
			time.Date(2011, 12, 28, 0, 0, 0, 0, time.UTC), time.Date(2024, 3, 1, 0, 0, 0, 0, time.UTC),
		} {
			for i := range int64(1500) {
				at := start.Add(time.Duration(i) * 47 * time.Minute)
				id := int64(len(rows) + 1)
				r := row{
					ID: id, CustomerID: i%2 + 1, TotalCents: i%7*10 + 30, Status: "CREATED",
					CreatedAt: at, UpdatedAt: at,
				}
				pieces = append(pieces, piece{id, 1, i%7 + 1, 10, i%7*10 + 10}, piece{id, 2, 2, 10, 20})
				if i%4 > 0 { // orders of programs before 2.1 have no units
					r.Units = new(i%7 + 3)
				}
				if i%5 > 0 {
					r.Status, r.UpdatedAt = "CONFIRMED", at.Add(31*time.Hour)
					r.ConfirmedAt = &r.UpdatedAt
				}
				if i%5 > 2 {
					r.Status, r.UpdatedAt = "CANCELED", at.Add(50*time.Hour)
					r.CanceledAt, r.CancelReason = new(r.UpdatedAt), new("requested")
					r.ConfirmedAt = new(at.Add(31 * time.Hour))
				}
				rows = append(rows, r)
			}
		}
		s.insertAll(t, "orders", rows)
		s.insertAll(t, "order_items", pieces)
		check := func(t *testing.T, from, to, zone string, customer int64, headers ...string) {
			t.Helper()
			location, err := time.LoadLocation(zone)
			if err != nil {
				t.Fatal(err)
			}
			first, _ := time.Parse(time.DateOnly, from)
			last, _ := time.Parse(time.DateOnly, to)
			want := map[string]*api.OrdersOfDay{}
			days := []api.OrdersOfDay{}
			for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
				want[day.Format(time.DateOnly)] = &api.OrdersOfDay{Day: day.Format(time.DateOnly)}
			}
			for i, r := range rows {
				if customer != 0 && r.CustomerID != customer {
					continue
				}
				count := func(at *time.Time, of func(*api.OrdersOfDay) *api.OrderTotals) {
					if at == nil || want[at.In(location).Format(time.DateOnly)] == nil {
						return
					}
					totals := of(want[at.In(location).Format(time.DateOnly)])
					totals.Orders++
					totals.Units += pieces[2*i].Qty + pieces[2*i+1].Qty
					totals.TotalCents += r.TotalCents
				}
				count(&r.CreatedAt, func(d *api.OrdersOfDay) *api.OrderTotals { return &d.Created })
				count(r.ConfirmedAt, func(d *api.OrdersOfDay) *api.OrderTotals { return &d.Confirmed })
				count(r.CanceledAt, func(d *api.OrdersOfDay) *api.OrderTotals { return &d.Canceled })
			}
			for day := first; !day.After(last); day = day.AddDate(0, 0, 1) {
				days = append(days, *want[day.Format(time.DateOnly)])
			}
			got := s.summary(t, fmt.Sprintf("from=%s&to=%s&tz=%s&by=day", from, to, url.QueryEscape(zone)), headers...)
			if got.Tz != zone || len(got.Days) != len(days) {
				t.Fatalf("%s to %s: %d days of %s, want %d", from, to, len(got.Days), got.Tz, len(days))
			}
			for i, day := range got.Days {
				if day != days[i] {
					t.Errorf("%s: %+v, want %+v", zone, day, days[i])
				}
			}
		}
		for range 2 { // without recorded blocks of ids, and then with them
			for _, zone := range []string{
				"UTC", "Europe/Madrid", "Asia/Kathmandu", "America/Havana", "Asia/Beirut", "Pacific/Apia",
				"Australia/Lord_Howe", "America/St_Johns", "Etc/GMT-14", "Etc/GMT+12",
			} {
				check(t, "2024-03-01", "2024-04-20", zone, 0)
				check(t, "2024-03-31", "2024-03-31", zone, 0)
				check(t, "2011-12-27", "2012-01-03", zone, 0)
			}
			if _, err := s.service.RecordRanges(ctx); err != nil {
				t.Fatal(err)
			}
		}
		partner := as(t, auth.Principal{Subject: "erp", Customer: 2}, "req-1")
		check(t, "2024-03-10", "2024-04-10", "Europe/Madrid", 2, partner...)
		check(t, "2023-12-01", "2024-03-01", "UTC", 0)
		check(t, "1970-01-01", "1970-01-02", "Pacific/Apia", 0)
		check(t, "9999-12-30", "9999-12-31", "Etc/GMT+12", 0)
		if got := s.summary(t, "from=2024-03-02&to=2024-03-01"); got.Tz != "UTC" || len(got.Days) != 0 {
			t.Errorf("backwards: %+v", got)
		}
		dbtest.WantIndexes(t, g, func() { s.summary(t, "from=2024-03-12&to=2024-03-12") },
			"ix_orders_confirmed_at", "ix_orders_updated_at")
		dbtest.WantIndexes(t, g, func() { s.summary(t, "from=2024-03-12&to=2024-03-12", partner...) },
			"ix_orders_confirmed_at", "ix_orders_updated_at")
		for query, field := range map[string]string{
			"from=2024-01-01&to=2024-04-02":                    "/query/to",
			"from=2024-01-01":                                  "/query/to",
			"to=2024-01-01":                                    "/query/from",
			"from=2024-02-30&to=2024-03-01":                    "/query/from",
			"from=2024-01-01T00:00:00Z&to=2024-01-01":          "/query/from",
			"from=2024-01-01&to=2024-01-01&tz=Europe/Nowhere":  "/query/tz",
			"from=2024-01-01&to=2024-01-01&tz=Local":           "/query/tz",
			"from=2024-01-01&to=2024-01-01&tz=Europe":          "/query/tz",
			"from=2024-01-01&to=2024-01-01&tz=../../etc/hosts": "/query/tz",
			"from=2024-01-01&to=2024-01-01&tz=/etc/localtime":  "/query/tz",
			"from=2024-01-01&to=2024-01-01&tz=localtime":       "/query/tz",
			"from=2024-01-01&to=2024-01-01&tz=right/UTC":       "/query/tz",
			"from=2024-01-01&to=2024-01-01&by=month":           "/query/by",
		} {
			status, body, _ := webtest.Do(t, "GET", s.base+"/orders/summary?"+query, "")
			webtest.WantError(t, status, body, 400, "validation_failed", field)
		}
	})
}

// TestOrdersSummaryOfToday places, confirms and cancels orders. The summary must count each order on the day
// of the change, and must show 2^53-1 for a greater sum.
func TestOrdersSummaryOfToday(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p, q := s.product(t, 100, 1000), s.product(t, 250, 1000)
		s.placed(t, line(p, 2), line(q, 3))
		o := s.placed(t, line(p, 5)).ID
		s.confirm(t, o, "summary")
		s.cancel(t, o, "")
		at := s.placed(t, line(q, 1)).CreatedAt.Time
		from, to := at.AddDate(0, 0, -1).Format(time.DateOnly), at.AddDate(0, 0, 1).Format(time.DateOnly)
		// Adds up three days, because midnight may pass during the test.
		sum := func() (all api.OrdersOfDay) {
			add := func(to *api.OrderTotals, from api.OrderTotals) {
				to.Orders += from.Orders
				to.Units += from.Units
				to.TotalCents += from.TotalCents
			}
			for _, day := range s.summary(t, "from="+from+"&to="+to).Days {
				add(&all.Created, day.Created)
				add(&all.Confirmed, day.Confirmed)
				add(&all.Canceled, day.Canceled)
			}
			return all
		}
		want := api.OrdersOfDay{
			Created:   api.OrderTotals{Orders: 3, Units: 11, TotalCents: 1700},
			Confirmed: api.OrderTotals{Orders: 1, Units: 5, TotalCents: 500},
			Canceled:  api.OrderTotals{Orders: 1, Units: 5, TotalCents: 500},
		}
		if got := sum(); !reflect.DeepEqual(got, want) {
			t.Errorf("%+v, want %+v", got, want)
		}
		var huge []string
		for id := range 1100 { // the sum of these orders is greater than 2^63
			const values = "(%d, 1, 'CREATED', 9007199254740991, 100000000000000, '2020-01-01', '2020-01-01')"
			huge = append(huge, fmt.Sprintf(values, id+100))
		}
		s.exec(t, "INSERT INTO orders (id, customer_id, status, total_cents, units, created_at, updated_at) VALUES "+
			strings.Join(huge, ", "))
		got := s.summary(t, "from=2020-01-01&to=2020-01-01").Days[0].Created
		if got != (api.OrderTotals{Orders: 1100, Units: 1<<53 - 1, TotalCents: 1<<53 - 1}) {
			t.Errorf("huge orders are %+v", got)
		}
		// The doctor would report these orders without lines.
		s.exec(t, "DELETE FROM orders WHERE id >= 100")
	})
}
