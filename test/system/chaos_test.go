package system_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"math/rand/v2"
	"net"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"text/tabwriter"
	"time"

	"github.com/cenkalti/backoff/v5"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/dbtest/server"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/web/webtest"
)

var chaosKills = flag.Int("chaos.kills", 20, "how often TestChaos kills something, on each engine")

// TestChaos kills services and the database server at random moments under load. The clients of two partners
// use the same keys, and repeat each call with its key until an answer acknowledges the call. In the end the
// database must contain each acknowledged effect once, and no other effect. The history must name the caller
// of each effect.
//
// MariaDB and MySQL are private servers: see server.Private. On TiDB, the server of TEST_TIDB_DSN, the test
// kills only the services.
func TestChaos(t *testing.T) {
	if testing.Short() {
		t.Skip("kills")
	}
	ctx, stop := signal.NotifyContext(t.Context(), os.Interrupt) // Ctrl-C must not leave a server behind
	defer stop()
	t.Run("SQLite", func(t *testing.T) {
		if !server.IsChosen("SQLite") {
			t.Skip("another run has SQLite")
		}
		c := newChaos(ctx, t, keptFolder(t))
		config := db.Config{Driver: db.SQLite, Path: filepath.Join(c.dir, "b2b.db")}
		ports := []string{freePort(t), freePort(t), freePort(t), freePort(t)}
		c.events = []string{at(ports[3])}
		c.customers, c.orders, c.orchestrator = at(ports[0]), []string{at(ports[1])}, at(ports[2])
		c.supervise("the process", append(slices.Concat(guarded(config), anyPorts), "CUSTOMERS_PORT="+ports[0],
			"ORDERS_PORT="+ports[1], "ORCHESTRATOR_PORT="+ports[2], "EVENTS_PORT="+ports[3]))
		c.run(config)
	})
	for _, s := range dbtest.Servers {
		t.Run(s.Engine, func(t *testing.T) {
			dir, err := os.MkdirTemp("", "b2b-") // t.TempDir is too long for the path of a socket
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(dir) })
			kept := keptFolder(t)
			if dsn := os.Getenv(s.Variable); s.Engine == "TiDB" && dsn != "" {
				c := dbtest.Create(t, dsn)
				c.MaxConns = 5
				// Migrate before the processes start: on TiDB a migration takes long, and a process waits at
				// most a minute for the migration of another process.
				dbtest.Open(t, c)
				newChaos(ctx, t, kept).distributed(c, nil)
				return
			}
			log := "--log-error=" + filepath.Join(kept, "server.log")
			private, err := server.Private(s.Engine, dir, "--innodb-flush-log-at-trx-commit=1", log)
			if err != nil {
				t.Fatal(err)
			}
			if private == nil {
				t.Skip("the server program is not installed")
			}
			t.Cleanup(func() { private.Stop() })
			config := newDatabase(t, private, "chaos")
			config.MaxConns = 5
			newChaos(ctx, t, kept).distributed(config, private)
		})
	}
}

// newDatabase creates a database on a private server.
func newDatabase(t *testing.T, s *server.Server, name string) db.Config {
	t.Helper()
	c := db.Config{Driver: db.MySQL, Host: "127.0.0.1", Port: s.Port, User: "root", Name: "mysql", MaxConns: 25}
	admin, err := db.Open(t.Context(), c)
	if err == nil {
		err = admin.Exec("CREATE DATABASE " + name).Error
		db.Close(admin)
	}
	if err != nil {
		t.Fatal(err)
	}
	c.Name = name
	return c
}

// distributed runs each service as a process of its own, orders and events as two processes each, on a
// database. The parameter s is the database server to kill, or nil to kill no database server.
func (c *chaos) distributed(config db.Config, s *server.Server) {
	ports := make([]string, 6)
	for i := range ports {
		ports[i] = freePort(c.t)
	}
	c.customers, c.orders, c.orchestrator = at(ports[0]), []string{at(ports[1]), at(ports[2])}, at(ports[3])
	c.events = []string{at(ports[4]), at(ports[5])}
	balancer := httptest.NewServer(balance(ports[1:3]))
	c.t.Cleanup(balancer.Close)
	env := append(guarded(config), "CUSTOMERS_API_BASE="+c.customers, "ORDERS_API_BASE="+balancer.URL)
	for i, service := range []struct{ name, command string }{
		{"customers", "customers"}, {"orders A", "orders"}, {"orders B", "orders"}, {"orchestrator", "orchestrator"},
		{"events A", "events"}, {"events B", "events"},
	} {
		c.supervise(service.name, append(slices.Clip(env), "PORT="+ports[i]), service.command)
	}
	if s != nil {
		c.database(s)
	}
	c.run(config)
}

// chaosTokens signs the tokens of the clients.
var chaosTokens = auth.Tokens{Secrets: []string{"jwt-secret-of-the-chaos-of-32-bytes"}}

// guarded returns an environment in which every call needs a token.
func guarded(c db.Config) []string {
	return append(environment(c), "AUTH_MODE=jwt", "JWT_SECRET="+chaosTokens.Secrets[0])
}

func at(port string) string { return "http://localhost:" + port }

// balance passes the calls to the instances in turn. When an instance refuses the connection, the call goes
// to the instance after it.
func balance(ports []string) *httputil.ReverseProxy {
	var calls atomic.Uint64
	return &httputil.ReverseProxy{
		Rewrite:      func(r *httputil.ProxyRequest) { r.Out.URL.Scheme = "http" },
		ErrorHandler: abort,
		Transport: roundTripper(func(req *http.Request) (res *http.Response, err error) {
			body := []byte{}
			if req.Body != nil {
				if body, err = io.ReadAll(req.Body); err != nil {
					return nil, err
				}
			}
			first := calls.Add(1)
			for i := range ports {
				try := req.Clone(req.Context())
				try.URL.Host = "localhost:" + ports[(int(first)+i)%len(ports)]
				try.Body = io.NopCloser(bytes.NewReader(body))
				res, err = http.DefaultTransport.RoundTrip(try)
				if op, ok := errors.AsType[*net.OpError](err); !ok || op.Op != "dial" {
					break
				}
			}
			return res, err
		}),
	}
}

// abort closes the client's connection without an answer, as a killed service does.
func abort(http.ResponseWriter, *http.Request, error) { panic(http.ErrAbortHandler) }

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// chaos runs the services, whose processes the test kills, and collects the effects that answers have
// acknowledged.
type chaos struct {
	t                       *testing.T
	dir                     string          // folder of logs and of SQLite; kept when the test fails
	ctx                     context.Context // ends when the test gives up
	customers, orchestrator string          // addresses
	orders, events          []string        // addresses of the instances
	victims                 []*victim
	running                 sync.WaitGroup // goroutines that start killed victims again
	http                    http.Client
	giveUp                  func()
	// webhooks that a hook has received and not yet answered
	flights chan flight
	// A follower that has got an event sends an element to seen, if strike waits for one.
	seen chan struct{}
	// reports whether the sequencer is in a transaction: see watchSequencer
	sequencing func(wait time.Duration) bool
	calm       atomic.Bool   // true once the last kill is over
	progress   chan struct{} // gets an element when an answer has acknowledged a call

	mu                               sync.Mutex // guards all fields below
	requests, acknowledged, compared int
	failures                         map[string]int // numbers of failed tries, by kind of failure
	breaks                           []string
	products                         []stock
	placed                           []placed
	adjusted                         []adjusted
	keyed                            []keyed
	happened                         []happened
	// The numbers of kills during a webhook, during a transaction of the sequencer, and right after a
	// follower has got an event.
	cut, sequenced, afterSeen int
}

// The rows that the clients know from the answers. The database must contain each of these rows.
type (
	placed struct {
		ID, CustomerID int64
		Tag, Extra     int64 // pieces of the two products; Tag is unique among the customer's orders
		Status         string
	}
	adjusted struct{ ID, ProductID, Delta int64 }
	keyed    struct {
		Caller, Operation, IdempotencyKey string
		TargetID                          int64
	}
	happened struct {
		Type                 string
		SubjectID            int64
		CustomerID           int64 // 0 for a product
		Actor, CorrelationID string
	}
	stock struct{ ID, Stock int64 }
)

// partner is a caller with a token.
type partner struct {
	auth.Principal
	token string
}

func newPartner(t *testing.T, subject string, customer int64) partner {
	t.Helper()
	p := auth.Principal{Subject: subject, Customer: customer, Scope: "products:write orders:read orders:write"}
	if customer == 0 {
		p.Scope = auth.Admin
	}
	token, err := chaosTokens.Issue(p, 24*time.Hour)
	if err != nil {
		t.Fatal(err)
	}
	return partner{p, token}
}

func newChaos(ctx context.Context, t *testing.T, dir string) *chaos {
	c := &chaos{t: t, dir: dir, failures: map[string]int{}, progress: make(chan struct{}, 1),
		flights: make(chan flight), seen: make(chan struct{})}
	c.http.Timeout = 5 * time.Second
	c.http.Transport = &http.Transport{MaxIdleConnsPerHost: chaosClients}
	c.ctx, c.giveUp = context.WithCancel(ctx)
	t.Cleanup(func() {
		c.giveUp()
		c.running.Wait()
		c.http.CloseIdleConnections()
	})
	return c
}

// victim is a process that may be killed. While the process runs, the channel alive has a function that kills
// it.
type victim struct {
	name  string
	sends bool // the process sequences and sends events
	alive chan func() error
	kills int
	log   string                     // path of the log; "" for the database server
	now   atomic.Pointer[os.Process] // the running process; nil for the database server
}

// supervise runs b2b until the test ends, and starts b2b again after each kill.
func (c *chaos) supervise(name string, env []string, args ...string) {
	v := &victim{name: name, alive: make(chan func() error, 1), log: filepath.Join(c.dir, name+".log")}
	v.sends = len(args) == 0 || args[0] == "events"
	c.victims = append(c.victims, v)
	log, err := os.Create(v.log)
	if err != nil {
		c.t.Fatal(err)
	}
	forbidSecrets(env)
	program := binary()
	c.running.Go(func() {
		defer log.Close()
		for c.ctx.Err() == nil {
			cmd := exec.CommandContext(c.ctx, program, args...)
			cmd.Dir, cmd.Env, cmd.Stderr = c.dir, env, log
			if err := cmd.Start(); err != nil {
				c.broken("%s cannot be started: %v", name, err)
				return
			}
			v.now.Store(cmd.Process)
			v.alive <- cmd.Process.Kill
			cmd.Wait()
			select {
			case <-v.alive: // b2b has ended by itself, because the database was down
				c.pause(200 * time.Millisecond)
			default:
			}
		}
	})
}

// database makes the database server a victim, and starts the server again whenever it has ended.
func (c *chaos) database(s *server.Server) {
	v := &victim{name: "database", alive: make(chan func() error, 1)}
	c.victims = append(c.victims, v)
	c.running.Go(func() {
		for c.ctx.Err() == nil {
			killed := make(chan struct{})
			ended := s.Ended()
			v.alive <- func() error {
				defer close(killed)
				return s.Kill()
			}
			select {
			case <-killed:
			case <-ended:
				select {
				case <-v.alive:
					fmt.Println("the database server has ended by itself")
				case <-killed:
				}
			case <-c.ctx.Done():
				return
			}
			for err := s.Restart(); err != nil && c.ctx.Err() == nil; err = s.Restart() {
				fmt.Println("the database server does not start:", err)
			}
		}
	})
}

func (c *chaos) pause(d time.Duration) {
	select {
	case <-time.After(d):
	case <-c.ctx.Done():
	}
}

const (
	chaosClients = 6
	chaosStock   = 500_000_000 // more than the clients can order
)

// run puts the system under load, kills its parts, and compares the database with the acknowledged effects.
func (c *chaos) run(config db.Config) {
	services := slices.Concat([]string{c.customers, c.orchestrator}, c.orders, c.events)
	office := newPartner(c.t, "office", 0)
	watched, done := context.WithCancel(c.ctx)
	c.running.Go(func() { c.watch(watched, config) })
	for _, base := range services {
		c.call(office, "GET", []string{base}, "/ready", "", "")
	}
	var partners []partner
	for _, name := range []string{"acme", "globex"} {
		customer := fmt.Sprintf(`{"name":"Client","email":"%s@example.com"}`, name)
		id, _ := c.call(office, "POST", []string{c.customers}, "/customers", "", customer)
		partners = append(partners, newPartner(c.t, "erp-of-"+name, id))
	}
	for i := range 2 {
		product := fmt.Sprintf(`{"sku":"CHAOS-%d","name":"Chaos","price_cents":100,"stock":%d}`, i, chaosStock)
		id, _ := c.call(office, "POST", c.orders[:1], "/products", "", product)
		c.products = append(c.products, stock{id, chaosStock})
	}
	followers, followed := c.follow(partners[0].Customer)
	hooks := c.receive(partners[0].Customer)
	c.watchSequencer(config)
	var clients sync.WaitGroup
	for i := range chaosClients {
		clients.Go(func() { c.client(i/2, partners[i%2]) })
	}
	c.kill(*chaosKills)
	c.calm.Store(true)
	clients.Wait()
	for _, base := range services {
		c.call(office, "GET", []string{base}, "/ready", "", "")
	}
	done()
	c.examine(config, func(g *gorm.DB) {
		c.untilSequenced(g)
		c.compareFeeds(g, followers, followed)
		for _, h := range hooks {
			c.compareHook(g, h)
		}
	})
	c.report(hooks)
}

// watch ends the test after the time patience without an acknowledgement, or a minute before the deadline of
// the test. Before that, it saves the state of the database server and the goroutines of all processes.
func (c *chaos) watch(ctx context.Context, config db.Config) {
	last, since := 0, time.Now()
	for {
		select {
		case <-time.After(time.Second):
		case <-ctx.Done():
			return
		}
		c.mu.Lock()
		if c.acknowledged > last {
			last, since = c.acknowledged, time.Now()
		}
		c.mu.Unlock()
		deadline, limited := c.t.Deadline()
		if time.Since(since) < patience && !(limited && time.Until(deadline) < time.Minute) {
			continue
		}
		c.broken("given up: nothing has been acknowledged for %s", time.Since(since).Round(time.Second))
		keepDatabase(c.t, c.dir, config)
		for _, v := range c.victims {
			if p := v.now.Load(); p != nil {
				printGoroutines(p)
			}
		}
		c.giveUp()
		return
	}
}

// kill kills n victims, one after another. Before two of three kills, it waits until an answer has
// acknowledged a call. The other kills may hit a system that has not recovered from the kill before.
func (c *chaos) kill(n int) {
	for n > 0 && c.ctx.Err() == nil {
		c.pause(time.Duration(rand.Int64N(int64(400 * time.Millisecond)))) // a random moment
		if rand.IntN(3) > 0 {
			select {
			case <-c.progress:
			case <-c.ctx.Done():
			}
		}
		v := c.victims[rand.IntN(len(c.victims))]
		select {
		case kill := <-v.alive:
			if c.strike(v, kill) == nil {
				v.kills++
				n--
			}
		case <-c.ctx.Done():
		}
		select {
		case <-c.progress: // drops the acknowledgement of a call before the kill
		default:
		}
	}
}

// client makes calls with the token of a partner until the last kill is over. It places orders through the
// orchestrator or the Orders API, cancels some of them, and adjusts stock with the token of a clerk. Client n
// of one partner uses the same keys as client n of the other partner.
func (c *chaos) client(n int, by partner) {
	tagged, shared := c.products[0].ID, c.products[1].ID
	clerk := newPartner(c.t, "clerk-beside-"+by.Subject, 0)
	// record notes the order or product that a key has created or changed, and the event that the feed must
	// have for the change.
	record := func(caller partner, operation, key string, target int64, event string, customer int64) {
		c.mu.Lock()
		defer c.mu.Unlock()
		c.keyed = append(c.keyed, keyed{caller.KeySpace(), operation, key, target})
		c.happened = append(c.happened, happened{event, target, customer, caller.Subject, key})
	}
	for i := int64(1); !c.calm.Load() && c.ctx.Err() == nil; i++ {
		key := fmt.Sprintf("chaos-%d-%d", n, i)
		if rand.IntN(5) == 0 {
			a := adjusted{ProductID: shared, Delta: 1 + rand.Int64N(9)}
			if rand.IntN(2) == 0 {
				a.Delta = -a.Delta
			}
			path := fmt.Sprintf("/products/%d/stock-adjustments", shared)
			body := fmt.Sprintf(`{"delta":%d,"reason":"chaos"}`, a.Delta)
			if a.ID, _ = c.call(clerk, "POST", c.orders, path, key, body); a.ID != 0 {
				record(clerk, "adjustStock", key, shared, "stock.adjusted", 0)
				c.mu.Lock()
				c.adjusted = append(c.adjusted, a)
				c.mu.Unlock()
			}
			continue
		}
		o := placed{CustomerID: by.Customer, Tag: i*chaosClients/2 + int64(n), Extra: 1 + rand.Int64N(9)}
		step := func(operation string, bases []string, path, body, want string) {
			id, status := c.call(by, "POST", bases, path, key, body)
			if id == 0 { // c.call has recorded the failure
				return
			}
			if status != want || o.ID != 0 && o.ID != id {
				c.broken("%s %s: order %d %s, want %d %s", operation, key, id, status, o.ID, want)
			}
			o.ID, o.Status = id, status
			record(by, operation, key, id, eventOf[operation], by.Customer)
		}
		const template = `"customer_id":%d,"items":[{"product_id":%d,"qty":%d},{"product_id":%d,"qty":%d}]`
		order := fmt.Sprintf(template, by.Customer, tagged, o.Tag, shared, o.Extra)
		if rand.IntN(2) == 0 {
			body := fmt.Sprintf(`{%s,"idempotency_key":%q}`, order, key)
			const path = "/orchestrator/create-and-confirm-order"
			step("createOrder", []string{c.orchestrator}, path, body, "CONFIRMED")
			if o.ID != 0 {
				record(by, "confirmOrder", key, o.ID, eventOf["confirmOrder"], by.Customer)
			}
		} else {
			step("createOrder", c.orders, "/orders", "{"+order+"}", "CREATED")
			if o.ID != 0 && rand.IntN(3) > 0 {
				step("confirmOrder", c.orders, fmt.Sprintf("/orders/%d/confirm", o.ID), "", "CONFIRMED")
			}
		}
		if o.ID != 0 && rand.IntN(3) == 0 {
			step("cancelOrder", c.orders, fmt.Sprintf("/orders/%d/cancel", o.ID), "", "CANCELED")
		}
		c.mu.Lock()
		c.placed = append(c.placed, o)
		c.mu.Unlock()
	}
}

// eventOf maps operations to the types of their events.
var eventOf = map[string]string{
	"createOrder":  "order.created",
	"confirmOrder": "order.confirmed",
	"cancelOrder":  "order.canceled",
}

// call makes a call, and repeats it at the next address of bases until an answer acknowledges it. It returns
// the id and the status in the answer; the id is 0 after a refusal, or when the test gives up. After a
// quarter of the acknowledged calls with a key, it makes the call again: the answer must be the same.
func (c *chaos) call(by partner, method string, bases []string, path, key, body string) (id int64, status string) {
	first, err := c.untilAcknowledged(by, method, bases, path, key, body)
	if err != nil {
		c.broken("%s %s %s was never acknowledged: %v", method, path, key, err)
		return 0, ""
	}
	if key != "" && rand.IntN(4) == 0 {
		again, err := c.untilAcknowledged(by, method, bases, path, key, body)
		if err != nil || !bytes.Equal(again, first) {
			c.broken("%s %s %s again: %s, %v; first %s", method, path, key, again, err, first)
		}
		c.mu.Lock()
		c.compared++
		c.mu.Unlock()
	}
	type thing struct {
		ID     int64
		Status string
	}
	var answer struct {
		Data struct {
			thing
			Order *thing // only in an answer of the orchestrator
		}
	}
	if err := json.Unmarshal(first, &answer); err != nil {
		c.broken("%s %s %s: %s", method, path, key, first)
	}
	if o := answer.Data.Order; o != nil {
		return o.ID, o.Status
	}
	return answer.Data.ID, answer.Data.Status
}

func (c *chaos) untilAcknowledged(by partner, method string, bases []string, path, key, body string) ([]byte, error) {
	wait := backoff.NewExponentialBackOff() // the waits are random
	wait.InitialInterval, wait.MaxInterval = 10*time.Millisecond, 250*time.Millisecond
	tries := rand.IntN(len(bases))
	return backoff.Retry(c.ctx, func() ([]byte, error) {
		answer, failure, err := c.try(by, method, bases[tries%len(bases)]+path, key, body)
		tries++
		c.mu.Lock()
		defer c.mu.Unlock()
		c.requests++
		if err != nil {
			c.failures[failure]++
			return nil, err
		}
		c.acknowledged++
		select {
		case c.progress <- struct{}{}:
		default:
		}
		return answer, nil
	}, backoff.WithBackOff(wait), backoff.WithMaxElapsedTime(0))
}

// try makes a call once. The error is permanent when the call was refused.
func (c *chaos) try(by partner, method, url, key, body string) (answer []byte, failure string, err error) {
	req, err := http.NewRequestWithContext(c.ctx, method, url, strings.NewReader(body))
	if err != nil {
		return nil, "", backoff.Permanent(err)
	}
	req.Header.Set("Authorization", "Bearer "+by.token)
	if key != "" {
		req.Header.Set("X-Correlation-Id", key)
		if !strings.HasPrefix(url, c.orchestrator) { // the orchestrator has the key in the body
			req.Header.Set("X-Idempotency-Key", key)
		}
	}
	if body != "" {
		req.Header.Set("Content-Type", "application/json")
	}
	res, err := c.http.Do(req)
	if err != nil {
		return nil, "retried: no answer", err
	}
	defer res.Body.Close()
	answer, err = io.ReadAll(res.Body)
	switch {
	case err != nil:
		return nil, "retried: no answer", err
	case res.StatusCode >= 500:
		return nil, fmt.Sprint("retried: ", res.StatusCode), fmt.Errorf("%d %s", res.StatusCode, answer)
	case res.StatusCode >= 300:
		return nil, "refused", backoff.Permanent(fmt.Errorf("%d %s", res.StatusCode, answer))
	}
	return answer, "", nil
}

// broken records a promise that the system has broken.
func (c *chaos) broken(format string, args ...any) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.breaks = append(c.breaks, fmt.Sprintf(format, args...))
}

// examine compares the database with the acknowledged effects, and runs the doctor.
func (c *chaos) examine(config db.Config, compareConsumers func(g *gorm.DB)) {
	ctx := context.Background() // c.ctx may have ended
	g, err := db.Open(ctx, config)
	if err != nil {
		c.broken("the database: %v", err)
		return
	}
	defer db.Close(g)
	compareConsumers(g)
	tagged, shared := &c.products[0], &c.products[1]
	for _, a := range c.adjusted {
		shared.Stock += a.Delta
	}
	customers := []int64{}
	for _, o := range c.placed {
		if o.Status != "CANCELED" {
			tagged.Stock -= o.Tag
			shared.Stock -= o.Extra
		}
		customers = append(customers, o.CustomerID)
	}
	slices.Sort(customers)
	customers = slices.Compact(customers)
	var (
		inPlaced   []placed
		inAdjusted []adjusted
		inKeyed    []keyed
		inHistory  []happened
		inStock    []stock
	)
	err = errors.Join(
		g.Raw(`SELECT o.id, o.customer_id, o.status, COALESCE(t.qty, 0) AS tag, COALESCE(e.qty, 0) AS extra
			FROM orders o
			LEFT JOIN order_items t ON t.order_id = o.id AND t.product_id = ?
			LEFT JOIN order_items e ON e.order_id = o.id AND e.product_id = ?
			WHERE o.customer_id IN ?`, tagged.ID, shared.ID, customers).Scan(&inPlaced).Error,
		g.Raw("SELECT id, product_id, delta FROM stock_adjustments WHERE reason = 'chaos'").Scan(&inAdjusted).Error,
		g.Raw("SELECT caller, operation, idempotency_key, target_id FROM idempotency_keys").Scan(&inKeyed).Error,
		g.Raw(`SELECT type, subject_id, COALESCE(customer_id, 0) AS customer_id, actor, correlation_id
			FROM events WHERE customer_id IN ? AND subject = 'order' OR type = 'stock.adjusted'`, customers).
			Scan(&inHistory).Error,
		g.Raw("SELECT id, stock FROM products WHERE id IN ?", []int64{tagged.ID, shared.ID}).Scan(&inStock).Error,
	)
	if err != nil {
		c.broken("the database: %v", err)
	}
	compare(c, c.placed, inPlaced)
	compare(c, c.adjusted, inAdjusted)
	compare(c, c.keyed, inKeyed)
	compare(c, c.happened, inHistory)
	compare(c, c.products, inStock)
	checks, err := doctor.Examine(ctx, g, rules)
	if err != nil || !doctor.Healthy(checks) {
		var table strings.Builder
		doctor.Print(&table, checks)
		c.broken("doctor: %v\n%s", err, &table)
	}
}

// compare records each acknowledged row that is not in the database, and each stored row that no answer has
// acknowledged, such as a second effect of a key.
func compare[T comparable](c *chaos, acknowledged, stored []T) {
	count := map[T]int{}
	for _, row := range stored {
		count[row]++
	}
	for _, row := range acknowledged {
		if count[row]--; count[row] < 0 {
			c.broken("acknowledged, and not stored: %T%+v", row, row)
		}
	}
	for row, n := range count {
		if n > 0 {
			c.broken("stored, and not acknowledged: %T%+v", row, row)
		}
	}
}

// report prints the figures, and fails the test when a promise was broken.
func (c *chaos) report(hooks []*hook) {
	var table strings.Builder
	w := tabwriter.NewWriter(&table, 0, 0, 2, ' ', tabwriter.AlignRight)
	row := func(label string, n int) { fmt.Fprintf(w, "\t%d\t %s\n", n, label) }
	row("requests", c.requests)
	row("acknowledged", c.acknowledged)
	for _, failure := range slices.Sorted(maps.Keys(c.failures)) {
		row(failure, c.failures[failure])
	}
	row("repeated after the acknowledgement", c.compared)
	row("orders", len(c.placed))
	row("events", len(c.happened))
	reportHooks(hooks, row)
	row("kills during a webhook", c.cut)
	row("kills during a transaction of the sequencer", c.sequenced)
	row("kills of the database after an event was seen", c.afterSeen)
	for _, v := range c.victims {
		row("kills of "+v.name, v.kills)
	}
	row("breaks", len(c.breaks))
	w.Flush()
	c.t.Logf("\n%s", &table)
	for _, v := range c.victims {
		if v.log != "" {
			text, _ := os.ReadFile(v.log)
			webtest.WantNoLeak(c.t, text)
		}
	}
	for _, b := range c.breaks[:min(10, len(c.breaks))] {
		c.t.Error(b)
	}
}
