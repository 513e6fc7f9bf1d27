package system_test

import (
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"path"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// TestKilledStep kills the Customers API, the Orders API or the orchestrator just before or just after a step
// of an order, and repeats the call with its key. There must be a single order, confirmed, with its stock
// reserved once.
func TestKilledStep(t *testing.T) {
	if testing.Short() {
		t.Skip("kills")
	}
	steps := []struct {
		path string // path of the orchestrator's call
		// the called service: the test kills it and, in another run, the orchestrator
		victim string
	}{{"/internal/customers/1", "customers"}, {"/orders", "orders"}, {"/orders/*/confirm", "orders"}}
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		s := newSystem(t, c)
		for _, step := range steps {
			for _, victim := range []string{"orchestrator", step.victim} {
				for _, moment := range []string{"before", "after"} {
					t.Run(victim+" "+moment+" "+step.path, func(t *testing.T) {
						stock := stockOf(t, g, 2)
						key := fmt.Sprintf("%s-%s-%s", victim, moment, step.path)
						s.killAt(step.path, moment, victim)
						// The id is 0 if the orchestrator was killed.
						first := order(s.processes["orchestrator"].orchestrator, key)
						if s.armed() {
							t.Fatal("no process was killed")
						}
						id := s.repeat(t, key)
						if again := s.repeat(t, key); again != id || first != 0 && first != id {
							t.Errorf("orders %d, %d and %d for one key", first, id, again)
						}
						wantOneOrder(t, g, id, stock-3, key)
					})
				}
			}
		}
	})
}

// TestKilledAnywhere kills the process that runs all services at random moments of an order, and repeats the
// order with its key. Each key must have one order.
func TestKilledAnywhere(t *testing.T) {
	if testing.Short() {
		t.Skip("kills")
	}
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		env := append(environment(c), anyPorts...)
		const kills = 12
		lost := 0
		for i := range kills {
			stock := stockOf(t, g, 2)
			key := fmt.Sprint("anywhere-", i)
			p := start(t, env)
			answered := make(chan int64)
			go func() { answered <- order(p.orchestrator, key) }()
			time.Sleep(time.Duration(rand.Int64N(int64(12 * time.Millisecond))))
			p.kill()
			first := <-answered
			if first == 0 {
				lost++
			}
			p = start(t, env)
			id := order(p.orchestrator, key)
			if id == 0 || first != 0 && first != id {
				t.Errorf("order %d, then %d for one key: %s", first, id, p.log)
			}
			wantOneOrder(t, g, id, stock-3, key)
			p.kill()
		}
		t.Logf("%d of %d answers were lost", lost, kills)
	})
}

// TestKilledBatch kills the process that runs all services while many orders are under way, some of them in
// the same batch, and repeats the orders with their keys. Each key must have one order.
func TestKilledBatch(t *testing.T) {
	if testing.Short() {
		t.Skip("kills")
	}
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		env := append(environment(c), anyPorts...)
		const kills, clients, pieces = 6, 16, 3
		const supply = "UPDATE products SET stock = stock + ? WHERE id = 2"
		if err := g.Exec(supply, kills*clients*pieces).Error; err != nil {
			t.Fatal(err)
		}
		lost := 0
		for i := range kills {
			stock := stockOf(t, g, 2)
			p := start(t, env)
			first, answered := make([]int64, clients), make(chan struct{}, clients)
			var calls sync.WaitGroup
			key := func(client int) string { return fmt.Sprint("batch-", i, "-", client) }
			for client := range clients {
				calls.Go(func() {
					first[client] = order(p.orchestrator, key(client))
					answered <- struct{}{}
				})
			}
			for range rand.IntN(clients / 2) { // kill b2b while the other orders are under way
				<-answered
			}
			p.kill()
			calls.Wait()
			p = start(t, env)
			for client, id := range first {
				again := order(p.orchestrator, key(client))
				if id == 0 {
					lost++
				}
				if again == 0 || id != 0 && id != again {
					t.Errorf("order %d, then %d for one key: %s", id, again, p.log)
				}
			}
			for client := range clients {
				wantOneOrder(t, g, order(p.orchestrator, key(client)), stock-clients*pieces, key(client))
			}
			p.kill()
		}
		if lost == 0 {
			t.Error("no answer was lost")
		}
		t.Logf("%d of %d answers were lost", lost, kills*clients)
	})
}

// TestOneKeyAtOnce makes the same orchestration ten times at the same time. All calls must get the same
// order.
func TestOneKeyAtOnce(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		p := start(t, append(environment(c), anyPorts...))
		stock := stockOf(t, g, 2)
		ids := make([]int64, 10)
		var wg sync.WaitGroup
		for i := range ids {
			wg.Go(func() { ids[i] = order(p.orchestrator, "at-once") })
		}
		wg.Wait()
		if ids[0] == 0 || len(slices.Compact(ids)) != 1 {
			t.Errorf("orders %v for one key: %s", ids, p.log)
		}
		wantOneOrder(t, g, ids[0], stock-3, "at-once")
	})
}

// order orchestrates an order for three pieces of product 2. It returns the order's id, or 0 after a failure.
func order(base, key string) int64 {
	body := fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":2,"qty":3}],"idempotency_key":%q}`, key)
	url := base + "/orchestrator/create-and-confirm-order"
	res, err := http.Post(url, "application/json", strings.NewReader(body))
	if err != nil {
		return 0
	}
	defer res.Body.Close()
	var answer struct {
		Data struct{ Order struct{ ID int64 } }
	}
	if res.StatusCode != http.StatusCreated || json.NewDecoder(res.Body).Decode(&answer) != nil {
		return 0
	}
	return answer.Data.Order.ID
}

func stockOf(t *testing.T, g *gorm.DB, product int64) (stock int64) {
	t.Helper()
	if err := g.Raw("SELECT stock FROM products WHERE id = ?", product).Scan(&stock).Error; err != nil {
		t.Fatal(err)
	}
	return stock
}

// wantOneOrder expects that the order is CONFIRMED, that the key has one row for the creation and one for the
// confirmation, and that product 2 has the stock. All orders must have a key, except orders of the sample
// data and orders for plainProduct.
func wantOneOrder(t *testing.T, g *gorm.DB, id, stock int64, key string) {
	t.Helper()
	var status string
	var orders, keys int64
	g.Raw("SELECT status FROM orders WHERE id = ?", id).Scan(&status)
	g.Raw(`SELECT COUNT(*) FROM orders o WHERE id > 2
		AND NOT EXISTS (SELECT 1 FROM idempotency_keys k WHERE k.operation = 'createOrder' AND k.target_id = o.id)
		AND NOT EXISTS (SELECT 1 FROM order_items i WHERE i.order_id = o.id AND i.product_id = ?)`, plainProduct).
		Scan(&orders)
	g.Raw("SELECT COUNT(*) FROM idempotency_keys WHERE idempotency_key = ? AND target_id = ?", key, id).Scan(&keys)
	if got := stockOf(t, g, 2); status != "CONFIRMED" || orders != 0 || keys != 2 || got != stock {
		t.Errorf("order %d is %q with %d keys; %d orders have no key", id, status, keys, orders)
		t.Errorf("stock %d, want %d", got, stock)
	}
}

// system runs the Customers API, the Orders API and the orchestrator, each in a process. The calls of the
// orchestrator pass a proxy, which can kill a process at a step.
type system struct {
	t         *testing.T
	env       map[string][]string
	processes map[string]*process
	mu        sync.Mutex
	step      string // "" for no kill
	moment    string
	victim    string
}

func newSystem(t *testing.T, c db.Config) *system {
	s := &system{t: t, env: map[string][]string{}, processes: map[string]*process{}}
	ports := map[string]string{}
	for _, name := range []string{"customers", "orders", "orchestrator"} {
		ports[name] = freePort(t)
	}
	for name := range ports {
		env := append(environment(c), "PORT="+ports[name], "CUSTOMERS_API_BASE=http://localhost:"+ports["customers"])
		if name == "orchestrator" {
			customers, orders := s.proxy(ports["customers"]), s.proxy(ports["orders"])
			env = append(env, "CUSTOMERS_API_BASE="+customers, "ORDERS_API_BASE="+orders)
		}
		s.env[name] = env
		s.processes[name] = start(t, env, name)
	}
	return s
}

// proxy starts a proxy that passes calls on to the port of this machine, and returns the address of the
// proxy.
func (s *system) proxy(port string) string {
	to := httputil.NewSingleHostReverseProxy(&url.URL{Scheme: "http", Host: "localhost:" + port})
	to.ErrorLog = nil
	to.ErrorHandler = abort
	front := httptest.NewUnstartedServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.maybeKill(r.URL.Path, "before")
		answer := httptest.NewRecorder()
		to.ServeHTTP(answer, r)
		if s.maybeKill(r.URL.Path, "after") {
			panic(http.ErrAbortHandler) // the orchestrator gets no answer, as from a killed process
		}
		for name, values := range answer.Header() {
			w.Header()[name] = values
		}
		w.WriteHeader(answer.Code)
		io.Copy(w, answer.Body)
	}))
	front.Start()
	s.t.Cleanup(front.Close)
	return front.URL
}

func (s *system) killAt(step, moment, victim string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.step, s.moment, s.victim = step, moment, victim
}

func (s *system) armed() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.step != ""
}

// maybeKill kills the victim at the step and the moment of killAt, and reports whether the victim was killed.
// A killed service starts again at once; the method repeat starts a killed orchestrator.
func (s *system) maybeKill(called, moment string) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if at, _ := path.Match(s.step, called); !at || moment != s.moment {
		return false
	}
	s.step = ""
	s.processes[s.victim].kill()
	if s.victim != "orchestrator" {
		s.processes[s.victim] = start(s.t, s.env[s.victim], s.victim)
	}
	return true
}

// repeat starts the orchestrator again if it was killed, and repeats the call.
func (s *system) repeat(t *testing.T, key string) int64 {
	t.Helper()
	s.mu.Lock()
	if s.processes["orchestrator"].cmd.ProcessState != nil {
		s.processes["orchestrator"] = start(s.t, s.env["orchestrator"], "orchestrator")
	}
	base := s.processes["orchestrator"].orchestrator
	s.mu.Unlock()
	id := order(base, key)
	if id == 0 {
		t.Errorf("the repeated call failed: %s", s.processes["orchestrator"].log)
	}
	return id
}
