package system_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"math"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/web/webtest"
)

const prometheusFiles, dashboardFile = "../../deploy/prometheus", "../../deploy/grafana/b2b.json"

// TestAlertRules lets promtool check the rules and their tests. Each alert must have a test in which the
// alert fires, a test in which the alert does not fire, and a row in docs/operations.md.
func TestAlertRules(t *testing.T) {
	var tests struct {
		Tests []struct {
			AlertRuleTest []struct {
				Alertname string
				ExpAlerts []any `yaml:"exp_alerts"`
			} `yaml:"alert_rule_test"`
		}
	}
	readYAML(t, "rules_test.yml", &tests)
	fires, quiet := map[string]bool{}, map[string]bool{}
	for _, test := range tests.Tests {
		for _, a := range test.AlertRuleTest {
			if len(a.ExpAlerts) > 0 {
				fires[a.Alertname] = true
			} else {
				quiet[a.Alertname] = true
			}
		}
	}
	var names []string
	for _, r := range alertRules(t) {
		names = append(names, "`"+r.Alert+"`")
		if !fires[r.Alert] || !quiet[r.Alert] {
			t.Errorf("rules_test.yml has a test in which %s fires: %v, and one in which it does not: %v",
				r.Alert, fires[r.Alert], quiet[r.Alert])
		}
		if severity := r.Labels["severity"]; severity != "page" && severity != "ticket" {
			t.Errorf("%s has the severity %q", r.Alert, severity)
		}
		if r.Annotations["summary"] == "" {
			t.Errorf("%s has no summary", r.Alert)
		}
	}
	var described []string
	for _, row := range rowsOf(sectionOf(t, page(t, "docs/operations.md"), "## Alerts")) {
		cells := strings.Split(row, " | ")
		described = append(described, strings.TrimPrefix(cells[0], "| "))
		if len(cells) != 3 {
			t.Errorf("docs/operations.md: a row needs the alert, its meaning and what to do: %s", row)
		}
	}
	wantRows(t, "docs/operations.md, Alerts,", described, names)

	promtool := prometheusTool(t, "promtool")
	for _, args := range [][]string{
		{"check", "config", "prometheus.yml"}, {"check", "rules", "rules.yml"}, {"test", "rules", "rules_test.yml"},
	} {
		cmd := exec.Command(promtool, args...)
		cmd.Dir = prometheusFiles
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Errorf("promtool %v: %v\n%s", args, err, out)
		}
	}
}

// TestDashboard checks the parts of the dashboard that Grafana needs, and that the dashboard shows each
// metric of docs/operations.md.
func TestDashboard(t *testing.T) {
	d := readDashboard(t)
	if d.UID == "" || d.Title == "" || d.SchemaVersion < 30 {
		t.Errorf("uid %q, title %q, schemaVersion %d", d.UID, d.Title, d.SchemaVersion)
	}
	var ids []int
	var taken [][]bool // the occupied cells of the grid, by line
	for _, p := range d.Panels {
		if slices.Contains(ids, p.ID) || p.ID == 0 || p.Title == "" {
			t.Errorf("panel %q has the id %d", p.Title, p.ID)
		}
		ids = append(ids, p.ID)
		if p.Type == "row" {
			continue
		}
		if !slices.Contains([]string{"timeseries", "stat"}, p.Type) || p.FieldConfig.Defaults.Unit == "" {
			t.Errorf("panel %q: type %q, unit %q", p.Title, p.Type, p.FieldConfig.Defaults.Unit)
		}
		if p.Datasource.Type != "prometheus" || p.Datasource.UID != "${datasource}" || len(p.Targets) == 0 {
			t.Errorf("panel %q: %d targets of %+v", p.Title, len(p.Targets), p.Datasource)
		}
		g := p.GridPos
		if g.X < 0 || g.W < 1 || g.X+g.W > 24 || g.H < 1 {
			t.Errorf("panel %q: %+v", p.Title, g)
			continue
		}
		for y := g.Y; y < g.Y+g.H; y++ {
			for len(taken) <= y {
				taken = append(taken, make([]bool, 24))
			}
			for x := g.X; x < g.X+g.W; x++ {
				if taken[y][x] {
					t.Fatalf("panel %q overlaps another at %d, %d", p.Title, x, y)
				}
				taken[y][x] = true
			}
		}
	}
	var shown strings.Builder
	for _, query := range d.queries() {
		shown.WriteString(query + "\n")
	}
	for name := range describedMetrics(t) {
		if !regexp.MustCompile(name + `(_(bucket|sum|count))?[{\[]`).MatchString(shown.String()) {
			t.Errorf("no panel shows %s", name)
		}
	}
}

// TestPrometheus starts Prometheus with the configuration and the rules of deploy/. Prometheus watches b2b
// under a load of orders, and an orchestrator whose peers are down. Each query of the dashboard and of the
// rules must have a result.
func TestPrometheus(t *testing.T) {
	prometheusTool(t, "prometheus")
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g := dbtest.Open(t, c)
		if _, err := db.Seed(t.Context(), g); err != nil {
			t.Fatal(err)
		}
		p := start(t, slices.Concat(environment(c), anyPorts, []string{"OPS_PORT=0"}))
		lone := start(t, []string{"APP_ENV=development", "PORT=0", "OPS_PORT=0",
			"CUSTOMERS_API_BASE=http://127.0.0.1:1", "ORDERS_API_BASE=http://127.0.0.1:1"}, "orchestrator")
		prometheus := watch(t, p, lone)
		for round := range 2 { // two rounds, because a rate needs two values of each counter
			load(t, p, round)
			refuse(t, lone, round)
			prometheus.waitFor(t, time.Now(), 2)
		}
		queries := readDashboard(t).queries()
		for _, r := range alertRules(t) {
			m := limited.FindStringSubmatch(r.Expr)
			if m == nil {
				t.Fatalf("%s does not end with a comparison: %s", r.Alert, r.Expr)
			}
			queries = append(queries, m[1])
		}
		for _, query := range queries {
			if values := prometheus.query(t, query); !slices.ContainsFunc(values, isNumber) {
				t.Errorf("%s has the values %v", query, values)
			}
		}
		if values := prometheus.query(t, `ALERTS{alertname="B2BStockImbalance"}`); len(values) > 0 {
			t.Error("the stock is wrong")
		}
		if n := prometheus.query(t, `max(b2b_peer_breaker_open)`); !slices.Equal(n, []float64{1}) {
			t.Errorf("open breakers: %v", n)
		}
	})
}

// limited matches the expression of a rule: a value, a comparison, and the limit.
var limited = regexp.MustCompile(`(?s)^(.*)\s(?:>|==)\s*[0-9.e]+\s*$`)

func isNumber(value float64) bool { return !math.IsNaN(value) && !math.IsInf(value, 0) }

// load places, confirms, repeats, cancels and refuses orders, and searches. The keys differ by round.
func load(t *testing.T, p *process, round int) {
	t.Helper()
	for i := range 20 {
		key := fmt.Sprintf("monitoring-%d-%d", round, i)
		const items = `"items":[{"product_id":2,"qty":%d}]`
		whole := fmt.Sprintf(`{"customer_id":1,`+items+`,"idempotency_key":%q}`, 1, key)
		placed := fmt.Sprintf(`{"customer_id":1,`+items+`}`, 1)
		short := fmt.Sprintf(`{"customer_id":1,`+items+`}`, 1_000_000)
		const flow = "/orchestrator/create-and-confirm-order"
		wanted(t, http.StatusCreated, "POST", p.orchestrator+flow, whole)
		wanted(t, http.StatusCreated, "POST", p.orchestrator+flow, whole) // repeats the call
		var order struct{ Data struct{ ID int64 } }
		answer := wanted(t, http.StatusCreated, "POST", p.orders+"/orders", placed)
		if err := json.Unmarshal(answer, &order); err != nil {
			t.Fatal(err)
		}
		url := fmt.Sprintf("%s/orders/%d", p.orders, order.Data.ID)
		wanted(t, http.StatusOK, "POST", url+"/confirm", "", "X-Idempotency-Key", "confirm-"+key)
		wanted(t, http.StatusOK, "POST", url+"/cancel", "")
		wanted(t, http.StatusBadRequest, "POST", p.orders+"/orders", short)
		wanted(t, http.StatusOK, "GET", p.orders+"/products?search=lap", "")
		wanted(t, http.StatusOK, "GET", p.customers+"/customers?search=acme", "")
	}
}

// refuse sends six orders at once to an orchestrator whose peers are down, which opens the breakers of the
// orchestrator.
func refuse(t *testing.T, p *process, round int) {
	t.Helper()
	var callers sync.WaitGroup
	for i := range 6 {
		callers.Go(func() {
			const order = `{"customer_id":1,"items":[{"product_id":2,"qty":1}],"idempotency_key":"%d-%d"}`
			url := p.orchestrator + "/orchestrator/create-and-confirm-order"
			status, answer, _ := webtest.Do(t, "POST", url, fmt.Sprintf(order, round, i),
				"Content-Type", "application/json")
			if status != http.StatusServiceUnavailable {
				t.Errorf("without peers: %d %s", status, answer)
			}
		})
	}
	callers.Wait()
}

func wanted(t *testing.T, status int, method, url, body string, headers ...string) []byte {
	t.Helper()
	got, answer, _ := webtest.Do(t, method, url, body, append(headers, "Content-Type", "application/json")...)
	if got != status {
		t.Fatalf("%s %s %s: %d %s, want %d", method, url, body, got, answer, status)
	}
	return answer
}

type prometheusServer struct{ base string }

// watch starts a Prometheus that scrapes the processes four times a second.
func watch(t *testing.T, processes ...*process) prometheusServer {
	t.Helper()
	var config map[string]any
	readYAML(t, "prometheus.yml", &config)
	var targets []string
	for _, p := range processes {
		ops := opsAddress.FindStringSubmatch(p.announced)
		if ops == nil {
			t.Fatalf("no address for operators: %s", p.announced)
		}
		targets = append(targets, strings.TrimPrefix(ops[1], "http://"))
	}
	const often = "250ms"
	config["global"] = map[string]any{"scrape_interval": often, "scrape_timeout": often, "evaluation_interval": often}
	scrape := config["scrape_configs"].([]any)[0].(map[string]any)
	scrape["static_configs"] = []any{map[string]any{"targets": targets}}
	content, err := yaml.Marshal(config)
	if err != nil {
		t.Fatal(err)
	}
	folder := t.TempDir()
	rules, err := os.ReadFile(filepath.Join(prometheusFiles, "rules.yml"))
	if err != nil {
		t.Fatal(err)
	}
	for name, content := range map[string][]byte{"prometheus.yml": content, "rules.yml": rules} {
		if err := os.WriteFile(filepath.Join(folder, name), content, 0o600); err != nil {
			t.Fatal(err)
		}
	}
	address := "127.0.0.1:" + freePort(t)
	cmd := exec.Command(prometheusTool(t, "prometheus"), "--config.file=prometheus.yml",
		"--storage.tsdb.path=data", "--web.listen-address="+address)
	var log bytes.Buffer
	cmd.Dir, cmd.Stderr, cmd.Stdout = folder, &log, &log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		cmd.Process.Kill()
		cmd.Wait()
		if t.Failed() {
			t.Logf("Prometheus: %s", &log)
		}
	})
	return prometheusServer{"http://" + address}
}

// waitFor waits until Prometheus has scraped the given number of targets later than the given moment.
func (s prometheusServer) waitFor(t *testing.T, moment time.Time, targets float64) {
	t.Helper()
	query := fmt.Sprintf(`count(timestamp(up{job="b2b"} == 1) > %f)`, float64(moment.UnixMilli())/1000)
	again := time.NewTicker(100 * time.Millisecond)
	defer again.Stop()
	until(t, "Prometheus has scraped the processes", func() bool {
		<-again.C
		res, err := http.Get(s.base + "/-/ready")
		if err != nil {
			return false
		}
		res.Body.Close()
		values := []float64{}
		if res.StatusCode == http.StatusOK {
			values = s.query(t, query)
		}
		return slices.Equal(values, []float64{targets})
	})
}

// query evaluates an expression now, and returns the values of the result.
func (s prometheusServer) query(t *testing.T, expression string) (values []float64) {
	t.Helper()
	res, err := http.PostForm(s.base+"/api/v1/query", url.Values{"query": {expression}})
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	var answer struct {
		Error string
		Data  struct{ Result []struct{ Value []any } }
	}
	if err := json.NewDecoder(res.Body).Decode(&answer); err != nil || answer.Error != "" {
		t.Fatalf("%s: %v %s", expression, err, answer.Error)
	}
	for _, r := range answer.Data.Result {
		value, err := strconv.ParseFloat(r.Value[1].(string), 64)
		if err != nil {
			t.Fatal(err)
		}
		values = append(values, value)
	}
	return values
}

// prometheusTool returns the path of a program of the package prometheus. When the program is not installed,
// the test is skipped; in CI it fails.
func prometheusTool(t *testing.T, name string) string {
	t.Helper()
	path, err := exec.LookPath(name)
	if err != nil && os.Getenv("CI") != "" {
		t.Fatalf("%v: install the package prometheus", err)
	} else if err != nil {
		t.Skipf("%v: the package prometheus is not installed", err)
	}
	return path
}

type alertRule struct {
	Alert, Expr         string
	Labels, Annotations map[string]string
}

func alertRules(t *testing.T) (all []alertRule) {
	t.Helper()
	var file struct{ Groups []struct{ Rules []alertRule } }
	readYAML(t, "rules.yml", &file)
	for _, g := range file.Groups {
		all = append(all, g.Rules...)
	}
	if len(all) == 0 {
		t.Fatal("rules.yml has no rules")
	}
	return all
}

// readYAML reads a file of deploy/prometheus.
func readYAML(t *testing.T, name string, into any) {
	t.Helper()
	content, err := os.ReadFile(filepath.Join(prometheusFiles, name))
	if err == nil {
		err = yaml.Unmarshal(content, into)
	}
	if err != nil {
		t.Fatal(err)
	}
}

type dashboard struct {
	UID, Title    string
	SchemaVersion int
	Panels        []struct {
		ID          int
		Type, Title string
		GridPos     struct{ H, W, X, Y int }
		Datasource  struct{ Type, UID string }
		FieldConfig struct{ Defaults struct{ Unit string } }
		Targets     []struct{ Expr string }
	}
}

func readDashboard(t *testing.T) (d dashboard) {
	t.Helper()
	content, err := os.ReadFile(dashboardFile)
	if err == nil {
		err = json.Unmarshal(content, &d)
	}
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// queries returns the queries of all panels, with values for Grafana's variables.
func (d dashboard) queries() (all []string) {
	variables := strings.NewReplacer("$__rate_interval", "5m", "$instance", ".*", "$service", ".*")
	for _, p := range d.Panels {
		for _, target := range p.Targets {
			all = append(all, variables.Replace(target.Expr))
		}
	}
	return all
}
