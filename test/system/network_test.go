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

	"example.com/b2b/customers"
	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/db/doctor"
	"example.com/b2b/orders"
)

var partition = flag.Duration("network.partition", 0, "how long TestNetwork's partitions last at least")

const (
	networkTimeout = 3 * time.Second  // REQUEST_TIMEOUT_SECONDS, so that a black hole is over soon
	networkMargin  = 10 * time.Second // more, and an answer counts as missing
)

// The links on which faults happen.
const (
	orchestratorToCustomers = "orchestrator-customers"
	orchestratorToOrders    = "orchestrator-orders"
	ordersToCustomers       = "orders-customers"
	customersToDatabase     = "customers-database"
	ordersToDatabase        = "orders-database"
)

// TestNetwork puts faults of all kinds on the links between three processes and their database. Whatever the
// fault, each call is answered in time and by the contract; and when it is over, the call's key stands for
// one order whose stock was taken once.
func TestNetwork(t *testing.T) {
	if testing.Short() {
		t.Skip("network faults")
	}
	faults := []struct {
		name, toxic string
		mild        bool // an order succeeds all the same
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
	var all sync.WaitGroup // they mostly wait
	defer all.Wait()
	for place, links := range places {
		all.Go(func() {
			t.Run(place, func(t *testing.T) {
				dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
					if c.Driver == db.SQLite && strings.Contains(place, "database") {
						return // a file
					}
					n := newNetwork(t, c)
					if len(links) > 1 {
						n.suffer(
							t, "partition", links, false, *partition,
							`{"type":"timeout","stream":"upstream","name":"to"}`,
							`{"type":"timeout","stream":"downstream","name":"from"}`,
						)
					} else {
						for _, f := range faults {
							n.suffer(t, f.name, links, f.mild, 0, f.toxic)
						}
					}
					if place == ordersToDatabase {
						n.suffer(t, "COMMIT vanishes", links, false, 0, `{"type":"commit","stream":"upstream"}`)
						n.suffer(
							t, "answer to COMMIT lost", links, false, 0,
							`{"type":"commit","stream":"upstream","attributes":{"passes":true}}`,
						)
					}
					n.finish(t)
				})
			})
		})
	}
}

// network is the three services as processes, on a sample database, with a proxy on each link.
type network struct {
	db        *gorm.DB // not through a proxy
	links     map[string]*toxiproxy.Proxy
	processes map[string]*process
	client    http.Client
	keys      int
}

func newNetwork(t *testing.T, c db.Config) *network {
	n := &network{db: dbtest.Open(t, c), links: map[string]*toxiproxy.Proxy{}, processes: map[string]*process{},
		client: http.Client{Timeout: networkTimeout + networkMargin}}
	if _, err := db.Seed(t.Context(), n.db); err != nil {
		t.Fatal(err)
	}
	direct := c
	behind := func(link string) []string {
		c := direct
		if c.Driver == db.MySQL {
			host, port, _ := net.SplitHostPort(n.link(t, link, net.JoinHostPort(c.Host, strconv.Itoa(c.Port))))
			c.Host = host
			c.Port, _ = strconv.Atoi(port)
		}
		return append(
			environment(c), "PORT=0", "REQUEST_TIMEOUT_SECONDS="+strconv.Itoa(int(networkTimeout.Seconds())),
		)
	}
	peer := func(link, base string) string {
		return "http://" + n.link(t, link, strings.TrimPrefix(base, "http://"))
	}
	customers := start(t, behind(customersToDatabase), "customers")
	orders := start(
		t,
		append(behind(ordersToDatabase), "CUSTOMERS_API_BASE="+peer(ordersToCustomers, customers.customers)),
		"orders",
	)
	orchestrator := start(
		t,
		append(environment(direct), "PORT=0", "REQUEST_TIMEOUT_SECONDS="+strconv.Itoa(int(networkTimeout.Seconds())),
			"CUSTOMERS_API_BASE="+peer(orchestratorToCustomers, customers.customers),
			"ORDERS_API_BASE="+peer(orchestratorToOrders, orders.orders)),
		"orchestrator",
	)
	n.processes["customers"], n.processes["orders"], n.processes["orchestrator"] = customers, orders, orchestrator
	return n
}

// link makes a proxy to that address and returns its own.
func (n *network) link(t *testing.T, name, address string) string {
	t.Helper()
	p := toxiproxy.NewProxy(
		toxiproxy.NewServer(toxiproxy.NewMetricsContainer(nil), zerolog.Nop()), name, "127.0.0.1:0", address,
	)
	if err := p.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(p.Stop)
	n.links[name] = p
	return p.Listen
}

// suffer makes calls while the links have the fault, for lasting or longer, and repeats them when it is over.
func (n *network) suffer(
	t *testing.T, name string, links []string, mild bool, lasting time.Duration, toxics ...string,
) {
	t.Helper()
	t.Run(name, func(t *testing.T) {
		n.keys++
		key := fmt.Sprint("network-", n.keys)
		const atOnce = 4 // so that some share a transaction
		directKey := func(i int) string { return fmt.Sprint("direct-", n.keys, "-", i) }
		stock, keyedStock, plainStock := stockOf(
			t, n.db, 2,
		), stockOf(
			t, n.db, keyedProduct,
		), stockOf(
			t, n.db, plainProduct,
		)
		var sent, succeeded atomic.Int64 // orders without a key
		n.place(t, key)                  // on connections that the fault then finds in use
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
			var direct sync.WaitGroup // beside the orchestrator, the services that it calls
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
			until(
				t, "an order of the Orders API",
				func() bool { return n.placeDirectly(t, directKey(i), keyedProduct) },
			)
		}
		if got := stockOf(t, n.db, keyedProduct); got != keyedStock-atOnce {
			t.Errorf("the Orders API, called directly with %d keys, made stock %d of %d", atOnce, got, keyedStock)
		}
		if took := plainStock - stockOf(t, n.db, plainProduct); took < succeeded.Load() || took > sent.Load() {
			t.Errorf(
				"%d orders were placed by %d calls without a key, of which %d succeeded", took, sent.Load(),
				succeeded.Load(),
			)
		}
	})
}

// place has the orchestrator place an order for 3 pieces of product 2 and returns its id, 0 when it was not
// possible right now.
func (n *network) place(t *testing.T, key string) int64 {
	t.Helper()
	status, body := n.call(
		t, "POST", n.processes["orchestrator"].orchestrator+"/orchestrator/create-and-confirm-order",
		fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":2,"qty":3}],"idempotency_key":%q}`, key), "",
	)
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

// The products of which each call of placeDirectly orders a piece, with a key and without.
const keyedProduct, plainProduct = 4, 5

// placeDirectly has the Orders API place an order for one piece of a product and reports whether it did.
func (n *network) placeDirectly(t *testing.T, key string, product int64) bool {
	status, body := n.call(
		t, "POST", n.processes["orders"].orders+"/orders",
		fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}]}`, product), key,
	)
	return n.worked(t, "POST /orders", status, http.StatusCreated, body)
}

// read reads from both services that have a database.
func (n *network) read(t *testing.T) {
	status, body := n.call(t, "GET", n.processes["customers"].customers+"/customers/1", "", "")
	n.worked(t, "GET /customers/1", status, http.StatusOK, body)
	status, body = n.call(t, "GET", n.processes["orders"].orders+"/ready", "", "")
	n.worked(t, "GET /ready", status, http.StatusOK, body)
}

func (n *network) worked(t *testing.T, what string, status, want int, body []byte) bool {
	var answer struct{ Code string }
	if err := json.Unmarshal(body, &answer); err != nil || status != want && (status < 503 || answer.Code == "") {
		t.Errorf("%s answered %d %s", what, status, body)
	}
	return status == want
}

// call returns an answer, which must come in time and say when to try again.
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

// rules are those of every service.
var rules = slices.Concat(customers.Rules(), orders.Rules())

// finish has the doctor examine what the faults have left.
func (n *network) finish(t *testing.T) {
	t.Helper()
	for name, p := range n.processes {
		if code := p.stop(); code != 0 {
			t.Errorf("%s ended with %d", name, code)
		}
		for line := range strings.Lines(p.log.String()) { // a fault of the network is no defect
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

// commit loses the first COMMIT of a connection to MySQL, or passes it on and loses the answer with the
// connection.
type commit struct {
	Passes bool `json:"passes"`
}

func init() {
	toxics.Register("commit", new(commit))
	zerolog.SetGlobalLevel(zerolog.Disabled) // some toxics log
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

// Cleanup implements toxics.CleanupToxic: a connection that has lost something cannot go on.
func (c *commit) Cleanup(s *toxics.ToxicStub) { s.Close() }
