package main

import (
	"encoding/json"
	"errors"
	"io"
	"os/exec"
	"strings"
	"testing"
)

const module = "example.com/b2b/"

// TestArrows holds the imports that must never be.
func TestArrows(t *testing.T) {
	out, err := exec.Command("go", "list", "-deps", "-json=ImportPath,Imports,Deps,Standard", module+"...").Output()
	if err != nil {
		t.Fatal(err)
	}
	type pkg struct {
		ImportPath    string
		Imports, Deps []string
	}
	var ours []pkg
	for d := json.NewDecoder(strings.NewReader(string(out))); ; {
		var p pkg
		if err := d.Decode(&p); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		if name, found := strings.CutPrefix(p.ImportPath, module); found {
			p.ImportPath = name
			ours = append(ours, p)
		}
	}
	if len(ours) < 12 {
		t.Fatalf("only %d packages", len(ours))
	}
	under := func(path string, roots ...string) bool {
		for _, root := range roots {
			if path == root || strings.HasPrefix(path, root+"/") {
				return true
			}
		}
		return false
	}
	services := []string{"customers", "orders", "orchestrator"}
	for _, p := range ours {
		for _, imported := range p.Imports {
			name, own := strings.CutPrefix(imported, module)
			switch {
			case own && under(p.ImportPath, "openapi"):
				t.Errorf("%s imports %s: a contract imports nothing of ours", p.ImportPath, name)
			case own && under(p.ImportPath, "internal", "db") && under(name, services...):
				t.Errorf("%s imports the service %s", p.ImportPath, name)
			case own && under(p.ImportPath, services...) && under(name, services...) && !under(name, p.ImportPath):
				t.Errorf("%s imports %s: services meet over HTTP only", p.ImportPath, name)
			case own && name == "internal/config" && !under(p.ImportPath, "cmd"):
				t.Errorf("%s imports the configuration: it gets plain values", p.ImportPath)
			case imported == "github.com/gin-gonic/gin" && !under(p.ImportPath, "internal/web", "openapi", "orchestrator", "cmd/lambda"):
				t.Errorf("%s imports gin: *gin.Context is never beside SQL", p.ImportPath)
			}
		}
		if under(p.ImportPath, "orchestrator", "cmd/lambda", "internal") {
			for _, reached := range p.Deps {
				if under(strings.TrimPrefix(reached, module), "db") || under(reached, "gorm.io", "modernc.org/sqlite", "github.com/go-sql-driver") || reached == "database/sql" {
					t.Errorf("%s reaches %s: no database there", p.ImportPath, reached)
				}
			}
		}
	}
}
