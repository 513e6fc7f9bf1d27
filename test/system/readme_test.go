package system_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/internal/config"
	"example.com/b2b/openapi"
)

// elsewhere are the pages' commands that this test does not run.
var elsewhere = []string{
	"make run", "make test", "make generate", "make lint", "make build", "make lambda", // .ci/run
	"make chaos", // its short form is TestChaos
	"npx newman run postman/B2B-Order-Management.postman_collection.json", // .ci/run
	"docker compose up --build", "sam deploy --guided --template-file orchestrator/template.yaml", // nowhere, as docs/operations.md says
}

// programs are the pages of which something else runs every command, and what does.
var programs = map[string]string{
	"docs/import-export.md":         "TestImportExportPage",
	"docs/performance.md":           ".ci/run",
	"docs/quickstart-typescript.md": "test/quickstarts/run",
	"docs/quickstart-python.md":     "test/quickstarts/run",
	"docs/quickstart-go.md":         "test/quickstarts/run",
	"docs/quickstart-java.md":       "test/quickstarts/run",
	"README.es.md":                  "TestReadmeInSpanish",
}

// TestPages runs the curl commands of README.md, of docs/quickstart-curl.md, where it leads, and of all other
// pages, each from top to bottom, on a fresh database; each must succeed.
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
		found, err := filepath.Glob("../../" + pattern)
		if err != nil {
			t.Fatal(err)
		}
		for _, path := range found {
			name := filepath.ToSlash(strings.TrimPrefix(path, filepath.Join("..", "..")+string(filepath.Separator)))
			if !slices.Contains(names, name) && programs[name] == "" {
				names = append(names, name)
			}
		}
	}
	here := strings.NewReplacer(openapi.OrchestratorAddress, p.orchestrator,
		openapi.CustomersAddress, p.customers, openapi.OrdersAddress, p.orders)
	ran := map[string]int{}
	for _, name := range names {
		for _, block := range blocks(page(t, name), "sh") {
			for _, command := range commands(block) {
				if slices.Contains(elsewhere, command) {
					continue
				}
				if !strings.HasPrefix(command, "curl ") {
					t.Errorf("%s: nothing runs %q", name, command)
					continue
				}
				ran[name]++
				strict := "curl --fail-with-body -sS " + strings.TrimPrefix(command, "curl ")
				out, err := exec.Command("bash", "-c", here.Replace(strict)).CombinedOutput()
				if err != nil || !strings.Contains(string(out), `"success":true`) {
					t.Errorf("%s: %s\n%v %s", name, command, err, out)
				}
			}
		}
	}
	if ran["README.md"] == 0 || ran["docs/quickstart-curl.md"] < 10 || ran["docs/timeouts.md"] < 4 {
		t.Errorf("ran %v", ran)
	}
}

// TestReadmeInSpanish holds README.es.md to README.md: the same commands, the same pages to read.
func TestReadmeInSpanish(t *testing.T) {
	english, spanish := page(t, "README.md"), page(t, "README.es.md")
	if e, s := blocks(english, "sh"), blocks(spanish, "sh"); len(e) < 3 || !slices.Equal(e, s) {
		t.Errorf("commands\n%q\n%q", e, s)
	}
	targets := func(text string) (all []string) {
		for _, m := range markdownLink.FindAllStringSubmatch(text, -1) {
			if !strings.HasPrefix(m[1], "README") { // each other
				all = append(all, m[1])
			}
		}
		return all
	}
	if e, s := targets(english), targets(spanish); len(e) < 10 || !slices.Equal(e, s) {
		t.Errorf("links\n%q\n%q", e, s)
	}
	pages, err := filepath.Glob("../../docs/*.md")
	if err != nil || len(pages) < 10 {
		t.Fatal(err, pages)
	}
	for _, path := range pages {
		if name := "docs/" + filepath.Base(path); !slices.ContainsFunc(
			targets(english),
			func(target string) bool { return target == name || strings.HasPrefix(target, name+"#") },
		) {
			t.Errorf("README.md does not lead to %s", name)
		}
	}
}

// TestQuickstarts holds the programs of the quick starts to those of the start page, and the first command to
// the README's: an order that was placed there is the same here.
func TestQuickstarts(t *testing.T) {
	snippets, err := os.ReadDir("../../orchestrator/start/snippets")
	if err != nil || len(snippets) < 5 {
		t.Fatal(err, snippets)
	}
	for _, file := range snippets {
		language := strings.TrimSuffix(file.Name(), ".txt")
		text := page(t, "docs/quickstart-"+language+".md")
		if language == "curl" {
			if got, want := blocks(text, "sh")[0], blocks(page(t, "README.md"), "sh")[1]; got != want ||
				!strings.HasPrefix(want, "curl ") {
				t.Errorf("%s\n%s", got, want)
			}
			continue
		}
		want := page(t, "orchestrator/start/snippets/"+file.Name())
		if !strings.Contains(
			text,
			"\n```"+map[string]string{"typescript": "js", "python": "python", "go": "go", "java": "java"}[language]+"\n"+want+"```\n",
		) {
			t.Errorf("docs/quickstart-%s.md has another program than the start page", language)
		}
	}
}

// original is what users of the Node.js original know: its endpoints as METHOD PATH, its variables, its
// commands.
var original = struct{ endpoints, variables, commands []string }{
	[]string{
		"GET /health", "POST /customers", "GET /customers", "GET /customers/:id", "PUT /customers/:id", "DELETE /customers/:id", "GET /internal/customers/:id",
		"POST /products", "GET /products", "GET /products/:id", "PATCH /products/:id",
		"POST /orders", "GET /orders", "GET /orders/:id", "POST /orders/:id/confirm", "POST /orders/:id/cancel",
		"POST /orchestrator/create-and-confirm-order",
	},
	[]string{
		"NODE_ENV", "PORT", "DB_HOST", "DB_PORT", "DB_USER", "DB_PASSWORD", "DB_NAME", "JWT_SECRET", "JWT_EXPIRES_IN", "SERVICE_TOKEN",
		"CUSTOMERS_API_BASE", "ORDERS_API_BASE", "IDEMPOTENCY_KEY_EXPIRATION_HOURS", "ORDER_CANCELLATION_WINDOW_MINUTES",
		"SERVERLESS_OFFLINE_PORT", "LOG_LEVEL", "AWS_REGION",
	},
	[]string{
		"pnpm install", "pnpm dev", "pnpm customers:dev", "pnpm orders:dev", "pnpm lambda:dev", "pnpm build", "pnpm test", "pnpm db:setup", "pnpm clean",
		"pnpm deploy", "serverless info", "serverless logs", "serverless remove", "npm install -g serverless", "aws configure",
		"docker-compose build", "docker-compose up -d mysql", "docker-compose logs mysql", "docker-compose restart mysql",
		"docker-compose exec mysql mysql", "docker-compose exec mysql mysqladmin ping", "docker volume rm customers-orders_mysql_data",
		"docker build -t customers-api ./customers-api", "docker tag", "docker push", "lsof -i :3001",
	},
}

// TestFromNodejs holds docs/from-nodejs.md to the original, of which it must name everything, with ours
// beside it, and to the documents and the configuration, which must have all that it names of ours.
func TestFromNodejs(t *testing.T) {
	endpoints, variables := map[string]bool{}, map[string]bool{"AWS_REGION": true} // which is ignored, as it says
	for _, service := range []string{"customers", "orders", "orchestrator"} {
		doc, err := openapi3.NewLoader().LoadFromFile("../../openapi/" + service + "api/openapi.gen.yaml")
		if err != nil {
			t.Fatal(err)
		}
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
	theirs := map[string]string{} // the rows' first spans, and the rest of their rows
	for line := range strings.Lines(text) {
		if cells := strings.SplitN(line, " | ", 2); strings.HasPrefix(line, "| ") && len(cells) == 2 {
			for _, m := range codeSpan.FindAllStringSubmatch(cells[0], -1) {
				theirs[m[1]] += cells[1]
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
		if ours := strings.ReplaceAll(e, ":id", "{id}"); !strings.HasPrefix(theirs[e], "`"+ours+"`") ||
			!endpoints[ours] {
			t.Errorf("%s: beside it stands %q", e, theirs[e])
		}
	}
	for _, v := range original.variables {
		if theirs[v] == "" || !variables[v] {
			t.Errorf("%s: beside it stands %q", v, theirs[v])
		}
	}
	for _, c := range original.commands {
		if theirs[c] == "" {
			t.Errorf("nothing stands beside %s", c)
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
		continued = strings.HasSuffix(line, "\\\n") || strings.Count(text, "'")%2 == 1 // an open quotation
	}
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}
