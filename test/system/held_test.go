package system_test

import (
	"context"
	"database/sql"
	"flag"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// bearable is the longest acceptable 99th percentile of the durations of calls that need no held row.
const bearable = 1200 * time.Millisecond

// outcome describes a call and its answer. Without an answer, status and duration are 0.
type outcome struct {
	held     bool // the call needs the held row
	status   int
	duration time.Duration
	retry    string // value of the header Retry-After
}

// heldThing is a row, or an entry of a unique index, that another session locks. Meanwhile a tenth of the
// orders need it.
type heldThing struct {
	hold  func(t *testing.T, c db.Config, g *gorm.DB) (release func())
	order string // an order that needs the row
	key   string // the idempotency key of the order, or ""
}

var heldThings = map[string]heldThing{
	"product": {
		hold: func(t *testing.T, c db.Config, g *gorm.DB) func() {
			return hold(t, g, "UPDATE products SET stock = stock WHERE id = 1")
		},
		order: `{"customer_id":2,"items":[{"product_id":1,"qty":1},{"product_id":104,"qty":1}]}`,
	},
	"customer": {
		hold: func(t *testing.T, c db.Config, g *gorm.DB) func() {
			return hold(t, g, "UPDATE customers SET name = name WHERE id = 2")
		},
		order: `{"customer_id":2,"items":[{"product_id":1,"qty":1},{"product_id":104,"qty":1}]}`,
	},
	"frozen instance": {
		hold:  freeze,
		order: `{"customer_id":2,"items":[{"product_id":1,"qty":1},{"product_id":104,"qty":1}]}`,
	},
	"idempotency key": {
		hold: func(t *testing.T, c db.Config, g *gorm.DB) func() {
			return hold(t, g, `INSERT INTO idempotency_keys
				(caller, operation, idempotency_key, request_hash, expires_at)
				VALUES ('public', 'createOrder', 'held', REPEAT('h', 32), UTC_TIMESTAMP(3))`)
		},
		order: `{"customer_id":2,"items":[{"product_id":104,"qty":1}]}`, key: "held",
	},
	"external_ref": {
		hold: func(t *testing.T, c db.Config, g *gorm.DB) func() {
			return hold(t, g, `INSERT INTO orders (customer_id, external_ref, status, total_cents, created_at)
				VALUES (2, 'held', 'CREATED', 1, UTC_TIMESTAMP(3))`)
		},
		order: `{"customer_id":2,"external_ref":"held","items":[{"product_id":104,"qty":1}]}`,
	},
}

// TestHeldRow locks a row in another session while a tenth of the orders need the row. All other calls must
// succeed, with a 99th percentile of at most bearable.
func TestHeldRow(t *testing.T) {
	const heldFor = 5 * time.Second
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			t.Skip("SQLite runs transactions one after the other")
		}
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		// Add so few products that a batch of orders needs a large part of them. An optimizer may then scan
		// the whole table, and meet the held row.
		for id := range products {
			const insert = `INSERT INTO products (id, sku, name, price_cents, stock, created_at)
				VALUES (?, ?, 'p', 1, 1000000, UTC_TIMESTAMP(3))`
			if err := g.Exec(insert, firstProduct+id, fmt.Sprint("held-", id)).Error; err != nil {
				t.Fatal(err)
			}
		}
		if err := g.Exec("UPDATE products SET stock = 1000000 WHERE id = 1").Error; err != nil {
			t.Fatal(err)
		}
		p := start(t, append(environment(c), append(anyPorts, "LOG_LEVEL=warn", "TRUSTED_PROXIES=127.0.0.1")...))
		for name, thing := range heldThings {
			if testing.Short() && name != "product" {
				continue
			}
			t.Run(name, func(t *testing.T) {
				release := thing.hold(t, c, g)
				timer := time.AfterFunc(heldFor, release)
				wantOthersServed(t, orderAndRead(t, p, thing, heldFor))
				timer.Stop()
				release()
				time.Sleep(time.Second)
				for _, o := range orderAndRead(t, p, thing, 2*time.Second) {
					if o.status >= 500 || o.status == http.StatusTooManyRequests || o.status == 0 {
						t.Errorf("%d after the release", o.status)
					}
				}
			})
		}
	})
}

// TestHeldRowBehindOrchestrator sends a burst of orchestrations for a product whose row another session
// locks. All orchestrations for other products must be served. For that, the orchestrator must not open its
// breaker for the Orders API: a refusal because of a locked row is no fault of the Orders API, and must come
// before the call times out. A burst of 30 calls has more commands than may wait for one row; a burst of 20
// calls has fewer.
func TestHeldRowBehindOrchestrator(t *testing.T) {
	const heldFor = 7 * time.Second // longer than the timeout of a call between services
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			return // SQLite runs transactions one after the other
		}
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		if err := g.Exec("UPDATE products SET stock = 1000000").Error; err != nil {
			t.Fatal(err)
		}
		p := start(t, append(environment(c), append(anyPorts, "LOG_LEVEL=warn", "TRUSTED_PROXIES=127.0.0.1")...))
		for _, burst := range []int{30, 20} {
			if testing.Short() && burst != 30 {
				continue
			}
			t.Run(fmt.Sprint(burst, " at once"), func(t *testing.T) {
				release := hold(t, g, "UPDATE products SET stock = stock WHERE id = 1")
				defer time.AfterFunc(heldFor, release).Stop()
				wantOthersServed(t, orchestrate(t, p, burst, heldFor))
			})
		}
	})
}

// orchestrate sends a burst of orchestrations for product 1, which is held, and then ten orchestrations a
// second for other products. It does not wait for an answer before it sends the next call.
func orchestrate(t *testing.T, p *process, burst int, lasts time.Duration) (outcomes []outcome) {
	t.Helper()
	var mu sync.Mutex
	var calls sync.WaitGroup
	sent := 0
	send := func(product int) {
		sent++
		body := fmt.Sprintf(`{"customer_id":1,"items":[{"product_id":%d,"qty":1}],"idempotency_key":"burst-%d-%d"}`,
			product, burst, sent)
		calls.Go(func() {
			o := call(t.Context(), "POST", p.orchestrator+"/orchestrator/create-and-confirm-order", body, "")
			o.held = product == 1
			mu.Lock()
			defer mu.Unlock()
			outcomes = append(outcomes, o)
		})
	}
	for range burst {
		send(1)
	}
	tick := time.NewTicker(100 * time.Millisecond)
	defer tick.Stop()
	for i := range int(lasts / (100 * time.Millisecond)) {
		<-tick.C
		send(2 + i%9)
	}
	calls.Wait()
	return outcomes
}

const products, firstProduct = 200, 101

var heldRate = flag.Int("held.rate", 40, "orders a second of TestHeldRow")

// hold runs a statement in a transaction that stays open until release.
func hold(t *testing.T, g *gorm.DB, statement string) (release func()) {
	t.Helper()
	tx := g.Begin(&sql.TxOptions{Isolation: sql.LevelReadCommitted})
	if res := tx.Exec(statement); res.Error != nil || res.RowsAffected != 1 {
		t.Fatal(res.RowsAffected, res.Error)
	}
	release = sync.OnceFunc(func() { tx.Rollback() })
	t.Cleanup(release)
	return release
}

// freeze starts another instance, and stops its process in the middle of a transaction that has locked
// product 1.
func freeze(t *testing.T, c db.Config, g *gorm.DB) (release func()) {
	t.Helper()
	other := start(t, append(environment(c), append(anyPorts, "LOG_LEVEL=warn")...))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range 4 {
		go func() {
			for ctx.Err() == nil {
				call(ctx, "POST", other.orders+"/orders", `{"customer_id":1,"items":[{"product_id":1,"qty":1}]}`, "")
			}
		}()
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if !locked(g) {
			continue
		}
		other.cmd.Process.Signal(syscall.SIGSTOP)
		if locked(g) { // product 1 is still locked, so the instance has not sent COMMIT
			release = sync.OnceFunc(func() { other.cmd.Process.Signal(syscall.SIGCONT) })
			t.Cleanup(release)
			return release
		}
		other.cmd.Process.Signal(syscall.SIGCONT)
	}
	t.Fatal("the instance was never stopped in a transaction")
	return nil
}

// locked reports whether a transaction holds product 1.
func locked(g *gorm.DB) bool {
	err := g.Transaction(func(tx *gorm.DB) error {
		return tx.Exec("SELECT id FROM products WHERE id = 1 FOR UPDATE NOWAIT").Error
	})
	return err != nil
}

// orderAndRead sends orders at the rate of the flag held.rate, without waiting for answers. It sends a read
// beside every fourth order, and a stock adjustment beside every eighth order. A tenth of the orders need the
// held row; a third of the adjustments need product 1.
func orderAndRead(t *testing.T, p *process, thing heldThing, lasts time.Duration) (outcomes []outcome) {
	t.Helper()
	var mu sync.Mutex
	var calls sync.WaitGroup
	send := func(held bool, method, url, body, key string) {
		calls.Go(func() {
			o := call(t.Context(), method, url, body, key)
			o.held = held
			mu.Lock()
			defer mu.Unlock()
			outcomes = append(outcomes, o)
		})
	}
	reads := []string{p.orders + "/products/1", p.orders + "/orders?limit=5", p.customers + "/customers/2"}
	tick := time.NewTicker(time.Second / time.Duration(*heldRate))
	defer tick.Stop()
	for i := range *heldRate * int(lasts/time.Second) {
		<-tick.C
		if i%10 == 0 {
			send(true, "POST", p.orders+"/orders", thing.order, thing.key)
		} else {
			const order = `{"customer_id":1,"items":[{"product_id":%d,"qty":1},{"product_id":%d,"qty":1}]}`
			body := fmt.Sprintf(order, firstProduct+i%products, firstProduct+7*i%products)
			send(false, "POST", p.orders+"/orders", body, "")
		}
		if i%4 == 0 {
			send(false, "GET", reads[i%3], "", "")
		}
		if i%8 == 0 { // a clerk books received pieces
			product := firstProduct + i%products
			if i%24 == 0 {
				product = 1
			}
			url := fmt.Sprintf("%s/products/%d/stock-adjustments", p.orders, product)
			send(product == 1, "POST", url, `{"delta":1,"reason":"received"}`, "")
		}
	}
	calls.Wait()
	return outcomes
}

var impatient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 250}}

func call(ctx context.Context, method, url, body, key string) (o outcome) {
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return o
	}
	req.Header.Set("Content-Type", "application/json")
	// Use 50 addresses, because the limits apply to each address.
	req.Header.Set("X-Forwarded-For", fmt.Sprint("198.51.100.", rand.N(50)))
	if key != "" {
		req.Header.Set("Idempotency-Key", key)
	}
	res, err := impatient.Do(req)
	if err != nil {
		return o
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return outcome{status: res.StatusCode, duration: time.Since(began), retry: res.Header.Get("Retry-After")}
}

// wantOthersServed checks that each call that does not need the held row succeeds, with a 99th percentile of
// at most bearable. A call that needs the held row may also get 409, or 503 with Retry-After.
func wantOthersServed(t *testing.T, outcomes []outcome) {
	t.Helper()
	var times []time.Duration
	refused, onHeld := map[int]int{}, map[int]int{} // numbers of answers, by status
	for _, o := range outcomes {
		switch {
		case o.held:
			onHeld[o.status]++
			if o.status != http.StatusCreated && o.status != http.StatusConflict &&
				(o.status != http.StatusServiceUnavailable || o.retry == "") {
				t.Errorf("a call that needs the held row got %d, Retry-After %q", o.status, o.retry)
			}
		case o.status != http.StatusCreated && o.status != http.StatusOK:
			refused[o.status]++
		default:
			times = append(times, o.duration)
		}
	}
	slices.Sort(times)
	if len(refused) > 0 || at99(times) > bearable {
		t.Errorf("beside the held row: p99 %s, refused %v", at99(times), refused)
	}
	t.Logf("others: p50 %s, p99 %s of %d; on the held row: %v", at50(times), at99(times), len(times), onHeld)
}
