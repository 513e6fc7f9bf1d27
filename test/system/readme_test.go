package system_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"reflect"
	"regexp"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi"
	"example.com/b2b/v2/openapi/documents"
)

// elsewhere lists the commands of pages that TestPages does not run.
var elsewhere = []string{
	"make run", "make test", "make generate", "make lint", "make build", "make lambda", // .ci/run runs these
	"make deploy", "make deploy PART=services", // TestMakeTargets runs these
	"make chaos",     // TestChaos is a short form of this
	"make test-tidb", // the same tests as make test
	`make bench ARGS="-on instances,far -clients 32,128"`,                 // .ci/run runs all stages, small
	"npx newman run postman/B2B-Order-Management.postman_collection.json", // .ci/run runs this
}

// absent lists the beginnings of commands that no test runs. For most of them, CI lacks an AWS account, a
// cluster or a registry of images: see docs/operations.md.
var absent = []string{"kubectl ", "sam ", "aws ", "lsof ", "docker logs -f orders-api"}

// inContainers reports whether test/containers/run runs the command of a page. It also reports true for a
// command with REGISTRY, although CI has no registry to push to.
func inContainers(t *testing.T, command string) bool {
	t.Helper()
	run := strings.ReplaceAll(page(t, "test/containers/run"), "$version", nextVersion(t))
	return strings.HasPrefix(command, "docker ") && (strings.Contains(command, "REGISTRY") ||
		strings.Contains(run, "'"+command+"'") || strings.Contains(run, `"`+command+`"`))
}

// programs maps a page to the test or the program that runs the commands of the page instead of TestPages.
var programs = map[string]string{
	"docs/import-export.md":         "TestImportExportPage",
	"docs/performance.md":           ".ci/run",
	"docs/quickstart-typescript.md": "test/quickstarts/run",
	"docs/quickstart-python.md":     "test/quickstarts/run",
	"docs/quickstart-go.md":         "test/quickstarts/run",
	"docs/quickstart-java.md":       "test/quickstarts/run",
	"docs/office.md":                "test/office/run",
	"README.es.md":                  "TestSpanishPages",
}

// TestPages runs the curl commands of README.md, then of docs/quickstart-curl.md, then of all other pages
// that are not in programs, each from top to bottom, on a fresh database. Each command must succeed.
func TestPages(t *testing.T) {
	p := start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db")))
	runPages(t, p)
}

func runPages(t *testing.T, p *process) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
		t.Skip("this machine has no curl")
	}
	names := []string{"README.md", "docs/quickstart-curl.md"}
	for _, pattern := range []string{"*.md", "docs/*.md"} {
		paths, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range paths {
			name := filepath.ToSlash(strings.TrimPrefix(path, filepath.Join("..", "..")+string(filepath.Separator)))
			if !slices.Contains(names, name) && programs[name] == "" {
				names = append(names, name)
			}
		}
	}
	addresses := strings.NewReplacer(
		openapi.OrchestratorAddress, p.orchestrator, openapi.CustomersAddress, p.customers,
		openapi.OrdersAddress, p.orders, openapi.EventsAddress, p.events,
	)
	ran := map[string]int{}
	for _, name := range names {
		for _, block := range blocks(page(t, name), "sh") {
			for _, command := range commands(block) {
				isAbsent := func(program string) bool { return strings.HasPrefix(command, program) }
				if slices.Contains(elsewhere, command) || slices.ContainsFunc(absent, isAbsent) ||
					inContainers(t, command) {
					continue
				}
				arguments, isCurl := strings.CutPrefix(command, "curl ")
				if !isCurl {
					t.Errorf("%s: no test runs %q", name, command)
					continue
				}
				ran[name]++
				curl := addresses.Replace("curl --fail-with-body -sS " + arguments)
				out, err := exec.Command("bash", "-c", curl).CombinedOutput()
				if err != nil || !strings.Contains(string(out), `"success":true`) {
					t.Errorf("%s: %s\n%v %s", name, command, err, out)
				}
				if name == "README.md" && ran[name] == 1 {
					var got, want any
					shown := blocks(page(t, name), "json")[0]
					err := errors.Join(json.Unmarshal(out, &got), json.Unmarshal([]byte(shown), &want))
					if err != nil || !reflect.DeepEqual(got, want) {
						t.Errorf("%s shows the answer %s\n%v %s", name, shown, err, out)
					}
				}
			}
		}
	}
	if ran["README.md"] == 0 || ran["docs/quickstart-curl.md"] < 10 || ran["docs/timeouts.md"] < 4 {
		t.Errorf("ran %v", ran)
	}
}

// TestStreamCutWithinEvent runs the shell program of docs/events.md that reads a stream, with a server that
// cuts the first stream between the id and the data of event 7. The next stream must begin with this event.
func TestStreamCutWithinEvent(t *testing.T) {
	for _, program := range []string{"bash", "curl", "jq"} {
		if _, err := exec.LookPath(program); err != nil && os.Getenv("CI") == "" {
			t.Skip("this machine has no " + program)
		}
	}
	asked := make(chan string, 10)
	var streams atomic.Int32
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		asked <- r.Header.Get("Last-Event-ID")
		if streams.Add(1) == 1 {
			io.WriteString(w, "retry: 1000\n\nid: 6\n\nid: 7\n")
			return
		}
		io.WriteString(w, "retry: 1000\n\nid: 7\ndata: {}\n\nid: 8\n\n")
	}))
	defer server.Close()
	_, section, _ := strings.Cut(page(t, "docs/events.md"), "\n## As a stream\n")
	program := strings.ReplaceAll(blocks(section, "bash")[0], openapi.EventsAddress, server.URL)
	ctx, stop := context.WithTimeout(t.Context(), time.Minute)
	defer stop()
	run := exec.CommandContext(ctx, "bash", "-euc", program)
	run.Dir = t.TempDir()
	if err := run.Start(); err != nil {
		t.Fatal(err)
	}
	for i, want := range []string{"0", "6", "8"} {
		select {
		case got := <-asked:
			if got != want {
				t.Errorf("stream %d begins after %s, want %s", i+1, got, want)
			}
		case <-ctx.Done():
			t.Fatal("the program does not connect again")
		}
	}
	stop()
	_ = run.Wait()
}

// TestReadmeInSpanish checks that README.md links to every page, and that README.es.md is its twin.
func TestReadmeInSpanish(t *testing.T) {
	english := page(t, "README.md")
	if all := blocks(english, "sh"); len(all) < 3 {
		t.Errorf("commands %q", all)
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatal(err, pages)
	}
	links := linksOf("README.md", english)
	for _, path := range pages {
		name := "docs/" + filepath.Base(path)
		isName := func(target string) bool { return target == name || strings.HasPrefix(target, name+"#") }
		if !slices.ContainsFunc(links, isName) {
			t.Errorf("README.md does not link to %s", name)
		}
	}
	areTwins(t, "README.md", "README.es.md")
}

// TestSpanishPages compares the pages of docs/es with their English twins.
func TestSpanishPages(t *testing.T) {
	pages, err := filepath.Glob("../../docs/es/*.md")
	if err != nil || len(pages) < 3 {
		t.Fatal(err, pages)
	}
	for _, path := range pages {
		name := filepath.Base(path)
		areTwins(t, "docs/"+name, "docs/es/"+name)
	}
}

var fence = regexp.MustCompile("(?ms)^```(\\w*)\n(.*?)^```")

// areTwins compares a page with its translation. Both must have the same levels of headings, the same
// commands and other blocks, the same code spans in any order, and the same links. A diagram must only have
// the same number of lines.
func areTwins(t *testing.T, english, spanish string) {
	t.Helper()
	outline := func(name string) (levels, code, spans []string) {
		text := page(t, name)
		for _, m := range fence.FindAllStringSubmatch(text, -1) {
			switch m[1] {
			case "sh":
				code = append(code, commands(m[2])...)
			case "mermaid":
				code = append(code, fmt.Sprintf("a diagram of %d lines", strings.Count(m[2], "\n")))
			default:
				code = append(code, m[2])
			}
		}
		prose := fence.ReplaceAllString(text, "")
		for _, m := range regexp.MustCompile(`(?m)^(#+) `).FindAllStringSubmatch(prose, -1) {
			levels = append(levels, m[1])
		}
		for _, m := range codeSpan.FindAllStringSubmatch(prose, -1) {
			spans = append(spans, m[1])
		}
		slices.Sort(spans)
		return levels, code, spans
	}
	levels, code, spans := outline(english)
	levelsThere, codeThere, spansThere := outline(spanish)
	for what, pair := range map[string][2][]string{
		"headings":   {levels, levelsThere},
		"code":       {code, codeThere},
		"code spans": {spans, spansThere},
		"links":      {linksOf(english, page(t, english)), linksOf(spanish, page(t, spanish))},
	} {
		if len(pair[0]) == 0 && what != "code" || !slices.Equal(pair[0], pair[1]) {
			t.Errorf("%s of %s and %s differ:\n%s", what, english, spanish, firstDifference(pair[0], pair[1]))
		}
	}
}

// firstDifference returns the rest of each list, from the first element that differs.
func firstDifference(a, b []string) string {
	for i := 0; i < len(a) || i < len(b); i++ {
		if i >= len(a) || i >= len(b) || a[i] != b[i] {
			return fmt.Sprintf("%q\n%q", a[min(i, len(a)):], b[min(i, len(b)):])
		}
	}
	return ""
}

// linksOf returns the targets of a page's links, relative to the root. A link to a Spanish page counts as a
// link to its English twin. The result has no heading for a link within the page, or to a page that has a
// twin in docs/es, because headings are translated.
func linksOf(name, text string) (all []string) {
	for _, m := range markdownLink.FindAllStringSubmatch(text, -1) {
		target, heading, _ := strings.Cut(m[1], "#")
		if strings.Contains(target, "://") {
			all = append(all, m[1])
			continue
		}
		if target = path.Join(path.Dir(name), target); strings.HasPrefix(m[1], "#") {
			target = name
		}
		twin := strings.Replace(strings.Replace(target, "docs/es/", "docs/", 1), "README.es.md", "README.md", 1)
		isTranslated := strings.HasPrefix(m[1], "#")
		if _, err := os.Stat("../../docs/es/" + strings.TrimPrefix(twin, "docs/")); err == nil {
			isTranslated = true
		}
		if heading != "" && !isTranslated {
			twin += "#" + heading
		}
		all = append(all, twin)
	}
	return all
}

// TestQuickstarts compares the programs of the quick starts with the programs of the start page, and the
// first curl command of the quick start with the curl command of README.md. All of them must place the same
// order.
func TestQuickstarts(t *testing.T) {
	snippets, err := os.ReadDir("../../orchestrator/start/snippets")
	if err != nil || len(snippets) < 5 {
		t.Fatal(err, snippets)
	}
	for _, file := range snippets {
		language := strings.TrimSuffix(file.Name(), ".txt")
		text := page(t, "docs/quickstart-"+language+".md")
		if language == "curl" {
			got, want := blocks(text, "sh")[0], blocks(page(t, "README.md"), "sh")[1]
			if got != want || !strings.HasPrefix(want, "curl ") {
				t.Errorf("%s\n%s", got, want)
			}
			continue
		}
		info := map[string]string{"typescript": "js", "python": "python", "go": "go", "java": "java"}[language]
		program := page(t, "orchestrator/start/snippets/"+file.Name())
		if !strings.Contains(text, "\n```"+info+"\n"+program+"```\n") {
			t.Errorf("docs/quickstart-%s.md has another program than the start page", language)
		}
	}
}

// original has the endpoints, as METHOD PATH, the variables and the commands of the Node.js original.
var original = struct{ endpoints, variables, commands []string }{
	[]string{
		"GET /health", "POST /customers", "GET /customers", "GET /customers/:id", "PUT /customers/:id",
		"DELETE /customers/:id", "GET /internal/customers/:id",
		"POST /products", "GET /products", "GET /products/:id", "PATCH /products/:id",
		"POST /orders", "GET /orders", "GET /orders/:id", "POST /orders/:id/confirm", "POST /orders/:id/cancel",
		"POST /orchestrator/create-and-confirm-order",
	},
	[]string{
		"NODE_ENV", "PORT", "DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME", "JWT_SECRET",
		"JWT_EXPIRES_IN", "SERVICE_TOKEN", "CUSTOMERS_API_BASE", "ORDERS_API_BASE",
		"IDEMPOTENCY_KEY_EXPIRATION_HOURS", "ORDER_CANCELLATION_WINDOW_MINUTES",
		"SERVERLESS_OFFLINE_PORT", "LOG_LEVEL", "AWS_REGION",
	},
	[]string{
		"pnpm install", "pnpm dev", "pnpm customers:dev", "pnpm orders:dev", "pnpm lambda:dev", "pnpm build",
		"pnpm test", "pnpm db:setup", "pnpm clean", "pnpm deploy", "serverless info", "serverless logs",
		"serverless remove", "npm install -g serverless", "aws configure",
		"docker-compose build", "docker-compose up -d mysql", "docker-compose logs mysql",
		"docker-compose restart mysql", "docker-compose exec mysql mysql",
		"docker-compose exec mysql mysqladmin ping", "docker volume rm customers-orders_mysql_data",
		"docker build -t customers-api ./customers-api", "docker tag", "docker push", "lsof -i :3001",
	},
}

// TestFromNodejs checks that docs/from-nodejs.md has a row for each endpoint, variable and command of the
// original, and that each endpoint and variable of this system on the page exists.
func TestFromNodejs(t *testing.T) {
	// The page names AWS_REGION, which b2b ignores.
	endpoints, variables := map[string]bool{}, map[string]bool{"AWS_REGION": true}
	for _, d := range documents.All {
		doc := webtest.Spec(t, d.Content)
		for path, item := range doc.Paths.Map() {
			for method := range item.Operations() {
				endpoints[method+" "+path] = true
			}
		}
	}
	for _, v := range config.Variables() {
		for _, name := range append(v.Aliases, v.Name) {
			variables[name] = true
		}
	}
	text := page(t, "docs/from-nodejs.md")
	endpoint, variable := regexp.MustCompile(`^[A-Z]+ /\S+$`), regexp.MustCompile(`^[A-Z][A-Z0-9]*(_[A-Z0-9]+)+$`)
	rows := map[string]string{} // the other cells of each row; the key is a code span in the first cell
	for line := range strings.Lines(text) {
		if cells := strings.SplitN(line, " | ", 2); strings.HasPrefix(line, "| ") && len(cells) == 2 {
			for _, m := range codeSpan.FindAllStringSubmatch(cells[0], -1) {
				rows[m[1]] += cells[1]
			}
			line = cells[1]
		}
		for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
			if endpoint.MatchString(m[1]) && !endpoints[m[1]] {
				t.Errorf("no document has %s", m[1])
			}
			if variable.MatchString(m[1]) && !variables[m[1]] {
				t.Errorf("no variable is %s", m[1])
			}
		}
	}
	for _, e := range original.endpoints {
		ours := strings.ReplaceAll(e, ":id", "{id}")
		if !strings.HasPrefix(rows[e], "`"+ours+"`") || !endpoints[ours] {
			t.Errorf("the row of %s has %q", e, rows[e])
		}
	}
	for _, v := range original.variables {
		if rows[v] == "" || !variables[v] {
			t.Errorf("the row of %s has %q", v, rows[v])
		}
	}
	for _, c := range original.commands {
		if rows[c] == "" {
			t.Errorf("there is no row for %s", c)
		}
	}
}

func page(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("..", "..", filepath.FromSlash(name)))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// blocks returns the code blocks of a language.
func blocks(text, language string) (all []string) {
	for _, m := range regexp.MustCompile("(?ms)^```"+language+"\n(.*?)^```").FindAllStringSubmatch(text, -1) {
		all = append(all, m[1])
	}
	return all
}

// commands splits a block into its commands, each with its continued lines.
func commands(block string) (all []string) {
	continued := false
	for line := range strings.Lines(block) {
		switch {
		case continued:
			all[len(all)-1] += line
		case strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "":
			continue
		default:
			all = append(all, line)
		}
		text := all[len(all)-1]
		continued = strings.HasSuffix(line, "\\\n") || strings.Count(text, "'")%2 == 1 // an open quote
	}
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}
