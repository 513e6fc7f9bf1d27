package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/config"
)

const module = "example.com/b2b/v2/"

// rooms lists the packages of internal/ in order: each package may import only packages before it. The list
// may lack a generator, because no package imports a generator.
var rooms = []string{
	"buildinfo", "formats", "apperr", "auth", "correlation", "timing", "batch", "fair", "etag", "validation", "bulk",
	"docs", "server", "peer", "web", "web/webtest", "function", "function/functiontest", "idempotency", "history",
	"service", "config", "generate/nodes", "generate",
}

// TestRooms checks that each package of internal/ imports only packages before it in the list rooms.
func TestRooms(t *testing.T) {
	for _, p := range packages(t) {
		room := slices.Index(rooms, strings.TrimPrefix(p.ImportPath, "internal/"))
		for _, imported := range p.Imports {
			lower, internal := strings.CutPrefix(imported, module+"internal/")
			if internal && room >= 0 && !slices.Contains(rooms[:room], lower) {
				t.Errorf("%s imports internal/%s, which does not stand before it in rooms", p.ImportPath, lower)
			}
			if internal && room < 0 && !slices.Contains(rooms, lower) {
				t.Errorf("%s imports internal/%s, which does not stand in rooms", p.ImportPath, lower)
			}
		}
	}
}

type pkg struct {
	ImportPath    string
	Imports, Deps []string
}

// packages returns all packages of the module, with paths relative to the module.
func packages(t *testing.T) (ours []pkg) {
	t.Helper()
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps,Standard", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if name, own := strings.CutPrefix(p.ImportPath, module); own {
			p.ImportPath = name
			ours = append(ours, p)
		}
	}
	if len(ours) < 12 {
		t.Fatalf("only %d packages", len(ours))
	}
	return ours
}

// TestArrows checks that no package has a forbidden import.
func TestArrows(t *testing.T) {
	under := func(path string, roots ...string) bool {
		for _, root := range roots {
			if path == root || strings.HasPrefix(path, root+"/") {
				return true
			}
		}
		return false
	}
	isDatabase := func(path string) bool {
		return under(strings.TrimPrefix(path, module), "db") ||
			under(path, "gorm.io", "modernc.org/sqlite", "github.com/go-sql-driver") ||
			path == "database/sql"
	}
	// The names of the services are also the names of their packages.
	var names, withoutDatabase []string
	for _, s := range table(&config.Settings{}) {
		names = append(names, s.name)
		if !s.database {
			withoutDatabase = append(withoutDatabase, s.name)
		}
	}
	withoutDatabase = append(withoutDatabase, "cmd/lambda", "openapi", "sdk", "internal")
	withDatabase := []string{"internal/service", "internal/idempotency", "internal/history", "internal/generate/schema"}
	for _, p := range packages(t) {
		contract, inOpenAPI := strings.CutPrefix(p.ImportPath, "openapi/")
		service, isContract := strings.CutSuffix(contract, "api")
		if inOpenAPI && isContract && !slices.Contains(names, service) {
			t.Errorf("%s is a contract without a service", p.ImportPath)
		}
		server := strings.HasSuffix(p.ImportPath, "/server")
		mayUseGin := server || under(p.ImportPath, "internal/web", "orchestrator", "cmd/lambda")
		isContractOrSDK := under(p.ImportPath, "openapi", "sdk")
		mustNotReachDatabase := under(p.ImportPath, withoutDatabase...) && !under(p.ImportPath, withDatabase...)
		for _, imported := range p.Imports {
			name, own := strings.CutPrefix(imported, module)
			switch {
			case own && under(p.ImportPath, "openapi") && !under(name, "openapi"):
				t.Errorf("%s imports %s: a contract imports contracts only", p.ImportPath, name)
			case own && under(p.ImportPath, "sdk") && !under(name, "openapi", "sdk"):
				t.Errorf("%s imports %s: an SDK knows the contracts only", p.ImportPath, name)
			case own && under(p.ImportPath, "db") && !under(name, "db", "internal/timing"):
				t.Errorf("%s imports %s: the database code knows nothing above it", p.ImportPath, name)
			case own && under(p.ImportPath, "internal") && under(name, names...):
				t.Errorf("%s imports the service %s", p.ImportPath, name)
			case own && under(p.ImportPath, names...) && under(name, names...) && !under(name, p.ImportPath):
				t.Errorf("%s imports %s: services meet over HTTP only", p.ImportPath, name)
			case under(imported, "github.com/tsenart") && p.ImportPath != "test/bench":
				t.Errorf("%s imports %s, which is for benchmarks", p.ImportPath, imported)
			case own && name == "internal/config" && !under(p.ImportPath, "cmd", "internal/generate"):
				t.Errorf("%s imports the configuration: it gets plain values", p.ImportPath)
			case imported == "github.com/gin-gonic/gin" && !mayUseGin:
				t.Errorf("%s imports gin: *gin.Context is never beside SQL", p.ImportPath)
			}
		}
		for _, reached := range p.Deps {
			switch {
			case isDatabase(reached) && mustNotReachDatabase:
				t.Errorf("%s reaches %s: no database there", p.ImportPath, reached)
			case under(p.ImportPath, "internal/config", "internal/generate/openapi") &&
				under(reached, module+"openapi"):
				t.Errorf("%s reaches %s, which it generates or which is generated after it", p.ImportPath, reached)
			case isContractOrSDK && !server && under(reached, "github.com/gin-gonic", "github.com/getkin/kin-openapi"):
				t.Errorf("%s reaches %s: a typed client is light", p.ImportPath, reached)
			}
		}
	}
}
