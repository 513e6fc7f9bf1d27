package tests

import (
	"bytes"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"golang.org/x/mod/module"
	"golang.org/x/mod/zip"

	"example.com/b2b/v2/openapi"
)

const (
	root       = "../../.."
	modulePath = "example.com/b2b/v2"
)

// partner is a Go module in a folder of its own, which installs the SDK. Its GOPROXY has the next release of
// this repository, and the modules in the module cache of the machine.
type partner struct{ dir, cache string }

func newPartner(t *testing.T) partner {
	t.Helper()
	p := partner{t.TempDir(), t.TempDir()}
	p.run(t, "go", "mod", "init", "partner")
	return p
}

// run runs a command in the partner's module.
func (p partner) run(t *testing.T, name string, args ...string) string {
	t.Helper()
	cmd := exec.Command(name, args...)
	cmd.Dir = p.dir
	here := strings.TrimSpace(string(must(exec.Command("go", "env", "GOMODCACHE").Output())(t)))
	cmd.Env = append(os.Environ(), "GOPROXY=file://"+release(t)+",file://"+here+"/cache/download",
		"GOMODCACHE="+p.cache, "GOSUMDB=off", "GONOPROXY=none", "GOWORK=off", "GOTOOLCHAIN=local", "CGO_ENABLED=0",
		"GOFLAGS=-trimpath -modcacherw")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("%s %q: %v\n%s", name, args, err, out)
	}
	return string(out)
}

var released string // the folder that release returns; "" before its first call

// release returns a folder for GOPROXY with the next release of this module, made of the files of the
// checkout.
func release(t *testing.T) string {
	t.Helper()
	if released != "" {
		return released
	}
	changelog := must(os.ReadFile(root + "/CHANGELOG.md"))(t)
	version := "v" + string(regexp.MustCompile(`(?m)^## (\S+?),`).FindSubmatch(changelog)[1])
	proxy := filepath.Join(filepath.Dir(binary), "proxy")
	folder := filepath.Join(proxy, modulePath, "@v")
	must(0, os.MkdirAll(folder, 0o755))(t)
	write := func(suffix string, content []byte) {
		must(0, os.WriteFile(filepath.Join(folder, version+suffix), content, 0o644))(t)
	}
	write(".info", []byte(`{"Version":"`+version+`"}`))
	write(".mod", must(os.ReadFile(root+"/go.mod"))(t))

	list := exec.Command("git", "ls-files", "-co", "--exclude-standard", "-z")
	list.Dir = root
	var files []zip.File
	for name := range bytes.SplitSeq(must(list.Output())(t), []byte{0}) {
		if _, err := os.Stat(filepath.Join(root, string(name))); len(name) > 0 && err == nil {
			files = append(files, file(name))
		}
	}
	var content bytes.Buffer
	must(0, zip.Create(&content, module.Version{Path: modulePath, Version: version}, files))(t)
	write(".zip", content.Bytes())
	released = proxy
	return proxy
}

// file is a path in the checkout. It implements zip.File.
type file string

func (f file) Path() string                 { return string(f) }
func (f file) Lstat() (os.FileInfo, error)  { return os.Lstat(filepath.Join(root, string(f))) }
func (f file) Open() (io.ReadCloser, error) { return os.Open(filepath.Join(root, string(f))) }

// block returns the first block of code in a language of a page.
func block(t *testing.T, page, language string) string {
	t.Helper()
	found := regexp.MustCompile("(?s)```" + language + "\n(.*?)```").FindSubmatch(must(os.ReadFile(page))(t))
	if found == nil {
		t.Fatalf("%s has no block of %s", page, language)
	}
	return string(found[1])
}

// TestInstall installs the released SDK in an empty module, as the README says, and runs the programs in the
// README and in the quick start. No command may compile, download or record a module that only the services
// need. This includes go mod tidy, which also reads the tests of all packages.
func TestInstall(t *testing.T) {
	p := newPartner(t)
	for line := range strings.Lines(block(t, "../README.md", "sh")) {
		p.run(t, "sh", "-euc", line)
	}
	pages := map[string]string{"readme": "../README.md", "quickstart": root + "/docs/quickstart-go.md"}
	for folder, page := range pages {
		program := block(t, page, "go")
		for i, base := range []string{openapi.CustomersAddress, openapi.OrdersAddress, openapi.OrchestratorAddress} {
			program = strings.ReplaceAll(program, base, addresses[i])
		}
		must(0, os.Mkdir(filepath.Join(p.dir, folder), 0o755))(t)
		must(0, os.WriteFile(filepath.Join(p.dir, folder, "main.go"), []byte(program), 0o644))(t)
	}
	out := p.run(t, "go", "run", "./readme")
	m := regexp.MustCompile(`(?m)^order (\d+) is CONFIRMED\n(?:.*\n)*(\d+) 389700$`).FindStringSubmatch(out)
	if m == nil || m[1] != m[2] {
		t.Errorf("the README's program prints\n%s", out)
	}
	first, second := p.run(t, "go", "run", "./quickstart"), p.run(t, "go", "run", "./quickstart")
	if first != second || !regexp.MustCompile(`^order \d+ is CONFIRMED\n$`).MatchString(first) {
		t.Errorf("the quick start's program prints\n%s%s", first, second)
	}

	want := []string{
		modulePath, "github.com/apapsch/go-jsonmerge/v2", "github.com/go-json-experiment/json",
		"github.com/google/uuid", "github.com/oapi-codegen/nullable", "github.com/oapi-codegen/runtime",
	}
	const deps = `{{with .Module}}{{.Path}}{{end}}`
	compiled := slices.Compact(slices.Sorted(strings.FieldsSeq(p.run(t, "go", "list", "-deps", "-f", deps, "./..."))))
	compiled = slices.DeleteFunc(compiled, func(path string) bool { return path == "partner" })
	if !slices.Equal(compiled, want) {
		t.Errorf("the partner compiles %q", compiled)
	}
	var downloaded []string
	sums := string(must(os.ReadFile(filepath.Join(p.dir, "go.sum")))(t))
	for _, m := range regexp.MustCompile(`(?m)^(\S+) v\S+ h1`).FindAllStringSubmatch(sums, -1) {
		if !strings.Contains(m[0], "/go.mod") {
			downloaded = append(downloaded, m[1])
		}
	}
	if !slices.Equal(downloaded, want) {
		t.Errorf("the partner downloads %q", downloaded)
	}
	services := regexp.MustCompile(`gin-gonic|kin-openapi|gorm|sql|aws`)
	if services.MatchString(sums) || services.Match(must(os.ReadFile(filepath.Join(p.dir, "go.mod")))(t)) {
		t.Errorf("the partner's go.sum is\n%s", sums)
	}
	const tests = `{{if .Module}}{{if eq .Module.Path "` + modulePath + `"}}{{range .TestImports}}{{.}} {{end}}` +
		`{{range .XTestImports}}{{.}} {{end}}{{end}}{{end}}`
	for _, imported := range strings.Fields(p.run(t, "go", "list", "-deps", "-f", tests, "./...")) {
		if strings.Contains(imported, ".") {
			t.Errorf("a test in a package of the SDK imports %s, which go mod tidy downloads", imported)
		}
	}
}
