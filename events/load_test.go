package events_test

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/history"
)

// TestThousandWebhooks sends 500 events a second to 1,000 endpoints. Each endpoint belongs to another
// customer. A tenth of the endpoints is dead, and another tenth is slow. Each healthy endpoint must get all
// its events, in order. The test logs the delays. With B2B_LOAD=1, on an otherwise idle machine, no delay may
// be longer than two seconds.
func TestThousandWebhooks(t *testing.T) {
	if testing.Short() {
		t.Skip("takes half a minute")
	}
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		const endpoints, rate, seconds, start = 1000, 500, 15, 5
		send(t, g)
		var mu sync.Mutex
		arrived := map[int64][]int64{}
		var waits []time.Duration
		begun := time.Now()
		release := make(chan struct{})
		r := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, q *http.Request) {
			at := time.Now()
			body, _ := io.ReadAll(q.Body)
			kind, number, _ := strings.Cut(q.URL.Path[1:], "/")
			if kind == "slow" {
				select {
				case <-time.After(3 * time.Second):
				case <-q.Context().Done():
				case <-release:
				}
				return
			}
			customer, _ := strconv.ParseInt(number, 10, 64)
			var sent, n int64
			_, after, _ := strings.Cut(string(body), `"representation":`)
			if _, err := fmt.Sscanf(after, `{"at":%d,"n":%d}`, &sent, &n); err != nil {
				t.Errorf("%v: %s", err, body)
			}
			mu.Lock()
			defer mu.Unlock()
			arrived[customer] = append(arrived[customer], n)
			if wait := at.Sub(begun) - time.Duration(sent); time.Duration(sent) > start*time.Second {
				waits = append(waits, wait)
			}
		}))
		defer r.Close()
		dead := httptest.NewServer(nil)
		dead.Close()
		now := time.Now().UTC()
		var rows [][]any
		for customer := range endpoints {
			url := fmt.Sprintf("%s/ok/%d", r.URL, customer+1)
			if customer%10 == 0 {
				url = dead.URL
			} else if customer%10 == 1 {
				url = r.URL + "/slow/"
			}
			rows = append(rows, []any{customer + 1, url, "order", "hmac-sha256",
				"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", 0, "test", now, now})
		}
		const columns = "customer_id, url, subjects, signature, secret, position, created_by, created_at, updated_at"
		must(t, db.Insert(g, "webhook_endpoints", columns, rows))
		var memory runtime.MemStats
		highest := uint64(0)
		sent := map[int64]int64{}
		customer := int64(0)
		const step = 20 * time.Millisecond
		for i := range seconds * time.Second / step {
			if wait := time.Until(begun.Add(i * step)); wait > 0 {
				time.Sleep(wait)
			}
			var all []history.Event
			for range rate * step / time.Second {
				customer = customer%endpoints + 1
				sent[customer]++
				payload := struct {
					At time.Duration `json:"at"`
					N  int64         `json:"n"`
				}{time.Since(begun), sent[customer]}
				all = append(all, history.Event{Type: "order.created", Subject: "order", SubjectID: sent[customer],
					CustomerID: new(customer), CreatedAt: time.Now().UTC(), Payload: payload})
			}
			must(t, db.InReservedTx(t.Context(), g, func(tx *gorm.DB) error {
				return history.Append(tx, history.Origin{Actor: "test"}, all...)
			}))
			if i%50 == 0 {
				runtime.ReadMemStats(&memory)
				highest = max(highest, memory.HeapInuse)
			}
		}
		took := time.Since(begun)
		isDone := func() bool {
			mu.Lock()
			defer mu.Unlock()
			for c, n := range sent {
				if c%10 != 1 && c%10 != 2 && int64(len(arrived[c])) < n {
					return false
				}
			}
			return true
		}
		for deadline := time.Now().Add(2 * patience); !isDone() && time.Now().Before(deadline); {
			time.Sleep(50 * time.Millisecond)
		}
		close(release)
		mu.Lock()
		defer mu.Unlock()
		for c, n := range sent {
			want := make([]int64, n)
			for i := range want {
				want[i] = int64(i) + 1
			}
			if c%10 != 1 && c%10 != 2 && !slices.Equal(arrived[c], want) {
				t.Errorf("endpoint %d got %v", c, arrived[c])
			}
		}
		slices.Sort(waits)
		t.Logf("%d events in %s; from the change to the healthy endpoints: median %s, 99%% %s, all %s; heap %d MiB",
			rate*seconds, took, waits[len(waits)/2], waits[len(waits)*99/100], waits[len(waits)-1], highest>>20)
		if os.Getenv("B2B_LOAD") != "" && waits[len(waits)-1] > 2*time.Second {
			t.Error("that is too long")
		}
		if highest > 200<<20 {
			t.Errorf("the heap had %d MiB", highest>>20)
		}
	})
}
