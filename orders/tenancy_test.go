package orders_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/orders"
)

// TestCommandsKeepTenancy runs each order command on an order of another customer. The answer must be the
// same as for an order that does not exist, and the order must not change. Each type of command must have a
// case in this test.
func TestCommandsKeepTenancy(t *testing.T) {
	cases := map[string]struct{ path, body, want string }{
		"createCommand":  {"/orders", `{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, "403 forbidden"},
		"confirmCommand": {"/orders/%d/confirm", "", "404 order_not_found"},
		"cancelCommand":  {"/orders/%d/cancel", `{}`, "404 order_not_found"},
	}
	if got, want := slices.Sorted(maps.Keys(cases)), orderCommands(t); !slices.Equal(got, want) {
		t.Fatalf("cases for %v, want %v", got, want)
	}
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		p := s.product(t, 100, 10)
		o := s.placed(t, line(p, 1))
		principal := auth.Principal{Subject: "other", Customer: 2}
		other := append(as(t, principal, "req-other"), "X-Idempotency-Key", "other")
		events := s.count(t, "events")
		for command, c := range cases {
			send := func(id int64) string {
				path, body := c.path, c.body
				if strings.Contains(path, "%") {
					path = fmt.Sprintf(path, id)
				} else {
					body = fmt.Sprintf(body, p)
				}
				status, answer, _ := webtest.Do(t, "POST", s.base+path, body, other...)
				if got := outcome(status, answer); got != c.want {
					t.Errorf("%s of another's order: %s, want %s", command, got, c.want)
				}
				return strings.ReplaceAll(string(answer), fmt.Sprint(id), "ID")
			}
			if got, want := send(o.ID), send(99999); got != want {
				t.Errorf("%s of another's order: %s, of none: %s", command, got, want)
			}
		}
		read, err := s.GetOrderWithResponse(ctx, o.ID, nil)
		if err != nil || read.JSON200 == nil || read.JSON200.Data.Status != o.Status {
			t.Errorf("%v %s", err, read.Body)
		}
		if got := s.count(t, "events"); got != events {
			t.Errorf("%d new events", got-events)
		}
		s.wantStock(t, p, 9)
	})
}

// TestCommandsDoNotQueue confirms and cancels an order of another customer while no batch can run. The answer
// must come at once. Such commands must neither wait in the queue before commands of the owner, nor lock the
// order.
func TestCommandsDoNotQueue(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		o := s.placed(t, line(s.product(t, 100, 10), 1))
		other := append(as(t, auth.Principal{Subject: "other", Customer: 77}, "req-other"), "X-Idempotency-Key", "k")
		open := s.gate(t)
		for _, command := range []string{"confirm", "cancel"} {
			answered := make(chan string, 1)
			go func() {
				path := fmt.Sprintf("%s/orders/%d/%s", s.base, o.ID, command)
				status, answer, _ := webtest.Do(t, "POST", path, "", other...)
				answered <- outcome(status, answer)
			}()
			deadline := time.Now().Add(time.Minute) // ends the loop if the request fails
			for waiting := 0; len(answered) == 0 && waiting == 0; _, waiting, _ = orders.Load(s.service) {
				if time.Now().After(deadline) {
					break
				}
				time.Sleep(time.Millisecond)
			}
			if len(answered) == 0 {
				t.Errorf("%s waits for a batch, or has no answer", command)
			} else if got := <-answered; got != "404 order_not_found" {
				t.Errorf("%s: %s", command, got)
			}
		}
		open()
	})
}

// orderCommands returns the types of package orders with a method decide, except Service.
func orderCommands(t *testing.T) (types []string) {
	names, err := filepath.Glob("*.go")
	if err != nil {
		t.Fatal(err)
	}
	for _, name := range names {
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, d := range file.Decls {
			if f, ok := d.(*ast.FuncDecl); ok && f.Name.Name == "decide" && f.Recv != nil {
				receiver := f.Recv.List[0].Type.(*ast.StarExpr).X.(*ast.Ident).Name
				if receiver != "Service" {
					types = append(types, receiver)
				}
			}
		}
	}
	slices.Sort(types)
	return types
}
