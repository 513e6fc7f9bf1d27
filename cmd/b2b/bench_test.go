//go:build unix

package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/go-sql-driver/mysql"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/config"
)

// BenchmarkOrders measures the cost of an order for 32 clients, with all services in one process: wall-clock
// time, processor time (cpu-µs/op) and memory. The clients call the handlers directly, without a connection,
// so the cost of the clients is small. The figures include the processor time of SQLite, but not of MySQL.
func BenchmarkOrders(b *testing.B) {
	b.Run("SQLite", func(b *testing.B) {
		orderBenchmarks(b, map[string]string{"DB_PATH": filepath.Join(b.TempDir(), "b2b.db")})
	})
	if dsn := os.Getenv("TEST_MYSQL_DSN"); dsn != "" {
		b.Run("MySQL", func(b *testing.B) { orderBenchmarks(b, emptyMySQL(b, dsn)) })
	}
}

// emptyMySQL creates an empty database, drops it at the end of the benchmark, and returns the environment
// variables with its address.
func emptyMySQL(b *testing.B, dsn string) map[string]string {
	m, err := mysql.ParseDSN(dsn)
	if err != nil {
		b.Fatal(err)
	}
	host, port, err := net.SplitHostPort(m.Addr)
	if err != nil {
		b.Fatal(err)
	}
	name := "bench_" + strings.ToLower(rand.Text())
	admin := db.Config{Driver: db.MySQL, Host: host, User: m.User, Password: m.Passwd, Name: "mysql", MaxConns: 1}
	if _, err := fmt.Sscan(port, &admin.Port); err != nil {
		b.Fatal(err)
	}
	g, err := db.Open(b.Context(), admin)
	if err == nil {
		err = g.Exec("CREATE DATABASE " + name).Error
	}
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { g.Exec("DROP DATABASE " + name); db.Close(g) })
	return map[string]string{
		"DB_HOST": host, "DB_PORT": port, "DB_USER": m.User, "DB_PASSWORD": m.Passwd, "DB_NAME": name,
	}
}

func orderBenchmarks(b *testing.B, env map[string]string) {
	for name, value := range env {
		b.Setenv(name, value)
	}
	for _, v := range config.Variables() {
		if v.Group == "Ports" {
			b.Setenv(v.Name, "0")
		}
	}
	b.Setenv("BIND_ADDRESS", "localhost")
	b.Setenv("APP_ENV", config.Development)
	// The log goes to /dev/null, because the cost of an order includes writing the log.
	null, err := os.OpenFile(os.DevNull, os.O_WRONLY, 0)
	if err != nil {
		b.Fatal(err)
	}
	stderr := os.Stderr
	os.Stderr = null
	b.Cleanup(func() { os.Stderr = stderr; null.Close() })

	var c config.Settings
	services := table(&c)
	ctx, stop := context.WithCancel(b.Context())
	output, w := io.Pipe()
	ended := make(chan error, 1)
	go func() {
		err := serve(ctx, &c, services, w)
		w.CloseWithError(err)
		ended <- err
	}()
	b.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			b.Error(err)
		}
	})
	line := make([]byte, 4096)
	for n, err := 0, error(nil); !bytes.Contains(line[:n], []byte("Try:")); {
		if n, err = output.Read(line); err != nil {
			b.Fatal("not started")
		}
	}
	customers, orders := services[0].server.Handler, services[1].server.Handler
	orchestrator := services[3].server.Handler
	const products = 200
	var last struct{ Data struct{ ID int64 } }
	for i := range products {
		product := fmt.Sprintf(`{"sku":"BENCH-%d","name":"Bench %[1]d","price_cents":%d,"stock":1000000000}`, i, 100+i)
		if err := json.Unmarshal(request(b, orders, "/products", product, ""), &last); err != nil {
			b.Fatal(err)
		}
	}
	request(b, customers, "/customers", `{"name":"Bench","email":"bench@example.com"}`, "")

	items := func(i int64) string {
		p := func(n int64) int64 { return last.Data.ID - (i*7+n*31)%products }
		const lines = `[{"product_id":%d,"qty":1},{"product_id":%d,"qty":2},{"product_id":%d,"qty":3}]`
		return fmt.Sprintf(lines, p(1), p(2), p(3))
	}
	var calls atomic.Int64
	parallel := func(b *testing.B, call func(i int64)) {
		b.SetParallelism(16) // 16 goroutines for each processor: 32 clients on two processors
		b.RunParallel(func(pb *testing.PB) {
			for pb.Next() {
				call(calls.Add(1))
			}
		})
	}
	// run measures the call that prepare returns.
	run := func(name string, prepare func(b *testing.B) (call func(i int64))) {
		b.Run(name, func(b *testing.B) {
			call := prepare(b)
			b.ReportAllocs()
			before := processorTime(b)
			b.ResetTimer()
			parallel(b, call)
			b.ReportMetric(float64((processorTime(b)-before).Microseconds())/float64(b.N), "cpu-µs/op")
		})
	}
	create := func(b *testing.B, i int64) (id int64) {
		var order struct{ Data struct{ ID int64 } }
		body := `{"customer_id":1,"items":` + items(i) + `}`
		answer := request(b, orders, "/orders", body, fmt.Sprintf("create-%d", i))
		if err := json.Unmarshal(answer, &order); err != nil {
			b.Error(err)
		}
		return order.Data.ID
	}
	run("create", func(b *testing.B) func(i int64) {
		return func(i int64) { create(b, i) }
	})
	for _, action := range []string{"confirm", "cancel"} {
		run(action, func(b *testing.B) func(i int64) {
			placed := make(chan int64, b.N)
			parallel(b, func(i int64) { placed <- create(b, i) })
			return func(i int64) {
				request(b, orders, fmt.Sprintf("/orders/%d/%s", <-placed, action), "", fmt.Sprintf("%s-%d", action, i))
			}
		})
	}
	run("orchestrate", func(b *testing.B) func(i int64) {
		return func(i int64) {
			body := fmt.Sprintf(`{"customer_id":1,"items":%s,"idempotency_key":"orchestrate-%d"}`, items(i), i)
			request(b, orchestrator, "/orchestrator/create-and-confirm-order", body, "")
		}
	})
}

// request makes a call that must succeed, and returns the answer.
func request(b *testing.B, h http.Handler, path, body, key string) []byte {
	r := httptest.NewRequest("POST", "http://localhost"+path, strings.NewReader(body))
	r.Header.Set("Content-Type", "application/json")
	if key != "" {
		r.Header.Set("X-Idempotency-Key", key)
	}
	w := httptest.NewRecorder()
	if h.ServeHTTP(w, r); w.Code >= http.StatusBadRequest {
		b.Fatalf("POST %s answered %d %s", path, w.Code, w.Body)
	}
	return w.Body.Bytes()
}

// processorTime returns the processor time that this process has used, in user and system mode.
func processorTime(b *testing.B) time.Duration {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return time.Duration(u.Utime.Nano() + u.Stime.Nano())
}
