// Package tenants_test checks that no answer to a partner shows data of another customer, and that no call of
// a partner changes data of another customer.
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

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/documents"
	"example.com/b2b/v2/test/live"
)

// everyScope has every scope that a partner can have.
const everyScope = "customers:read customers:write products:read products:write orders:read orders:write " +
	"events:read webhooks:read webhooks:write"

// partners are bound to the customers of the sample data. Every text that a partner writes contains the mark
// of its customer.
var partners = []auth.Principal{
	{Subject: "erp-mrkacme", Customer: 1, Scope: everyScope},
	{Subject: "shop-mrkacme", Customer: 1, Scope: everyScope},
	{Subject: "erp-mrkglobex", Customer: 2, Scope: everyScope},
	{Subject: "erp-mrkinitech", Customer: 3, Scope: everyScope},
}

func mark(p auth.Principal) string { return p.Subject[strings.Index(p.Subject, "mrk"):] }

// system has the addresses of the running services, and their database.
type system struct {
	db         *gorm.DB
	base       map[string]string
	operations []operation
	tags       []string // ETags of earlier answers
}

type operation struct {
	service, method, path string
	*openapi3.Operation
	parameters openapi3.Parameters
}

func start(t *testing.T, g *gorm.DB) *system {
	if _, err := db.Seed(t.Context(), g); err != nil {
		t.Fatal(err)
	}
	o := webtest.Options()
	o.Open = false
	s := &system{db: g, tags: []string{"*", `"0000"`}}
	s.base = live.Serve(g, o, func(h http.Handler) string {
		server := httptest.NewServer(h)
		t.Cleanup(server.Close)
		return server.URL
	})
	for _, d := range documents.All {
		for path, item := range webtest.Spec(t, d.Content).Paths.Map() {
			for method, described := range item.Operations() {
				if path != "/health" && path != "/ready" {
					parameters := slices.Concat(item.Parameters, described.Parameters)
					s.operations = append(s.operations, operation{d.Service, method, path, described, parameters})
				}
			}
		}
	}
	slices.SortFunc(s.operations, func(a, b operation) int {
		return strings.Compare(a.service+a.OperationID, b.service+b.OperationID)
	})
	return s
}

// value draws a value for a parameter or field, often a value that belongs to another partner.
func (s *system) value(r *rapid.T, p auth.Principal, name string) any {
	id := rapid.Int64Range(1, 4)
	switch name {
	case "customer_id", "product_id":
		return id.Draw(r, name)
	case "id", "cursor", "after", "Last-Event-ID":
		return rapid.OneOf(id, rapid.Int64Range(1, 40)).Draw(r, name)
	case "ids":
		return "1,2,3,4,5,6"
	case "from", "to": // dates, because the summary of orders takes no times
		return rapid.SampledFrom([]string{"2024-01-01", "2024-01-20"}).Draw(r, name)
	case "qty", "delta":
		return rapid.Int64Range(1, 2).Draw(r, name)
	case "stock", "price_cents":
		return rapid.Int64Range(100, 200).Draw(r, name)
	case "key", "idempotency_key", "X-Idempotency-Key":
		return rapid.SampledFrom([]string{"key-1", "key-2", "key-3", "key-4", "key-5", "key-6"}).Draw(r, name)
	case "If-Match", "If-None-Match":
		return rapid.SampledFrom(s.tags).Draw(r, name)
	case "search":
		return rapid.SampledFrom([]string{"mrk", "a", "@", mark(partners[0]), mark(partners[2])}).Draw(r, name)
	case "limit":
		return 100
	case "url":
		return "https://" + mark(p) + ".invalid/"
	case "name", "phone", "cancel_reason":
		return "of " + mark(p)
	case "external_ref": // mostly a new reference, else one that may be in use
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

// body returns a copy of the example of the document. Each field for which the method value draws a value
// gets this value.
func (s *system) body(r *rapid.T, p auth.Principal, o operation, example any) any {
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
			value := s.value(r, p, name)
			switch {
			case name == "reason" && o.OperationID == "cancelOrder":
				value = "because of " + mark(p)
			case (name == "name" || name == "reason") && o.Tags[0] == "Products": // every partner sees all products
				value = "neutral"
			case value == nil:
				value = s.body(r, p, o, example[name])
			}
			fields[name] = value
		}
		return fields
	case []any:
		return []any{s.body(r, p, o, example[0])}
	}
	return example
}

// request draws a call of any operation of any document.
func (s *system) request(r *rapid.T, p auth.Principal) (*http.Request, operation) {
	o := rapid.SampledFrom(s.operations).Draw(r, "operation")
	path, query, header := o.path, url.Values{}, http.Header{"X-Correlation-Id": {"req-" + mark(p)}}
	for _, parameter := range o.parameters {
		name := parameter.Value.Name
		value := s.value(r, p, name)
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
		if example == nil { // the body is a file, here of one row
			media = bulk.NDJSON
			example = &openapi3.MediaType{}
			rows := o.RequestBody.Value.Content.Get(media).Example.(string)
			first, _, _ := strings.Cut(rows, "\n")
			if err := json.Unmarshal([]byte(first), &example.Example); err != nil {
				r.Fatal(err)
			}
		}
		encoded, err := json.Marshal(s.body(r, p, o, example.Example))
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
	req, err := http.NewRequest(o.method, s.base[o.service]+path+"?"+query.Encode(), body)
	if err != nil {
		r.Fatal(err)
	}
	req.Header = header
	return req, o
}

// TestPartnersApart makes random calls with the tokens of several partners, and checks each call with the
// method call. In the end every operation must have succeeded at least once, except the operations in want.
func TestPartnersApart(t *testing.T) {
	checks := "4"
	if testing.Short() {
		checks = "5" // with -short, rapid makes only a fifth of this number
	}
	for name, value := range map[string]string{
		"rapid.checks": checks, "rapid.steps": "1", "rapid.nofailfile": "true", "rapid.shrinktime": "0s",
	} {
		isSet := false
		flag.Visit(func(f *flag.Flag) { isSet = isSet || f.Name == name })
		if !isSet {
			if err := flag.Set(name, value); err != nil {
				t.Fatal(err)
			}
		}
	}
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := start(t, g)
		successes := map[string]int{}       // numbers of successes, by operation
		failed := func() (names []string) { // returns the operations that have never succeeded
			for _, o := range s.operations {
				if successes[o.OperationID] == 0 {
					names = append(names, o.OperationID)
				}
			}
			return names
		}
		// A partner cannot create customers, and so has no key of the Customers API. A partner cannot change
		// products.
		want := []string{
			"createCustomer", "findCustomerIdempotencyKey", "getCustomerIdempotencyKey", "getInternalCustomer",
			"importCustomers", "adjustStock", "createProduct", "importProducts", "updateProduct",
		}
		for round := 0; round < 100 && (round == 0 || !slices.Equal(failed(), want)); round++ {
			rapid.Check(t, func(r *rapid.T) {
				for range 250 {
					p := rapid.SampledFrom(partners).Draw(r, "partner")
					s.call(t, r, p, successes)
				}
			})
		}
		if got := failed(); !slices.Equal(got, want) {
			t.Errorf("%s never succeeded, want %s", got, want)
		}
	})
}

// TestOthersLookMissing calls every operation on a customer or an order with the id of another customer's
// data. The answer must be the same as for an id that does not exist.
func TestOthersLookMissing(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		w := start(t, g)
		var order int64
		err := g.Raw("SELECT MIN(id) FROM orders WHERE customer_id = 1").Scan(&order).Error
		if err != nil || order == 0 {
			t.Fatal(order, err)
		}
		token, err := webtest.Options().Tokens.Issue(partners[2], time.Hour)
		if err != nil {
			t.Fatal(err)
		}
		tried := 0
		for _, o := range w.operations {
			another := map[string]int64{"/customers/{id}": 1, "/internal/customers/{id}": 1, "/orders/{id}": order}
			for prefix, id := range another {
				if o.path != prefix && !strings.HasPrefix(o.path, prefix+"/") {
					continue
				}
				tried++
				of, none := w.callExample(t, o, id, token), w.callExample(t, o, 999_999, token)
				if of != none || !strings.HasPrefix(of, "403 ") && !strings.HasPrefix(of, "404 ") {
					t.Errorf("%s of another's: %s, of none: %s", o.OperationID, of, none)
				}
			}
		}
		if tried < 8 {
			t.Errorf("only %d operations", tried)
		}
	})
}

// callExample calls an operation on an id, with the body of its example. It returns the status and the body
// of the answer, with ID in place of the id.
func (s *system) callExample(t *testing.T, o operation, id int64, token string) string {
	var body []byte
	if o.RequestBody != nil {
		var err error
		if body, err = json.Marshal(o.RequestBody.Value.Content.Get("application/json").Example); err != nil {
			t.Fatal(err)
		}
	}
	url := s.base[o.service] + strings.Replace(o.path, "{id}", fmt.Sprint(id), 1)
	status, answer, _ := webtest.Do(t, o.method, url, string(body), "Authorization", "Bearer "+token,
		"Content-Type", "application/json", "X-Idempotency-Key", fmt.Sprint(o.OperationID, id))
	return fmt.Sprintf("%d %s", status, strings.ReplaceAll(string(answer), fmt.Sprint(id), "ID"))
}

// call makes a random call as the partner p. It checks the answer, and checks that the data of the other
// customers is unchanged.
func (s *system) call(t *testing.T, r *rapid.T, p auth.Principal, successes map[string]int) {
	req, o := s.request(r, p)
	if o.OperationID == "deleteCustomer" && strings.HasSuffix(req.URL.Path, fmt.Sprint("/", p.Customer)) {
		successes[o.OperationID]++
		return // do not send it: without its customer, the partner could do nothing more
	}
	token, err := webtest.Options().Tokens.Issue(p, time.Hour)
	if err != nil {
		r.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+token)
	if o.OperationID == "listEvents" { // puts the recorded events into the feed
		if _, err := events.New(s.db, events.Config{}).SequenceBatch(t.Context()); err != nil {
			t.Error(err)
		}
	}
	before := s.hashOthers(r, p.Customer)
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		r.Fatal(err)
	}
	answer, err := io.ReadAll(res.Body)
	res.Body.Close()
	if err != nil {
		r.Fatal(err)
	}
	call := fmt.Sprintf("%s of customer %d: %s %s %v", p.Subject, p.Customer, req.Method, req.URL, req.Header) +
		fmt.Sprintf(" answered %d %v %s", res.StatusCode, res.Header, answer)
	if res.StatusCode >= 500 {
		t.Error(call)
	}
	for _, other := range partners {
		if other.Customer != p.Customer && strings.Contains(fmt.Sprint(res.Header)+string(answer), mark(other)) {
			t.Errorf("shows data of %s: %s", other.Subject, call)
		}
	}
	decoded, err := decode(res.Header.Get("Content-Type"), answer)
	if err != nil {
		t.Errorf("%v: %s", err, call)
	}
	s.wantOwn(t, p, decoded, call)
	if after := s.hashOthers(r, p.Customer); after != before {
		t.Errorf("changed data of another customer: %s", call)
	}
	if tag := res.Header.Get("ETag"); tag != "" {
		s.tags = append(s.tags, tag)
	}
	if res.StatusCode < 300 {
		successes[o.OperationID]++
	}
}

// decode decodes an answer in JSON. A file becomes a list of its rows.
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
		answer = []byte("[" + strings.ReplaceAll(strings.TrimSpace(string(answer)), "\n", ",") + "]")
	}
	if len(answer) > 0 {
		err = json.Unmarshal(answer, &decoded)
	}
	return decoded, err
}

// wantOwn checks that each customer and each order in an answer belongs to p's customer.
func (s *system) wantOwn(t *testing.T, p auth.Principal, answer any, call string) {
	switch answer := answer.(type) {
	case []any:
		for _, element := range answer {
			s.wantOwn(t, p, element, call)
		}
	case map[string]any:
		if id, ok := answer["customer_id"].(float64); ok && int64(id) != p.Customer {
			t.Errorf("shows customer %v: %s", id, call)
		}
		if id, ok := answer["order_id"].(float64); ok {
			var customer int64
			err := s.db.Raw("SELECT customer_id FROM orders WHERE id = ?", int64(id)).Scan(&customer).Error
			if err != nil || customer != p.Customer {
				t.Errorf("shows order %v: %s", id, call)
			}
		}
		if _, isCustomer := answer["email"]; isCustomer && answer["id"] != float64(p.Customer) {
			t.Errorf("shows customer %v: %s", answer["id"], call)
		}
		for _, value := range answer {
			s.wantOwn(t, p, value, call)
		}
	}
}

// hashOthers returns a hash of all data that does not belong to the customer.
func (s *system) hashOthers(r *rapid.T, customer int64) [sha256.Size]byte {
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
		{`SELECT i.* FROM order_items i JOIN orders o ON o.id = i.order_id
			WHERE o.customer_id <> ? ORDER BY i.order_id, i.product_id`, []any{customer}},
		{"SELECT * FROM events WHERE customer_id <> ? ORDER BY id", []any{customer}},
		{"SELECT * FROM webhook_endpoints WHERE customer_id <> ? ORDER BY id", []any{customer}},
		{`SELECT d.* FROM webhook_deliveries d JOIN webhook_endpoints e ON e.id = d.endpoint_id
			WHERE e.customer_id <> ? ORDER BY d.id`, []any{customer}},
		{`SELECT * FROM idempotency_keys WHERE caller NOT IN ?
			ORDER BY caller, operation, idempotency_key`, []any{callers}},
	} {
		var rows []map[string]any
		if err := s.db.Raw(query.sql, query.args...).Scan(&rows).Error; err != nil {
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
