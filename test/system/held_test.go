package system_test

import (
	"context"
	"database/sql"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
)

// bearable is how long, at the 99th percentile, a call takes that does not need a held row.
const bearable = 1200 * time.Millisecond

// outcome is what came of a call.
type outcome struct {
	held   bool // the call needs the held row
	status int
	took   time.Duration
	retry  string // Retry-After
}

// TestHeldRow lets others hold one row while a tenth of the orders need it. All other orders, and all reads, go on.
func TestHeldRow(t *testing.T) {
	const heldFor = 5 * time.Second
	holders := map[string]func(t *testing.T, c db.Config, g *gorm.DB) (release func()){
		"product": func(t *testing.T, c db.Config, g *gorm.DB) func() {
			return hold(t, g, "SELECT id FROM products WHERE id = 1 FOR UPDATE")
		},
		"customer": func(t *testing.T, c db.Config, g *gorm.DB) func() {
			return hold(t, g, "SELECT id FROM customers WHERE id = 2 FOR UPDATE")
		},
		"frozen instance": freeze,
	}
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		if c.Driver == db.SQLite {
			return // its transactions run one after the other
		}
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		if err := g.Exec("UPDATE products SET stock = 1000000").Error; err != nil {
			t.Fatal(err)
		}
		p := start(t, append(environment(c), append(anyPorts, "LOG_LEVEL=warn")...))
		for name, holder := range holders {
			for _, rate := range []int{40, 200} {
				if testing.Short() && (rate > 40 || name == "customer") {
					continue
				}
				t.Run(fmt.Sprintf("%s/%d orders a second", name, rate), func(t *testing.T) {
					orderAndRead(t, p, rate, time.Second) // the pool has its connections
					release := holder(t, c, g)
					timer := time.AfterFunc(heldFor, release)
					wantOthersServed(t, orderAndRead(t, p, rate, heldFor))
					if t.Failed() {
						t.Logf("%.6000s", p.log.String())
					}
					timer.Stop()
					release()
					time.Sleep(time.Second)
					for _, o := range orderAndRead(t, p, rate, 2*time.Second) {
						if o.status != http.StatusCreated && o.status != http.StatusOK {
							t.Errorf("%d after the row was free", o.status)
						}
					}
				})
			}
		}
	})
}

// hold locks what a query reads until release.
func hold(t *testing.T, g *gorm.DB, query string) (release func()) {
	t.Helper()
	tx := g.Begin(&sql.TxOptions{Isolation: sql.LevelReadCommitted})
	var id int64
	if err := tx.Raw(query).Scan(&id).Error; err != nil || id == 0 {
		t.Fatal(id, err)
	}
	release = sync.OnceFunc(func() { tx.Rollback() })
	t.Cleanup(release)
	return release
}

// freeze stops another instance in the middle of a transaction that has locked product 1.
func freeze(t *testing.T, c db.Config, g *gorm.DB) (release func()) {
	t.Helper()
	other := start(t, append(environment(c), append(anyPorts, "LOG_LEVEL=warn")...))
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	for range 4 {
		go func() {
			for ctx.Err() == nil {
				post(ctx, other.orders, 1, `{"product_id":1,"qty":1}`)
			}
		}()
	}
	for deadline := time.Now().Add(time.Minute); time.Now().Before(deadline); {
		if !locked(g) {
			continue
		}
		other.cmd.Process.Signal(syscall.SIGSTOP)
		if locked(g) { // COMMIT had not been sent
			release = sync.OnceFunc(func() { other.cmd.Process.Signal(syscall.SIGCONT) })
			t.Cleanup(release)
			return release
		}
		other.cmd.Process.Signal(syscall.SIGCONT)
	}
	t.Fatal("the instance was never stopped inside of a transaction")
	return nil
}

// locked reports whether a transaction holds product 1.
func locked(g *gorm.DB) bool {
	err := g.Transaction(func(tx *gorm.DB) error {
		return tx.Exec("SELECT id FROM products WHERE id = 1 FOR UPDATE NOWAIT").Error
	})
	return err != nil
}

// orderAndRead sends orders at a rate, and a read for each fourth, without waiting for answers. A tenth of the orders are for product 1 and
// customer 2.
func orderAndRead(t *testing.T, p *process, rate int, lasts time.Duration) (outcomes []outcome) {
	t.Helper()
	var mu sync.Mutex
	var calls sync.WaitGroup
	note := func(o outcome) {
		mu.Lock()
		defer mu.Unlock()
		outcomes = append(outcomes, o)
	}
	tick := time.NewTicker(time.Second / time.Duration(rate))
	defer tick.Stop()
	for i := range rate * int(lasts/time.Second) {
		<-tick.C
		calls.Go(func() {
			customer, product := 1, 4+i%7
			if i%10 == 0 {
				customer, product = 2, 1
			}
			o := post(t.Context(), p.orders, customer, fmt.Sprintf(`{"product_id":%d,"qty":1},{"product_id":%d,"qty":1}`, product, 4+i%5))
			o.held = i%10 == 0
			note(o)
		})
		if i%8 == 0 { // a clerk receives pieces
			calls.Go(func() {
				held := i%24 == 0
				product := 4 + i%7
				if held {
					product = 1
				}
				o := call(t.Context(), "POST", fmt.Sprintf("%s/products/%d/stock-adjustments", p.orders, product), `{"delta":1,"reason":"received"}`)
				o.held = held
				note(o)
			})
		}
		if i%4 == 0 {
			calls.Go(func() {
				note(call(t.Context(), "GET", []string{p.orders + "/products/1", p.orders + "/orders?limit=5", p.customers + "/customers/2"}[i%3], ""))
			})
		}
	}
	calls.Wait()
	return outcomes
}

var impatient = &http.Client{Timeout: time.Minute, Transport: &http.Transport{MaxIdleConnsPerHost: 250}}

func post(ctx context.Context, base string, customer int, lines string) outcome {
	return call(ctx, "POST", base+"/orders", fmt.Sprintf(`{"customer_id":%d,"items":[%s]}`, customer, lines))
}

func call(ctx context.Context, method, url, body string) (o outcome) {
	began := time.Now()
	req, err := http.NewRequestWithContext(ctx, method, url, strings.NewReader(body))
	if err != nil {
		return o
	}
	req.Header.Set("Content-Type", "application/json")
	res, err := impatient.Do(req)
	if err != nil {
		return o
	}
	defer res.Body.Close()
	_, _ = io.Copy(io.Discard, res.Body)
	return outcome{status: res.StatusCode, took: time.Since(began), retry: res.Header.Get("Retry-After")}
}

// wantOthersServed wants a success, soon, for each call that does not need the held row; the others may be refused, to be repeated.
func wantOthersServed(t *testing.T, outcomes []outcome) {
	t.Helper()
	var took []time.Duration
	refused, waited := map[int]int{}, map[int]int{}
	for _, o := range outcomes {
		switch {
		case o.held:
			waited[o.status]++
			if o.status != http.StatusCreated && (o.status != http.StatusServiceUnavailable || o.retry == "") {
				t.Errorf("an order for the held row got %d, Retry-After %q", o.status, o.retry)
			}
		case o.status != http.StatusCreated && o.status != http.StatusOK:
			refused[o.status]++
		default:
			took = append(took, o.took)
		}
	}
	slices.Sort(took)
	if len(refused) > 0 || at99(took) > bearable {
		t.Errorf("beside the held row: p99 %s, refused %v", at99(took), refused)
	}
	t.Logf("others: p50 %s, p99 %s of %d; on the held row: %v", at50(took), at99(took), len(took), waited)
}
