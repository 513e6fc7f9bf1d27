package system_test

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"syscall"
	"testing"

	dto "github.com/prometheus/client_model/go"
	"github.com/prometheus/common/expfmt"
	"github.com/prometheus/common/model"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
)

var opsAddress = regexp.MustCompile(`(?m)^For operators +(http://127\.0\.0\.1:\d+)/metrics$`)

// TestMetrics places, confirms, repeats and refuses orders. The metrics on OPS_PORT must count each of these
// calls, and docs/operations.md must describe every metric.
func TestMetrics(t *testing.T) {
	described := describedMetrics(t)
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		p := start(t, slices.Concat(environment(c), anyPorts, []string{"OPS_PORT=0"}))
		ops := opsAddress.FindStringSubmatch(p.announced)
		if ops == nil {
			t.Fatalf("no address for operators: %s", p.announced)
		}
		flow := p.orchestrator + "/orchestrator/create-and-confirm-order"
		const order = `{"customer_id":1,"items":[{"product_id":2,"qty":%d}],"idempotency_key":"metrics-%d"}`
		for _, n := range []int{1, 2, 1} { // the third order repeats the first
			webtest.Do(t, "POST", flow, fmt.Sprintf(order, n, n), "Content-Type", "application/json")
		}
		webtest.Do(t, "POST", flow, fmt.Sprintf(order, 1_000_000, 3), "Content-Type", "application/json")
		webtest.Do(t, "POST", p.orders+"/orders/1/cancel", `{"note":"`+strings.Repeat("n", 300)+`"}`,
			"Content-Type", "application/json")
		all := metrics(t, ops[1])
		until(t, "the jobs have set their metrics", func() bool {
			all = metrics(t, ops[1])
			return all["b2b_webhook_endpoints_disabled"] != nil
		})
		for _, want := range []struct {
			name, labels string
			value        float64
		}{
			{"b2b_orders_total", "reason=none status=CREATED", 2},
			{"b2b_orders_total", "reason=none status=CONFIRMED", 2},
			{"b2b_orders_refused_total", "code=insufficient_stock", 1},
			{"b2b_http_replays_total", "operation=createAndConfirmOrder service=orchestrator", 1},
			{"b2b_http_errors_total", "code=validation_failed operation=cancelOrder service=orders", 1},
			{"b2b_http_request_duration_seconds",
				"operation=createAndConfirmOrder service=orchestrator status=201", 3},
			{"b2b_http_requests_in_flight", "service=orders", 0},
			{"b2b_compensations_total", "", 0},
			{"b2b_peer_breaker_open", "peer=Orders API", 0},
		} {
			if got, ok := value(all[want.name], want.labels); !ok || got != want.value {
				t.Errorf("%s{%s} is %v, %v, want %v", want.name, want.labels, got, ok, want.value)
			}
		}
		short, _ := value(all["b2b_units_short_total"], "")
		if short < 999_000 {
			t.Errorf("%v units are short", short)
		}
		if n, _ := value(all["b2b_db_statement_duration_seconds"], "statement=COMMIT"); n < 4 {
			t.Errorf("%v commits", n)
		}
		for name := range all {
			if strings.HasPrefix(name, "b2b_") && !described[name] {
				t.Errorf("docs/operations.md lacks %s", name)
			}
		}
		if engine := g.Name(); engine == db.MySQL {
			if n, ok := value(all["go_sql_max_open_connections"], "db_name=b2b"); !ok || n == 0 {
				t.Errorf("the pool has %v connections, %v", n, ok)
			}
		}
		for name := range described {
			if all[name] == nil {
				t.Errorf("docs/operations.md describes %s, which there is not", name)
			}
		}
		res, err := http.Get(ops[1] + "/debug/pprof/goroutine?debug=1")
		if err != nil {
			t.Fatal(err)
		}
		defer res.Body.Close()
		if body, _ := io.ReadAll(res.Body); !strings.Contains(string(body), "goroutine profile") {
			t.Errorf("pprof: %d %.200s", res.StatusCode, body)
		}
	})
}

// describedMetrics returns the names of the metrics that docs/operations.md describes.
func describedMetrics(t *testing.T) map[string]bool {
	t.Helper()
	name, described := regexp.MustCompile("`(b2b_[a-z0-9_]+)`"), map[string]bool{}
	for _, m := range name.FindAllStringSubmatch(page(t, "docs/operations.md"), -1) {
		described[m[1]] = true
	}
	return described
}

// TestNoOperatorsPort starts b2b without OPS_PORT. The output must name no port for operators, and each
// service must answer 404 for /metrics.
func TestNoOperatorsPort(t *testing.T) {
	c := db.Config{Driver: db.SQLite, Path: t.TempDir() + "/b2b.db"}
	p := start(t, append(environment(c), anyPorts...))
	if strings.Contains(p.announced, "For operators") {
		t.Error(p.announced)
	}
	for _, base := range p.all {
		if status, _, _ := webtest.Do(t, "GET", base+"/metrics", ""); status != http.StatusNotFound {
			t.Errorf("%s/metrics: %d", base, status)
		}
	}
}

// TestLogFormat runs b2b with each LOG_FORMAT. Every line of the log must be in the format.
func TestLogFormat(t *testing.T) {
	for format, isLine := range map[string]func(line []byte) bool{
		"text": func(line []byte) bool { return strings.HasPrefix(string(line), "time=") },
		"json": json.Valid,
		"":     json.Valid, // JSON, because stderr is no terminal
	} {
		c := db.Config{Driver: db.SQLite, Path: t.TempDir() + "/b2b.db"}
		p := start(t, slices.Concat(environment(c), anyPorts, []string{"LOG_FORMAT=" + format}))
		if code := p.stop(); code != 0 {
			t.Errorf("LOG_FORMAT=%s: exit code %d", format, code)
		}
		for line := range strings.Lines(p.log.String()) {
			if !isLine([]byte(strings.TrimSpace(line))) {
				t.Errorf("LOG_FORMAT=%s: %s", format, line)
			}
		}
	}
}

// metrics returns the metrics of the page /metrics, by name.
func metrics(t *testing.T, base string) map[string]*dto.MetricFamily {
	t.Helper()
	res, err := http.Get(base + "/metrics")
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	parser := expfmt.NewTextParser(model.UTF8Validation)
	all, err := parser.TextToMetricFamilies(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// value returns the value of the metric with the labels, and whether there is a metric with these labels. The
// labels are sorted by name. For a histogram, the value is the number of observations.
func value(family *dto.MetricFamily, labels string) (float64, bool) {
	for _, m := range family.GetMetric() {
		var own []string
		for _, l := range m.GetLabel() {
			own = append(own, l.GetName()+"="+l.GetValue())
		}
		if strings.Join(own, " ") != labels {
			continue
		}
		if h := m.GetHistogram(); h != nil {
			return float64(h.GetSampleCount()), true
		}
		return m.GetCounter().GetValue() + m.GetGauge().GetValue(), true
	}
	return 0, false
}

// TestReadyEndsFirst sends SIGTERM to b2b with DRAIN_DELAY_SECONDS=3. During the delay, /ready must answer
// 503, and b2b must still place an order and close the connection of the order. Then b2b must end, and its
// log must have the steps in order.
func TestReadyEndsFirst(t *testing.T) {
	c := db.Config{Driver: db.SQLite, Path: t.TempDir() + "/b2b.db"}
	p := start(t, slices.Concat(environment(c), anyPorts, []string{"DRAIN_DELAY_SECONDS=3"}))
	bases := p.all
	ready := func(base string) int {
		status, _, _ := webtest.Do(t, "GET", base+"/ready", "")
		return status
	}
	for _, base := range bases {
		if status := ready(base); status != http.StatusOK {
			t.Errorf("%s before SIGTERM: %d", base, status)
		}
	}
	p.cmd.Process.Signal(syscall.SIGTERM)
	for _, base := range bases {
		until(t, "/ready is 503", func() bool { return ready(base) == http.StatusServiceUnavailable })
	}
	const order = `{"customer_id":1,"items":[{"product_id":2,"qty":1}],"idempotency_key":"draining"}`
	res, err := http.Post(p.orchestrator+"/orchestrator/create-and-confirm-order", "application/json",
		strings.NewReader(order))
	if err != nil {
		t.Fatal(err)
	}
	res.Body.Close()
	if res.StatusCode != http.StatusCreated || !res.Close {
		t.Errorf("an order meanwhile: %d, closes its connection: %v", res.StatusCode, res.Close)
	}
	if p.cmd.Wait(); p.cmd.ProcessState.ExitCode() != 0 {
		t.Errorf("exit code %d: %s", p.cmd.ProcessState.ExitCode(), p.log)
	}
	log := p.log.String()
	stopping, stopped := strings.Index(log, `"stopping`), strings.Index(log, `"stopped"`)
	if stopping < 0 || stopped < stopping {
		t.Errorf("the log has stopping at %d, stopped at %d", stopping, stopped)
	}
	if strings.Contains(log, `"level":"ERROR"`) {
		t.Errorf("a planned stop is logged as an error: %s", log)
	}
}

// TestReadyWithoutMigrations starts b2b on an empty database, without migrations. /ready must answer 503, and
// the log must name the command b2b migrate. After a migration, /ready must answer 200.
func TestReadyWithoutMigrations(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		p := start(t, slices.Concat(environment(c), []string{"MIGRATE_ON_START=false", "PORT=0"}), "orders")
		for range 3 {
			if status, _, _ := webtest.Do(t, "GET", p.orders+"/ready", ""); status != http.StatusServiceUnavailable {
				t.Errorf("without a schema: %d", status)
			}
		}
		if _, err := execute(t, databaseOnly(c), "migrate"); err != nil {
			t.Fatal(err)
		}
		if status, _, _ := webtest.Do(t, "GET", p.orders+"/ready", ""); status != http.StatusOK {
			t.Errorf("after b2b migrate: %d", status)
		}
		p.stop()
		if !strings.Contains(p.log.String(), "b2b migrate") {
			t.Errorf("the log does not name b2b migrate: %s", p.log)
		}
		if n := strings.Count(p.log.String(), `"path":"/ready"`); n != 2 {
			t.Errorf("%d lines for 4 probes, want one for each change: %s", n, p.log)
		}
	})
}

// TestHealth runs b2b health: for all services, for a single service, for a service that is not ready, and
// where no service listens.
func TestHealth(t *testing.T) {
	p := start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")))
	portOf := func(base string) string { return base[strings.LastIndex(base, ":")+1:] }
	free := freePort(t)
	nobody := portsAt(free)
	here := slices.Clip(append(portsAt(portOf(p.events)), "CUSTOMERS_PORT="+portOf(p.customers),
		"ORDERS_PORT="+portOf(p.orders), "ORCHESTRATOR_PORT="+portOf(p.orchestrator)))
	unready := start(t, []string{"MIGRATE_ON_START=false", "PORT=0", "DB_PATH=" + t.TempDir() + "/b2b.db"}, "orders")
	moved := httptest.NewServer(http.RedirectHandler(p.orders+"/ready", http.StatusFound))
	defer moved.Close()
	for _, c := range []struct {
		env  []string
		args string
		want string // on stdout, or on stderr when b2b ends with 1
		code int
	}{
		{here, "", "ready", 0},
		// Only the Orders API listens at a port of the configuration, as when the other services run
		// elsewhere.
		{append(nobody, "ORDERS_PORT="+portOf(p.orders)), "", p.orders + " is ready\n", 0},
		{append(nobody, "PORT="+portOf(p.customers)), "", p.customers + " is ready\n", 0},
		{nobody, p.customers + " " + p.orders + "/ " + p.orchestrator, "ready", 0},
		{append(here, "PORT="+free), "", "ready", 0}, // the process runs all services, which do not use PORT
		{append(here, "PORT="+portOf(unready.orders)), "", unready.orders + "/ready answers 503", 1},
		{append(nobody, "PORT="+free), "", "no service listens at http://localhost:" + free +
			": is BIND_ADDRESS, CUSTOMERS_PORT, ORDERS_PORT, EVENTS_PORT, ORCHESTRATOR_PORT or PORT right?", 1},
		{nobody, "", "no service listens at http://localhost:" + free, 1},
		{append(nobody, "ORDERS_PORT="+portOf(unready.orders)), "", unready.orders + "/ready answers 503", 1},
		{append(here, "ORDERS_PORT="+portOf(unready.orders)), "", "/ready answers 503", 1},
		{here, "http://localhost:" + free, "connection refused", 1},
		{here, p.orders + " http://localhost:" + free, "connection refused", 1},
		{here, moved.URL, "/ready answers 302", 1},
		{here, "localhost:3002", "localhost", 1},
		{[]string{"ORDERS_PORT=no port"}, "", `ORDERS_PORT is "no port"`, 1},
	} {
		out, err := execute(t, c.env, append([]string{"health"}, strings.Fields(c.args)...)...)
		if (err != nil) != (c.code == 1) {
			t.Errorf("%v %s: %v", c.env, c.args, err)
		}
		if err != nil {
			out = strings.TrimPrefix(err.Error(), "exit status 1: ")
		}
		if !strings.Contains(out, c.want) || err != nil && strings.Count(out, "\n") != 1 {
			t.Errorf("%v %s: want %q, got %q", c.env, c.args, c.want, out)
		}
	}
}
