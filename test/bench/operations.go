package main

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"

	vegeta "github.com/tsenart/vegeta/v12/lib"
)

// operation is an operation to measure. The report has a row for each number of clients and each contender.
type operation struct {
	name    string
	clients []int
	usesUp  bool // each call needs another CREATED order; the number of the call is the id of the order
	peers   bool // the servers of peers.go have this operation
	http    func(at addresses, n int64) vegeta.Target
	sql     func(ctx context.Context, r rawSQL, n int64) error // nil when raw SQL does not run the operation
	rate    int                                                // calls per second at most; 0 means no limit
	held    *operation                                         // orders of load.besideHeld for heldProduct
}

// The numbers of rows in a database before the measurements.
const (
	someCustomers = 1000
	someProducts  = 200
	someOrders    = 1000
)

func customerOf(n int64) int64 { return n%someCustomers + 1 }

// productsOf returns the ids of three different products.
func productsOf(n int64) []int64 {
	return []int64{n*7%someProducts + 1, (n*7+61)%someProducts + 1, (n*7+122)%someProducts + 1}
}

func orderOf(n int64) int64 { return n*7919%someOrders + 1 }

// The functions key and confirmation return idempotency keys of call n. An orchestration of call n confirms
// its order with key(n), so the operation confirm must use another key.
func key(n int64) string          { return fmt.Sprint("bench-", n) }
func confirmation(n int64) string { return fmt.Sprint("bench-confirm-", n) }

// order returns the body of a request that creates an order with one piece of each product.
func order(customer int64, products ...int64) []byte {
	body := fmt.Appendf(nil, `{"customer_id":%d,"items":[`, customer)
	for i, p := range products {
		if i > 0 {
			body = append(body, ',')
		}
		body = fmt.Appendf(body, `{"product_id":%d,"qty":1}`, p)
	}
	return append(body, "]}"...)
}

func get(url string) vegeta.Target { return vegeta.Target{Method: "GET", URL: url} }

func post(url, key string, body []byte) vegeta.Target {
	t := vegeta.Target{Method: "POST", URL: url, Body: body, Header: http.Header{}}
	if key != "" {
		t.Header.Set("X-Idempotency-Key", key)
	}
	return t
}

var createWithKey = operation{name: "create with key", clients: []int{1, 8, 32, 128}, peers: true,
	http: func(at addresses, n int64) vegeta.Target {
		return post(at.orders+"/orders", key(n), order(customerOf(n), productsOf(n)...))
	},
	sql: func(ctx context.Context, r rawSQL, n int64) error {
		return r.create(ctx, key(n), customerOf(n), productsOf(n)...)
	}}

var hotProduct = operation{name: "create with key, one hot product", clients: []int{32, 128},
	http: func(at addresses, n int64) vegeta.Target {
		return post(at.orders+"/orders", key(n), order(customerOf(n), 1))
	},
	sql: func(ctx context.Context, r rawSQL, n int64) error { return r.create(ctx, key(n), customerOf(n), 1) }}

// manyProducts is the number of products in the database of manyInstances. With so many products, batches of
// different instances rarely need the same row.
const manyProducts = 50_000

var spread = operation{name: fmt.Sprintf("create with key, %d products", manyProducts), clients: []int{32, 128},
	http: func(at addresses, n int64) vegeta.Target {
		first := n * 7919 % (manyProducts - 2)
		return post(at.orders+"/orders", key(n), order(customerOf(n), first+1, first+2, first+3))
	}}

// heldProduct is the product whose row another session locks. Its id is in the middle of all ids. Orders lock
// their products by ascending id, so an order that waits for heldProduct may keep products with smaller ids
// locked.
const heldProduct = someProducts / 2

// othersOf returns the ids of three different products other than heldProduct.
func othersOf(n int64) []int64 {
	all := productsOf(n)
	if i := slices.Index(all, heldProduct); i >= 0 {
		all[i]++
	}
	return all
}

// otherProducts places 180 orders a second for products other than heldProduct, while another session locks
// heldProduct. At the same time, 20 orders a second need heldProduct.
var otherProducts = operation{name: "create, other products while one is held", clients: []int{128}, rate: 180,
	http: func(at addresses, n int64) vegeta.Target {
		return post(at.orders+"/orders", "", order(customerOf(n), othersOf(n)...))
	},
	sql: func(ctx context.Context, r rawSQL, n int64) error {
		return r.create(ctx, "", customerOf(n), othersOf(n)...)
	},
	held: &operation{name: "create, the held product", rate: 20,
		http: func(at addresses, n int64) vegeta.Target {
			return post(at.orders+"/orders", "", order(customerOf(n), withHeld(n)...))
		},
		sql: func(ctx context.Context, r rawSQL, n int64) error {
			return r.create(ctx, "", customerOf(n), withHeld(n)...)
		}}}

func withHeld(n int64) []int64 { return append(othersOf(n)[:2], heldProduct) }

// operations are the operations on a single order or product.
var operations = []operation{{
	name: "create", clients: []int{32},
	http: func(at addresses, n int64) vegeta.Target {
		return post(at.orders+"/orders", "", order(customerOf(n), productsOf(n)...))
	},
	sql: func(ctx context.Context, r rawSQL, n int64) error {
		return r.create(ctx, "", customerOf(n), productsOf(n)...)
	},
}, createWithKey, hotProduct, {
	name: "orchestrate, beside raw create with key", clients: []int{1, 32, 128},
	http: func(at addresses, n int64) vegeta.Target {
		body := fmt.Appendf(nil, `{"idempotency_key":%q,`, key(n))
		body = append(body, order(customerOf(n), productsOf(n)...)[1:]...)
		return post(at.orchestrator+"/orchestrator/create-and-confirm-order", "", body)
	},
	sql: createWithKey.sql,
}, {
	name: "confirm", clients: []int{32}, usesUp: true,
	http: func(at addresses, n int64) vegeta.Target {
		return post(fmt.Sprintf("%s/orders/%d/confirm", at.orders, n), confirmation(n), nil)
	},
	sql: func(ctx context.Context, r rawSQL, n int64) error { return r.confirm(ctx, confirmation(n), n) },
}, {
	name: "cancel", clients: []int{32}, usesUp: true,
	http: func(at addresses, n int64) vegeta.Target {
		return post(fmt.Sprintf("%s/orders/%d/cancel", at.orders, n), "", nil)
	},
	sql: func(ctx context.Context, r rawSQL, n int64) error { return r.cancel(ctx, n) },
}, {
	name: "adjust stock", clients: []int{32},
	http: func(at addresses, n int64) vegeta.Target {
		url := fmt.Sprintf("%s/products/%d/stock-adjustments", at.orders, n%someProducts+1)
		return post(url, "", []byte(`{"delta":1,"reason":"bench"}`))
	},
	sql: func(ctx context.Context, r rawSQL, n int64) error { return r.adjust(ctx, n%someProducts+1) },
}, {
	name: "get an order", clients: []int{32},
	http: func(at addresses, n int64) vegeta.Target {
		return get(fmt.Sprintf("%s/orders/%d", at.orders, orderOf(n)))
	},
	sql: func(ctx context.Context, r rawSQL, n int64) error { return r.get(ctx, orderOf(n)) },
}}

// lists returns the operations whose time must not depend on the number of rows. They read the rows that
// database.fill makes.
func lists(rows int64) []operation {
	page := func(name, path string) operation {
		return operation{name: name, clients: []int{8}, http: func(at addresses, _ int64) vegeta.Target {
			base := at.orders
			if strings.HasPrefix(path, "/customers") {
				base = at.customers
			}
			return get(base + path)
		}}
	}
	deep := fmt.Sprintf("?cursor=%d", rows*9/10)
	return []operation{
		{name: "get an order", clients: []int{8}, http: func(at addresses, n int64) vegeta.Target {
			return get(fmt.Sprintf("%s/orders/%d", at.orders, n*7919%rows+1))
		}},
		page("orders, first page", "/orders"),
		page("orders, deep page", "/orders"+deep),
		page("orders, newest first", "/orders?sort=-created_at"),
		page("orders of a customer with a status", "/orders?customer_id=7&status=CONFIRMED"),
		page("orders from/to", "/orders?from=2024-02-10&to=2024-02-11"),
		page("orders from/to, deep page", "/orders?from=2024-01-01&to=2024-04-01&cursor="+fmt.Sprint(rows*8/10)),
		page("orders confirmed from/to", "/orders?confirmed_from=2024-02-10&confirmed_to=2024-02-11"),
		page("orders confirmed from/to, deep page",
			"/orders?confirmed_from=2024-01-01&confirmed_to=2024-04-01&cursor="+fmt.Sprint(rows*8/10)),
		page("orders canceled by expiry", "/orders?cancel_reason=reservation_expired"),
		page("customers, deep page", "/customers"+deep),
		page("products, deep page", "/products"+deep),
		page("customers, search: all match", "/customers?search=company"),
		page("customers, search: ten match", "/customers?search=quartz"),
		page("customers, search: none match", "/customers?search=absent"),
		page("customers, search: two letters", "/customers?search=tz"),
		page("products, search: ten match", "/products?search=quartz"),
		page("products, search: two letters", "/products?search=tz"),
	}
}
