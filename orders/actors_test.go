package orders_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web/webtest"
)

// TestCanceledBy checks that each answer with a canceled order names the caller who has canceled the order.
func TestCanceledBy(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 1, 100)
		clerk := as(t, auth.Principal{Subject: "maria"}, "req-1")
		partner := as(t, auth.Principal{Subject: `erp "ünï"\`, Customer: 1}, "req-2")
		asService := []string{"Content-Type", "application/json", "Authorization", "Bearer " + webtest.Token}
		for _, c := range []struct {
			body, want string
			headers    []string
		}{
			{"{}", "maria", clerk},
			{`{"reason":"wrong colour"}`, `erp "ünï"\`, partner},
			{`{"cause":"compensation"}`, "service", asService},
			{"{}", "anonymous", asService[:2]},
		} {
			o := s.placed(t, line(p, 1))
			path := fmt.Sprint(s.base, "/orders/", o.ID)
			if o.CanceledBy != nil {
				t.Errorf("a new order is canceled by %s", *o.CanceledBy)
			}
			canceled := webtest.Data(t, "POST", path+"/cancel", json.RawMessage(c.body), c.headers...)
			// This second cancellation must not change canceled_by.
			webtest.Data(t, "POST", path+"/cancel", nil, clerk...)
			read := webtest.Data(t, "GET", path, nil)
			_, listed, _ := webtest.Do(t, "GET", fmt.Sprint(s.base, "/orders?ids=", o.ID), "")
			var rows struct{ Data []map[string]any }
			if err := json.Unmarshal(listed, &rows); err != nil || len(rows.Data) != 1 {
				t.Fatalf("%v %s", err, listed)
			}
			for where, got := range map[string]any{
				"the answer": canceled["canceled_by"], "a read": read["canceled_by"], "the list": rows.Data[0]["canceled_by"],
			} {
				if got != c.want {
					t.Errorf("%s says that %v has canceled the order of %s", where, got, c.want)
				}
			}
			newest := s.history(t, fmt.Sprint("/orders/", o.ID))[0]
			var shown map[string]any
			if err := json.Unmarshal(newest.Representation, &shown); err != nil || !reflect.DeepEqual(shown, read) ||
				newest.Actor != c.want {
				t.Errorf("%v: the event of %s shows %s, and a read %v", err, newest.Actor, newest.Representation, read)
			}
		}
		o := s.placed(t, line(p, 1)).ID
		s.expire(t, o)
		if _, err := s.service.ExpireReservations(ctx); err != nil {
			t.Fatal(err)
		}
		if by := webtest.Data(t, "GET", fmt.Sprint(s.base, "/orders/", o), nil)["canceled_by"]; by != "system" {
			t.Errorf("an expired order is canceled by %v", by)
		}
	})
}

// TestActorOfAdjustments checks that a stock adjustment names the caller who made it. A caller bound to a
// customer must get no name.
func TestActorOfAdjustments(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		clerk := as(t, auth.Principal{Subject: "maria"}, "req-1")
		product := json.RawMessage(`{"sku":"A","name":"Thing","price_cents":1,"stock":3}`)
		made := webtest.Data(t, "POST", s.base+"/products", product, clerk...)
		path := fmt.Sprint(s.base, "/products/", made["id"])
		webtest.Data(t, "PATCH", path, map[string]any{"stock": 5})
		adjustment := json.RawMessage(`{"delta":40,"reason":"delivery"}`)
		adjusted := webtest.Data(t, "POST", path+"/stock-adjustments", adjustment,
			as(t, auth.Principal{Subject: "josé"}, "req-2")...)
		if adjusted["actor"] != "josé" {
			t.Errorf("the answer names %v", adjusted["actor"])
		}
		status, body, _ := webtest.Do(t, "POST", s.base+"/products/import", `{"sku":"A","stock":7}`,
			append(clerk[:4:4], "Content-Type", "application/x-ndjson")...)
		if status != 200 || !strings.Contains(string(body), `"updated"`) {
			t.Fatalf("%d %s", status, body)
		}
		// Earlier versions stored adjustments without an actor.
		s.exec(t, "UPDATE stock_adjustments SET actor = NULL WHERE reason = 'delivery'")
		actors := func(headers ...string) (all []any) {
			_, body, _ := webtest.Do(t, "GET", path+"/stock-adjustments", "", headers...)
			var page struct{ Data []map[string]any }
			if err := json.Unmarshal(body, &page); err != nil {
				t.Fatalf("%v %s", err, body)
			}
			for _, a := range page.Data {
				all = append(all, a["actor"])
			}
			return all
		}
		if got := actors(); !reflect.DeepEqual(got, []any{"maria", nil, "anonymous", "maria"}) {
			t.Errorf("the list names %v", got)
		}
		partner := as(t, auth.Principal{Subject: "erp", Customer: 1}, "req-3")
		if got := actors(partner...); !reflect.DeepEqual(got, []any{nil, nil, nil, nil}) {
			t.Errorf("to a partner, the list names %v", got)
		}
	})
}

// TestMigrationOfActors migrates orders that were canceled before the table had the column canceled_by. The
// migration must take the caller from the history. A second run of the migration, as after a crash, must
// change nothing.
func TestMigrationOfActors(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 1, 100)
		var want []any
		for _, by := range []string{"maria", "josé", ""} {
			o := s.placed(t, line(p, 1)).ID
			if by == "" {
				s.confirm(t, o, "actors")
				want = append(want, nil)
				continue
			}
			clerk := as(t, auth.Principal{Subject: by}, "req-1")
			webtest.Data(t, "POST", fmt.Sprint(s.base, "/orders/", o, "/cancel"), nil, clerk...)
			want = append(want, by)
		}
		s.exec(t, "ALTER TABLE orders DROP COLUMN canceled_by")
		s.exec(t, "ALTER TABLE stock_adjustments DROP COLUMN actor")
		for range 2 {
			dbtest.Apply(t, g, 17)
			_, body, _ := webtest.Do(t, "GET", s.base+"/orders", "")
			var page struct{ Data []map[string]any }
			if err := json.Unmarshal(body, &page); err != nil || len(page.Data) != len(want) {
				t.Fatalf("%v %s", err, body)
			}
			for i, o := range page.Data {
				if o["canceled_by"] != want[i] {
					t.Errorf("order %v is canceled by %v, want %v", o["id"], o["canceled_by"], want[i])
				}
			}
			if g.Name() == db.SQLite {
				break // on SQLite a migration is one transaction, so it never runs twice
			}
		}
	})
}
