package system_test

import (
	"bytes"
	"context"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/Shopify/toxiproxy/v2"
	"github.com/Shopify/toxiproxy/v2/toxics"
	"github.com/rs/zerolog"
	"gorm.io/gorm"

	"example.com/b2b/v2/customers"
	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/events"
	"example.com/b2b/v2/orders"
)

var partition = flag.Duration("network.partition", 0, "the shortest duration of TestNetwork's partitions")

const (
	networkTimeout = 3 * time.Second  // REQUEST_TIMEOUT_SECONDS: short, because a lost request takes this time
	networkMargin  = 10 * time.Second // an answer after networkTimeout and this margin counts as missing
)

// The links that can have faults.
const (
	orchestratorToCustomers = "orchestrator-customers"
	orchestratorToOrders    = "orchestrator-orders"
	ordersToCustomers       = "orders-customers"
	customersToDatabase     = "customers-database"
	ordersToDatabase        = "orders-database"
)

// TestNetwork puts faults on the links among the Customers API, the Orders API, the orchestrator and the
// database. During each fault, each call must get an answer of the contract in time. After the fault, each
// key must have a single order, with its stock reserved once.
func TestNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("network faults")
	}
	faults := []struct {
		name, toxic string
		mild        bool // orders succeed during the fault
	}{
		{"latency", `{"type":"latency","attributes":{"latency":20,"jitter":10}}`, true},
		{"bandwidth", `{"type":"bandwidth","attributes":{"rate":64}}`, true},
		{"slow close", `{"type":"slow_close","attributes":{"delay":200}}`, true},
		{"reset before the request", `{"type":"reset_peer","stream":"upstream"}`, false},
		{"reset before the answer", `{"type":"reset_peer","stream":"downstream"}`, false},
		{"answer cut short", `{"type":"limit_data","attributes":{"bytes":100}}`, false},
		{"requests vanish", `{"type":"timeout","stream":"upstream"}`, false},
		{"answers vanish", `{"type":"timeout","stream":"downstream"}`, false},
	}
	peers := []string{orchestratorToCustomers, orchestratorToOrders, ordersToCustomers}
	databases := []string{customersToDatabase, ordersToDatabase}
	places := map[string][]string{"peers": peers, "database": databases}
	for _, link := range append(peers, databases...) {
		places[link] = []string{link}
	}
	var all sync.WaitGroup // runs the tests side by side, because they mostly wait
	defer all.Wait()
	for place, links := range places {
		all.Go(func() {
			t.Run(place, func(t *testing.T) {
				dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
					if c.Driver == db.SQLite && strings.Contains(place, "database") {
						return // SQLite has no connection to a server
					}
					n := newNetwork(t, c)
					if len(links) > 1 {
						const to = `{"type":"timeout","stream":"upstream","name":"to"}`
						const from = `{"type":"timeout","stream":"downstream","name":"from"}`
						n.suffer(t, "partition", links, false, *partition, to, from)
					} else {
						for _, f := range faults {
							n.suffer(t, f.name, links, f.mild, 0, f.toxic)
						}
					}
					if place == ordersToDatabase {
						const passes = `{"type":"commit","stream":"upstream","attributes":{"passes":true}}`
						n.suffer(t, "COMMIT vanishes", links, false, 0, `{"type":"commit","stream":"upstream"}`)
						n.suffer(t, "answer to COMMIT lost", links, false, 0, passes)
					}
					n.finish(t)
				})
			})
		})
	}
}

// network runs the Customers API, the Orders API and the orchestrator, each in a process, on a database with
// the sample data. Each link between them, and to the database, has a proxy.
type network struct {
	db        *gorm.DB // connection without a proxy
	links     map[string]*toxiproxy.Proxy
	processes map[string]*process
	client    http.Client
	keys      int
}

func newNetwork(t *testing.T, c db.Config) *network {
	n := &network{db: dbtest.Open(t, c), links: map[string]*toxiproxy.Proxy{}, processes: map[string]*process{}}
	n.client.Timeout = networkTimeout + networkMargin
	if _, err := db.Seed(t.Context(), n.db); err != nil {
		t.Fatal(err)
	}
	direct := c
	common := []string{"PORT=0", fmt.Sprint("REQUEST_TIMEOUT_SECONDS=", int(networkTimeout.Seconds()))}
	behind := func(link string) []string {
		c := direct
		if c.Driver == db.MySQL {
			host, port, _ := net.SplitHostPort(n.link(t, link, net.JoinHostPort(c.Host, strconv.Itoa(c.Port))))
			c.Host = host
			c.Port, _ = strconv.Atoi(port)
		}
		return append(environment(c), common...)
	}
	peer := func(link, base string) string {
		return "http://" + n.link(t, link, strings.TrimPrefix(base, "http://"))
	}
	customers := start(t, behind(customersToDatabase), "customers")
	base := "CUSTOMERS_API_BASE=" + peer(ordersToCustomers, customers.customers)
	orders := start(t, append(behind(ordersToDatabase), base), "orders")
	env := append(append(environment(direct), common...),
		"CUSTOMERS_API_BASE="+peer(orchestratorToCustomers, customers.customers),
		"ORDERS_API_BASE="+peer(orchestratorToOrders, orders.orders))
	orchestrator := start(t, env, "orchestrator")
	n.processes["customers"], n.processes["orders"], n.processes["orchestrator"] = customers, orders, orchestrator
	return n
}

// link starts a proxy to the address, and returns the address of the proxy.
func (n *network) link(t *testing.T, name, address string) string {
	t.Helper()
	proxies := toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop())
	p := toxiproxy.NewProxy(proxies, name, "127.0.0.1:0", address)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	n.links[name] = p
	return p.Listen
}

// suffer puts the toxics on the links, makes calls for the duration lasting or longer, and removes the
// toxics. If mild is true, the calls go on until the orchestrator has placed an order. At the end, suffer
// repeats the calls that have a key.
func (n *network) suffer(
	t *testing.T, name string, links []string, mild bool, lasting time.Duration, toxics ...string,
) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		n.keys++
		key := fmt.Sprint("network-", n.keys)
		const atOnce = 4 // with four orders at once, some of them are in the same batch
		directKey := func(i int) string { return fmt.Sprint("direct-", n.keys, "-", i) }
		stock := stockOf(t, n.db, 2)
		keyedStock, plainStock := stockOf(t, n.db, keyedProduct), stockOf(t, n.db, plainProduct)
		var sent, succeeded atomic.Int64 // numbers of orders without a key
		n.place(t, key)                  // opens the connections that the fault hits
		id := int64(0)
		key += "-faulty"
		for _, link := range links {
			for _, toxic := range toxics {
				if _, err := n.links[link].Toxics.AddToxicJson(strings.NewReader(toxic)); err != nil {
					t.Fatal(err)
				}
			}
		}
		for began := time.Now(); ; {
			// These calls go to the Customers API and the Orders API, past the orchestrator.
			var direct sync.WaitGroup
			for i := range atOnce {
				direct.Go(func() { n.placeDirectly(t, directKey(i), keyedProduct) })
				direct.Go(func() {
					sent.Add(1)
					if n.placeDirectly(t, "", plainProduct) {
						succeeded.Add(1)
					}
				})
			}
			direct.Go(func() { n.read(t) })
			id = n.place(t, key)
			direct.Wait()
			if time.Since(began) >= lasting && (id != 0 || !mild) {
				break
			}
		}
		for _, link := range links {
			n.links[link].Toxics.ResetToxics(context.Background())
		}
		first := id
		until(t, "an order once the fault is over", func() bool { // the breaker of a peer may still be open
			id = n.place(t, key)
			return id != 0
		})
		if again := n.place(t, key); again != id || first != 0 && first != id {
			t.Errorf("orders %d, %d and %d for one key", first, id, again)
		}
		wantOneOrder(t, n.db, id, stock-6, key)
		for i := range atOnce {
			place := func() bool { return n.placeDirectly(t, directKey(i), keyedProduct) }
			until(t, "an order of the Orders API", place)
		}
		if got := stockOf(t, n.db, keyedProduct); got != keyedStock-atOnce {
			t.Errorf("orders of the Orders API with %d keys left a stock of %d of %d", atOnce, got, keyedStock)
		}
		placed := plainStock - stockOf(t, n.db, plainProduct)
		if placed < succeeded.Load() || placed > sent.Load() {
			t.Errorf("%d calls without a key placed %d orders, %d succeeded", sent.Load(), placed, succeeded.Load())
		}
	})
}

// place orchestrates an order for 3 pieces of product 2. It returns the order's id, or 0 when a service that
// the orchestrator calls is not available.
func (n *network) place(t *testing.T, key string) int64 {
	t.Helper()
	order := fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":2,"qty":3}],"idempotency_key":%q}`, key)
	url := n.processes["orchestrator"].orchestrator + "/orchestrator/create-and-confirm-order"
	status, body := n.call(t, "POST", url, order, "")
	var answer struct {
		Code string
		Data struct{ Order struct{ ID int64 } }
	}
	err := json.Unmarshal(body, &answer)
	switch {
	case err == nil && status == http.StatusCreated:
		return answer.Data.Order.ID
	case err != nil || status < 503 || answer.Code != "upstream_unavailable":
		t.Fatalf("the orchestrator answered %d %s", status, body)
	}
	return 0
}

// The products of the orders of placeDirectly: keyedProduct for orders with a key, plainProduct for orders
// without a key.
const keyedProduct, plainProduct = 4, 5

// placeDirectly calls the Orders API to place an order for a piece of a product, and reports success.
func (n *network) placeDirectly(t *testing.T, key string, product int64) bool {
	order := fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, product)
	status, body := n.call(t, "POST", n.processes["orders"].orders+"/orders", order, key)
	return n.succeeded(t, "POST /orders", status, http.StatusCreated, body)
}

// read reads from the Customers API and from the Orders API.
func (n *network) read(t *testing.T) {
	status, body := n.call(t, "GET", n.processes["customers"].customers+"/customers/1", "", "")
	n.succeeded(t, "GET /customers/1", status, http.StatusOK, body)
	status, body = n.call(t, "GET", n.processes["orders"].orders+"/ready", "", "")
	n.succeeded(t, "GET /ready", status, http.StatusOK, body)
}

// succeeded reports whether an answer has the wanted status. Any other answer must have a status of 503 or
// higher, and a code.
func (n *network) succeeded(t *testing.T, request string, status, want int, body []byte) bool {
	var answer struct{ Code string }
	if err := json.Unmarshal(body, &answer); err != nil || status != want && (status < 503 || answer.Code == "") {
		t.Errorf("%s answered %d %s", request, status, body)
	}
	return status == want
}

// call returns the status and the body of an answer. The answer must come within n.client.Timeout. An answer
// with a status above 500 must have the header Retry-After.
func (n *network) call(t *testing.T, method, url, body, key string) (int, []byte) {
	req, err := http.NewRequest(method, url, bytes.NewReader([]byte(body)))
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	req.Header.Set("Content-Type", "application/json")
	if key != "" {
		req.Header.Set("X-Idempotency-Key", key)
	}
	res, err := n.client.Do(req)
	if err != nil {
		t.Error(err)
		return 0, nil
	}
	defer res.Body.Close()
	answer, err := io.ReadAll(res.Body)
	if err != nil || res.StatusCode > 500 && res.Header.Get("Retry-After") == "" {
		t.Errorf("%s: %d, %v, Retry-After %q", url, res.StatusCode, err, res.Header.Get("Retry-After"))
	}
	return res.StatusCode, answer
}

// rules are the doctor's rules of all services.
var rules = slices.Concat(customers.Rules(), orders.Rules(), events.Rules())

// finish stops the services, and examines their logs and the database.
func (n *network) finish(t *testing.T) {
	t.Helper()
	for name, p := range n.processes {
		if code := p.stop(); code != 0 {
			t.Errorf("%s ended with %d", name, code)
		}
		for line := range strings.Lines(p.log.String()) { // no 500, except after a canceled request
			if !json.Valid([]byte(line)) ||
				strings.Contains(line, `"status":500`) && !strings.Contains(line, context.Canceled.Error()) {
				t.Errorf("%s: %s", name, line)
			}
		}
	}
	checks, err := doctor.Examine(t.Context(), n.db, rules)
	if err != nil || !doctor.Healthy(checks) {
		t.Errorf("%v %+v", err, checks)
	}
}

// commit is a toxic of connections to MySQL. If Passes is false, it drops the first COMMIT of a connection
// and all data after it. If Passes is true, it passes the COMMIT on, and closes the connection before the
// answer.
type commit struct {
	Passes bool `json:"passes"`
}

func init() {
	toxics.Register("commit", new(commit))
	zerolog.SetGlobalLevel(zerolog.Disabled) // because some toxics write logs
}

// Pipe implements toxics.Toxic.
func (c *commit) Pipe(s *toxics.ToxicStub) {
	lost := false
	for {
		select {
		case <-s.Interrupt:
			return
		case chunk := <-s.Input:
			if chunk == nil {
				s.Close()
				return
			}
			lost = lost || !c.Passes && bytes.HasSuffix(chunk.Data, []byte("\x03COMMIT"))
			if lost {
				continue
			}
			s.Output <- chunk
			if bytes.HasSuffix(chunk.Data, []byte("\x03COMMIT")) {
				s.Close()
				return
			}
		}
	}
}

// Cleanup implements toxics.CleanupToxic. It closes the connection, because a connection that has lost data
// cannot continue.
func (c *commit) Cleanup(s *toxics.ToxicStub) { s.Close() }
