// Package tenants_test holds partners apart: no answer shows, and no call changes, what belongs to another.
package tenants_test

import (
	"bytes"
	"crypto/sha256"
	"encoding/csv"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/getkin/kin-openapi/openapi3"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/bulk"
	"example.com/b2b/internal/web/webtest"
	"example.com/b2b/openapi/customersapi"
	"example.com/b2b/openapi/orchestratorapi"
	"example.com/b2b/openapi/ordersapi"
	"example.com/b2b/test/live"
)

var documents = map[string][]byte{
	"customers":    customersapi.Document,
	"orders":       ordersapi.Document,
	"orchestrator": orchestratorapi.Document,
}

// everyScope may do everything that a partner can be let do.
const everyScope = "customers:read customers:write products:read products:write orders:read orders:write events:read"

// partners are bound to the customers of the sample data. All that one of them writes has its mark in it.
var partners = []auth.Principal{
	{Subject: "erp-mrkacme", Customer: 1, Scope: everyScope},
	{Subject: "shop-mrkacme", Customer: 1, Scope: everyScope},
	{Subject: "erp-mrkglobex", Customer: 2, Scope: everyScope},
	{Subject: "erp-mrkinitech", Customer: 3, Scope: everyScope},
}

func mark(p auth.Principal) string { return p.Subject[strings.Index(p.Subject, "mrk"):] }

// world is the system with its partners.
type world struct {
	db         *gorm.DB
	base       map[string]string
	operations []operation
	tags       []string // that some partner has seen
}

type operation struct {
	service, method, path string
	*openapi3.Operation
	parameters openapi3.Parameters
}

func start(t *testing.T, g *gorm.DB) *world {
	if _, err := db.Seed(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	o := webtest.Options()
	o.Open = false
	w := &world{db: g, tags: []string{"*", `"0000"`}}
	w.base = live.Serve(g, o, func(h http.Handler) string {
		s := httptest.NewServer(h)
		t.Cleanup(s.Close)
		return s.URL
	})
	for service, document := range documents {
		for path, item := range webtest.Spec(t, document).Paths.Map() {
			for method, described := range item.Operations() {
				if path != "/health" && path != "/ready" {
					w.operations = append(
						w.operations,
						operation{
							service, method, path, described,
							slices.Concat(item.Parameters, described.Parameters),
						},
					)
				}
			}
		}
	}
	slices.SortFunc(
		w.operations,
		func(a, b operation) int { return strings.Compare(a.service+a.OperationID, b.service+b.OperationID) },
	)
	return w
}

// value draws one for a parameter or field with this name, with a liking for what belongs to somebody else.
func (w *world) value(r *rapid.T, p auth.Principal, name string) any {
	id := rapid.Int64Range(1, 4)
	switch name {
	case "customer_id", "product_id":
		return id.Draw(r, name)
	case "id", "cursor":
		return rapid.OneOf(id, rapid.Int64Range(1, 40)).Draw(r, name)
	case "qty", "delta":
		return rapid.Int64Range(1, 2).Draw(r, name)
	case "stock", "price_cents":
		return rapid.Int64Range(100, 200).Draw(r, name)
	case "key", "idempotency_key", "X-Idempotency-Key":
		return rapid.SampledFrom([]string{"key-1", "key-2", "key-3", "key-4", "key-5", "key-6"}).Draw(r, name)
	case "If-Match", "If-None-Match":
		return rapid.SampledFrom(w.tags).Draw(r, name)
	case "search":
		return rapid.SampledFrom([]string{"mrk", "a", "@", mark(partners[0]), mark(partners[2])}).Draw(r, name)
	case "limit":
		return 100
	case "name", "phone", "cancel_reason":
		return "of " + mark(p)
	case "external_ref": // one that another has, perhaps
		if rapid.IntRange(0, 6).Draw(r, "another's") > 0 {
			return rapid.StringMatching(`R-[a-z]{8}`).Draw(r, name)
		}
		return rapid.SampledFrom([]string{"C-1001", "C-1002", "PO-2024-0042", "G-77"}).Draw(r, name)
	case "email":
		return fmt.Sprintf("%s-%d@example.com", mark(p), id.Draw(r, name))
	case "sku":
		return rapid.StringMatching(`SKU-[a-z]{12}`).Draw(r, name)
	case "correlation_id", "X-Correlation-Id":
		return "req-" + mark(p)
	}
	return nil
}

// body draws one from the example of the document, of which fields are replaced, and some left out.
func (w *world) body(r *rapid.T, p auth.Principal, o operation, example any) any {
	switch example := example.(type) {
	case map[string]any:
		fields := map[string]any{}
		names := slices.Sorted(func(yield func(string) bool) {
			for name := range example {
				if !yield(name) {
					return
				}
			}
		})
		for _, name := range names {
			value := w.value(r, p, name)
			switch {
			case name == "reason" && o.OperationID == "cancelOrder":
				value = "because of " + mark(p)
			case (name == "name" || name == "reason") && o.Tags[0] == "Products": // everybody sees the catalogue
				value = "neutral"
			case value == nil:
				value = w.body(r, p, o, example[name])
			}
			fields[name] = value
		}
		return fields
	case []any:
		return []any{w.body(r, p, o, example[0])}
	}
	return example
}

// request draws a call of any operation of any document.
func (w *world) request(r *rapid.T, p auth.Principal) (*http.Request, operation) {
	o := rapid.SampledFrom(w.operations).Draw(r, "operation")
	path, query, header := o.path, url.Values{}, http.Header{"X-Correlation-Id": {"req-" + mark(p)}}
	for _, parameter := range o.parameters {
		name := parameter.Value.Name
		value := w.value(r, p, name)
		if value == nil {
			value = parameter.Value.Example
		}
		if !parameter.Value.Required && (value == nil || rapid.Bool().Draw(r, "without "+name)) {
			continue
		}
		switch text := fmt.Sprint(value); parameter.Value.In {
		case openapi3.ParameterInPath:
			path = strings.Replace(path, "{"+name+"}", url.PathEscape(text), 1)
		case openapi3.ParameterInQuery:
			query.Set(name, text)
		case openapi3.ParameterInHeader:
			header.Set(name, text)
		}
	}
	var body io.Reader
	if o.RequestBody != nil {
		media := "application/json"
		example := o.RequestBody.Value.Content.Get(media)
		if example == nil { // a file of one row
			media = bulk.NDJSON
			example = &openapi3.MediaType{}
			if err := json.Unmarshal([]byte(strings.SplitAfter(o.RequestBody.Value.Content.Get(media).Example.(string), "\n")[0]), &example.Example); err != nil {
				r.Fatal(err)
			}
		}
		encoded, err := json.Marshal(w.body(r, p, o, example.Example))
		if err != nil {
			r.Fatal(err)
		}
		body = bytes.NewReader(encoded)
		header.Set("Content-Type", media)
	}
	if rapid.IntRange(0, 9).Draw(r, "pretends") == 0 {
		other := rapid.SampledFrom(partners).Draw(r, "to be")
		header.Set(auth.ActingForHeader, other.ActingFor())
	}
	req, err := http.NewRequest(o.method, w.base[o.service]+path+"?"+query.Encode(), body)
	if err != nil {
		r.Fatal(err)
	}
	req.Header = header
	return req, o
}

// TestPartnersApart makes random calls with the tokens of several partners.
func TestPartnersApart(t *testing.T) {
	checks := "4"
	if testing.Short() {
		checks = "5" // of which rapid makes a fifth
	}
	for name, value := range map[string]string{"rapid.checks": checks, "rapid.steps": "1", "rapid.nofailfile": "true", "rapid.shrinktime": "0s"} {
		given := false
		flag.Visit(func(f *flag.Flag) { given = given || f.Name == name })
		if !given {
			if err := flag.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w := start(t, g)
		seen := map[string]int{}         // answers of each operation that were a success
		never := func() (all []string) { // have succeeded: the test would not have seen them show anything
			for _, o := range w.operations {
				if seen[o.OperationID] == 0 {
					all = append(all, o.OperationID)
				}
			}
			return all
		}
		// A partner creates no customer, and so no key of the Customers API stands for anything; nor does it
		// change products.
		want := []string{
			"createCustomer", "getCustomerIdempotencyKey", "getInternalCustomer", "importCustomers",
			"adjustStock", "createProduct", "importProducts", "updateProduct",
		}
		for round := 0; round < 20 && (round == 0 || !slices.Equal(never(), want)); round++ {
			rapid.Check(t, func(r *rapid.T) {
				for range 250 {
					p := rapid.SampledFrom(partners).Draw(r, "partner")
					w.call(t, r, p, seen)
				}
			})
		}
		if got := never(); !slices.Equal(got, want) {
			t.Errorf("%s never succeeded, want %s", got, want)
		}
	})
}

// call makes one, and looks at the answer and at what it has changed.
func (w *world) call(t *testing.T, r *rapid.T, p auth.Principal, seen map[string]int) {
	req, o := w.request(r, p)
	if o.OperationID == "deleteCustomer" && strings.HasSuffix(req.URL.Path, fmt.Sprint("/", p.Customer)) {
		seen[o.OperationID]++
		return // it would end the partner's part
	}
	token, err := webtest.Options().Tokens.Issue(p, time.Hour)
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	before := w.others(r, p.Customer)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	answer, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		r.Fatal(err)
	}
	call := fmt.Sprintf(
		"%s of customer %d: %s %s %v answered %d %v %s", p.Subject, p.Customer, req.Method, req.URL,
		req.Header, res.StatusCode, res.Header, answer,
	)
	if res.StatusCode >= 500 {
		t.Error(call)
	}
	for _, other := range partners {
		if other.Customer != p.Customer && strings.Contains(fmt.Sprint(res.Header)+string(answer), mark(other)) {
			t.Errorf("shows what is %s's: %s", other.Subject, call)
		}
	}
	decoded, err := decode(res.Header.Get("Content-Type"), answer)
	if err != nil {
		t.Errorf("%v: %s", err, call)
	}
	w.own(t, p, decoded, call)
	if after := w.others(r, p.Customer); after != before {
		t.Errorf("changed what is somebody else's: %s", call)
	}
	if tag := res.Header.Get("ETag"); tag != "" {
		w.tags = append(w.tags, tag)
	}
	if res.StatusCode < 300 {
		seen[o.OperationID]++
	}
}

// decode reads an answer; of a file it makes a list of its rows.
func decode(media string, answer []byte) (decoded any, err error) {
	switch media {
	case bulk.CSV:
		table, err := csv.NewReader(bytes.NewReader(answer)).ReadAll()
		var rows []any
		for _, cells := range table[min(1, len(table)):] {
			row := map[string]any{}
			for i, cell := range cells {
				row[table[0][i]] = cell
				if number, err := strconv.ParseFloat(cell, 64); err == nil {
					row[table[0][i]] = number
				}
			}
			rows = append(rows, row)
		}
		return rows, err
	case bulk.NDJSON:
		answer = append(
			append([]byte{'['}, bytes.ReplaceAll(bytes.TrimSpace(answer), []byte{'\n'}, []byte{','})...), ']',
		)
	}
	if len(answer) > 0 {
		err = json.Unmarshal(answer, &decoded)
	}
	return decoded, err
}

// own fails for every customer and order in an answer that is not p's.
func (w *world) own(t *testing.T, p auth.Principal, answer any, call string) {
	switch answer := answer.(type) {
	case []any:
		for _, element := range answer {
			w.own(t, p, element, call)
		}
	case map[string]any:
		if id, ok := answer["customer_id"].(float64); ok && int64(id) != p.Customer {
			t.Errorf("shows customer %v: %s", id, call)
		}
		if id, ok := answer["order_id"].(float64); ok {
			var customer int64
			if err := w.db.Raw("SELECT customer_id FROM orders WHERE id = ?", int64(id)).Scan(&customer).Error; err != nil || customer != p.Customer {
				t.Errorf("shows order %v: %s", id, call)
			}
		}
		if _, isCustomer := answer["email"]; isCustomer && answer["id"] != float64(p.Customer) {
			t.Errorf("shows customer %v: %s", answer["id"], call)
		}
		for _, value := range answer {
			w.own(t, p, value, call)
		}
	}
}

// others is the state of everything that belongs to others than the customer.
func (w *world) others(r *rapid.T, customer int64) [sha256.Size]byte {
	state := sha256.New()
	callers := []string{}
	for _, p := range partners {
		if p.Customer == customer {
			callers = append(callers, p.KeySpace())
		}
	}
	for _, query := range []struct {
		sql  string
		args []any
	}{
		{"SELECT * FROM customers WHERE id <> ? ORDER BY id", []any{customer}},
		{"SELECT * FROM orders WHERE customer_id <> ? ORDER BY id", []any{customer}},
		{"SELECT i.* FROM order_items i JOIN orders o ON o.id = i.order_id WHERE o.customer_id <> ? ORDER BY i.order_id, i.product_id", []any{customer}},
		{"SELECT * FROM events WHERE customer_id <> ? ORDER BY id", []any{customer}},
		{"SELECT * FROM idempotency_keys WHERE caller NOT IN ? ORDER BY caller, operation, idempotency_key", []any{callers}},
	} {
		var rows []map[string]any
		if err := w.db.Raw(query.sql, query.args...).Scan(&rows).Error; err != nil {
			r.Fatal(err)
		}
		encoded, err := json.Marshal(rows)
		if err != nil {
			r.Fatal(err)
		}
		state.Write(encoded)
	}
	return [sha256.Size]byte(state.Sum(nil))
}
