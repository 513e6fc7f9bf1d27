package system_test

import (
	"encoding/json"
	"fmt"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/dbtest/server"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/documents"
)

// TestReplica stops a replica from applying changes, lets it catch up, and kills it. A list that comes from
// the replica must have the header Age. While the replica lags too far, the list must come from the primary.
// All other answers must be current.
func TestReplica(t *testing.T) {
	if testing.Short() {
		t.Skip("two database servers")
	}
	for _, s := range dbtest.Servers {
		t.Run(s.Engine, func(t *testing.T) {
			primary, replica := replicated(t, s.Engine)
			c := newDatabase(t, primary, "replicated")
			g := dbtest.Open(t, c)
			if _, err := db.Seed(t.Context(), g); err != nil {
				t.Fatal(err)
			}
			env := append(environment(c), anyPorts...)
			env = append(env, "DB_READ_HOST=127.0.0.1", "DB_READ_PORT="+strconv.Itoa(replica.Port))
			patient := start(t, append(slices.Clip(env), "DB_READ_MAX_LAG_SECONDS=3600"))
			strict := start(t, append(slices.Clip(env), "DB_READ_MAX_LAG_SECONDS=2"))
			for _, p := range []*process{patient, strict} {
				p.waitForReplica(t, "used")
				wantAge(t, true, p.customers+"/customers", "ACME Corporation")
			}

			f := &frozen{process: patient}
			f.prepare(t)
			if err := replica.StopApplying(); err != nil {
				t.Fatal(err)
			}
			f.change(t)
			f.wantReads(t)

			fresh := strict.customers + "/customers?search=frozen"
			strict.waitForReplica(t, "lags")
			wantAge(t, false, fresh, "Frozen GmbH")
			wantAge(t, false, strict.customers+"/customers/export?format=csv", "Frozen GmbH")
			if err := replica.Apply(); err != nil {
				t.Fatal(err)
			}
			strict.waitForReplica(t, "used")
			wantAge(t, true, fresh, "Frozen GmbH")

			if err := replica.Kill(); err != nil {
				t.Fatal(err)
			}
			for range 20 {
				wantAge(t, false, fresh, "Frozen GmbH")
			}
			patient.waitForReplica(t, "away")
			if err := replica.Restart(); err != nil {
				t.Fatal(err)
			}
			patient.waitForReplica(t, "used")
			wantAge(t, true, patient.customers+"/customers?search=frozen", "Frozen GmbH")

			var beats int64
			for _, p := range []*process{patient, strict} {
				if code := p.stop(); code != 0 {
					t.Errorf("exit code %d", code)
				}
			}
			if err := g.Table("replica_beats").Count(&beats).Error; err != nil || beats != 0 {
				t.Errorf("%d beats are left: %v", beats, err)
			}
			if out, err := execute(t, env, "doctor"); err != nil {
				t.Error(out, err)
			}
		})
	}
}

// replicated starts a private server of an engine, and its replica.
func replicated(t *testing.T, engine string) (primary, replica *server.Server) {
	t.Helper()
	dir, err := os.MkdirTemp("", "b2b-") // t.TempDir is too long for the path of a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	var both [2]*server.Server
	for i := range both {
		args := append(server.Replicates(i+1), "--innodb-flush-log-at-trx-commit=2", "--sync-binlog=0")
		both[i], err = server.Private(engine, filepath.Join(dir, strconv.Itoa(i)), args...)
		if err != nil {
			t.Fatal(err)
		}
		if both[i] == nil {
			t.Skip("the server program is not installed")
		}
		t.Cleanup(func() { both[i].Stop() })
	}
	if err := both[1].Follow(both[0]); err != nil {
		t.Fatal(err)
	}
	return both[0], both[1]
}

// waitForReplica waits until /ready of the Customers API and of the Orders API shows the state of the
// replica.
func (p *process) waitForReplica(t *testing.T, want string) {
	t.Helper()
	for _, base := range []string{p.customers, p.orders} {
		var ready struct{ Replica string }
		for until := time.Now().Add(time.Minute); ready.Replica != want; time.Sleep(20 * time.Millisecond) {
			if time.Now().After(until) {
				t.Fatalf("the replica is %q, and not %q", ready.Replica, want)
			}
			if err := json.Unmarshal(wanted(t, http.StatusOK, "GET", base+"/ready", ""), &ready); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// wantAge checks that an answer has the status 200 and the text. If lags is true, the header Age must be at
// least 1 second; otherwise the answer must have no header Age.
func wantAge(t *testing.T, lags bool, url, text string) {
	t.Helper()
	status, body, header := webtest.Do(t, "GET", url, "")
	age := header.Get("Age")
	seconds, _ := strconv.Atoi(age)
	has := strings.Contains(string(body), text)
	if status != http.StatusOK || lags != (seconds >= 1) || lags != (age != "") || !has {
		t.Errorf("GET %s: %d, Age %q, want one: %v; %q in the body: %v", url, status, age, lags, text, has)
	}
}

// frozen is a b2b whose replica has stopped applying changes.
type frozen struct {
	*process
	order   int64 // placed before the replica was frozen, and confirmed afterwards
	created struct{ customer, product, order int64 }
}

// prepare places an order for customer 1, and waits until the replica has the order.
func (f *frozen) prepare(t *testing.T) {
	f.order = f.id(t, f.orders+"/orders", `{"customer_id":1,"items":[{"product_id":1,"qty":1}]}`)
	until(t, "the replica has the order", func() bool {
		_, _, header := webtest.Do(t, "GET", fmt.Sprint(f.orders, "/orders/", f.order, "/history"), "")
		return header.Get("Age") != ""
	})
}

// id creates a thing by a POST to url, and returns the id of the thing.
func (f *frozen) id(t *testing.T, url, body string, headers ...string) int64 {
	t.Helper()
	var answer struct{ Data struct{ ID int64 } }
	if err := json.Unmarshal(wanted(t, http.StatusCreated, "POST", url, body, headers...), &answer); err != nil {
		t.Fatal(err)
	}
	return answer.Data.ID
}

// change makes changes that the replica does not have. Each change must see the earlier changes.
func (f *frozen) change(t *testing.T) {
	t.Helper()
	const customer = `{"name":"Frozen GmbH","email":"frozen@example.com","external_ref":"frozen-1"}`
	f.created.customer = f.id(t, f.customers+"/customers", customer, "X-Idempotency-Key", "frozen-c")
	f.created.product = f.id(t, f.orders+"/products",
		`{"sku":"FROZEN-1","name":"Frozen peas","price_cents":100,"stock":5}`)
	place := fmt.Sprintf(`{"customer_id":%d,"external_ref":"frozen-o","items":[{"product_id":%d,"qty":5}]}`,
		f.created.customer, f.created.product)
	f.created.order = f.id(t, f.orders+"/orders", place, "X-Idempotency-Key", "frozen-o")
	if again := f.id(t, f.orders+"/orders", place, "X-Idempotency-Key", "frozen-o"); again != f.created.order {
		t.Errorf("a repeat has placed order %d after order %d", again, f.created.order)
	}
	soldOut := fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, f.created.product)
	wanted(t, http.StatusBadRequest, "POST", f.orders+"/orders", soldOut)
	for _, order := range []int64{f.order, f.created.order} {
		of := fmt.Sprintf("%s/orders/%d", f.orders, order)
		wanted(t, http.StatusOK, "POST", of+"/confirm", "", "X-Idempotency-Key", fmt.Sprint("confirm-", order))
	}

	product := fmt.Sprint(f.orders, "/products/1")
	_, _, header := webtest.Do(t, "GET", product, "")
	wanted(t, http.StatusOK, "PATCH", product, `{"name":"Frozen laptop"}`, "If-Match", header.Get("ETag"))
	wanted(t, http.StatusPreconditionFailed, "PATCH", product, `{"name":"Old laptop"}`, "If-Match", header.Get("ETag"))
	wanted(t, http.StatusCreated, "POST", product+"/stock-adjustments", `{"delta":7,"reason":"frozen"}`)
	wanted(t, http.StatusOK, "PUT", f.customers+"/customers/1", `{"phone":"+1-555-0199"}`)
	wanted(t, http.StatusCreated, "POST", f.orchestrator+"/orchestrator/create-and-confirm-order",
		`{"customer_id":1,"items":[{"product_id":2,"qty":1}],"idempotency_key":"frozen-w"}`)
}

// frozenRead is a read after the primary was changed. A current answer has the text; an answer of the frozen
// replica does not have it.
type frozenRead struct {
	operation, url, text string
	lags                 bool
}

// wantReads calls each operation that only reads. An answer must come from the frozen replica exactly when
// the field lags is true. An operation must have such a read exactly when its document has the header Age.
func (f *frozen) wantReads(t *testing.T) {
	t.Helper()
	since := url.QueryEscape(time.Now().UTC().Add(-time.Hour).Format(time.RFC3339))
	today := time.Now().UTC().Format(time.DateOnly)
	c, o := f.customers, f.orders
	customer, product := fmt.Sprint(f.created.customer), fmt.Sprint(f.created.product)
	order := fmt.Sprint(f.created.order)
	whole := f.orchestrator + "/orchestrator/create-and-confirm-order"
	reads := []frozenRead{
		{"listCustomers", c + "/customers", "Frozen GmbH", true},
		{"listCustomers", c + "/customers?search=frozen", "Frozen GmbH", true},
		{"listCustomers", c + "/customers?email=frozen@example.com", "Frozen GmbH", false},
		{"listCustomers", c + "/customers?external_ref=frozen-1", "Frozen GmbH", false},
		{"listCustomers", c + "/customers?updated_since=" + since, "Frozen GmbH", false},
		{"exportCustomers", c + "/customers/export?format=ndjson", "Frozen GmbH", true},
		{"exportCustomers", c + "/customers/export?format=csv&updated_since=" + since, "Frozen GmbH", false},
		{"getCustomer", c + "/customers/" + customer, "Frozen GmbH", false},
		{"getInternalCustomer", c + "/internal/customers/" + customer, "Frozen GmbH", false},
		{"listCustomerHistory", c + "/customers/1/history", "+1-555-0199", true},
		// The replica lacks this customer, so b2b reads from the primary.
		{"listCustomerHistory", c + "/customers/" + customer + "/history", "Frozen GmbH", false},
		{"findCustomerIdempotencyKey", c + "/customer-idempotency-keys?key=frozen-c", "createCustomer", false},
		{"getCustomerIdempotencyKey", c + "/customer-idempotency-keys/frozen-c", "createCustomer", false},

		{"listProducts", o + "/products", "FROZEN-1", true},
		{"listProducts", o + "/products?search=frozen", "FROZEN-1", true},
		{"listProducts", o + "/products?sku=FROZEN-1", "FROZEN-1", false},
		{"listProducts", o + "/products?updated_since=" + since, "FROZEN-1", false},
		{"exportProducts", o + "/products/export?format=csv", "FROZEN-1", true},
		{"exportProducts", o + "/products/export?format=csv&sku=FROZEN-1", "FROZEN-1", false},
		{"getProduct", o + "/products/" + product, "FROZEN-1", false},
		{"listStockAdjustments", o + "/products/1/stock-adjustments", "frozen", true},
		{"listStockAdjustments", o + "/products/" + product + "/stock-adjustments", "created", false},
		{"listProductHistory", o + "/products/1/history", "Frozen laptop", true},
		{"listProductHistory", o + "/products/" + product + "/history", "FROZEN-1", false},

		{"listOrders", o + "/orders", `"frozen-o"`, true},
		{"listOrders", o + "/orders?customer_id=" + customer, `"frozen-o"`, true},
		{"listOrders", o + "/orders?external_ref=frozen-o", `"frozen-o"`, false},
		{"listOrders", o + "/orders?updated_since=" + since, `"frozen-o"`, false},
		{"exportOrders", o + "/orders/export?format=ndjson", `"frozen-o"`, true},
		{"exportOrders", o + "/orders/export?format=csv&lines=true", "FROZEN-1", true},
		{"exportOrders", o + "/orders/export?format=ndjson&external_ref=frozen-o", `"frozen-o"`, false},
		{"getOrder", fmt.Sprint(o, "/orders/", f.order), "CONFIRMED", false},
		{"listOrderHistory", fmt.Sprint(o, "/orders/", f.order, "/history"), "order.confirmed", true},
		{"listOrderHistory", o + "/orders/" + order + "/history", "order.confirmed", false},
		{"listCustomers", c + "/customers?ids=" + customer, "Frozen GmbH", false},
		{"listProducts", o + "/products?ids=" + product, "FROZEN-1", false},
		{"listOrders", o + "/orders?ids=" + order, `"frozen-o"`, false},
		{"summarizeOrders", o + "/orders/summary?from=" + today + "&to=" + today, `"created":{"orders":3`, true},
		{"findIdempotencyKey", o + "/idempotency-keys?key=frozen-o", `"CONFIRMED"`, false},
		{"getIdempotencyKey", o + "/idempotency-keys/frozen-o", `"CONFIRMED"`, false},

		{"listEvents", f.events + "/events", "", false},

		{"findOrchestration", whole + "?idempotency_key=frozen-w", `"CONFIRMED"`, false},
		{"getOrchestration", whole + "/frozen-w", `"CONFIRMED"`, false},
	}
	// For each operation: whether it has current reads, and whether it has lagging reads.
	kinds := map[string][2]bool{}
	for _, r := range reads {
		kind := kinds[r.operation]
		kinds[r.operation] = [2]bool{kind[0] || !r.lags, kind[1] || r.lags}
		token := ""
		if r.operation == "getInternalCustomer" {
			token = "Bearer token-of-the-test"
		}
		status, body, header := webtest.Do(t, "GET", r.url, "", "Authorization", token)
		has := strings.Contains(string(body), r.text)
		if status != http.StatusOK || has == r.lags || r.lags != (header.Get("Age") != "") {
			t.Errorf("GET %s: %d, Age %q, %q in it: %v, want an answer that lags: %v\n%s",
				r.url, status, header.Get("Age"), r.text, has, r.lags, body)
		}
	}
	for _, d := range documents.All {
		for path, item := range webtest.Spec(t, d.Content).Paths.Map() {
			isWebhook := strings.HasPrefix(path, "/webhook")
			if item.Get == nil || path == "/health" || path == "/ready" || isWebhook {
				continue
			}
			operation := item.Get.OperationID
			mayLag := item.Get.Responses.Value("200").Value.Headers["Age"] != nil
			if got := kinds[operation]; got == [2]bool{} || got[1] != mayLag {
				t.Errorf("%s: a header Age %v, reads (current, lagging) %v", operation, mayLag, got)
			}
		}
	}
	quote := fmt.Sprintf(`{"customer_id":%s,"items":[{"product_id":%s,"qty":1}]}`, customer, product)
	wanted(t, http.StatusOK, "POST", o+"/orders/quote", quote)
	const row = "sku,price_cents\nFROZEN-1,100\n"
	status, body, _ := webtest.Do(t, "POST", o+"/products/import?dry_run=true", row, "Content-Type", "text/csv")
	if status != http.StatusOK || !strings.Contains(string(body), `"unchanged"`) {
		t.Errorf("a dry run: %d %s", status, body)
	}
}
