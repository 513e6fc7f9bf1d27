package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"strings"
	"testing"

	"example.com/b2b/internal/config"
)

// TestStoreIsTheOnlyDoor lets a service touch its database in store.go only, where a query begins with what the caller may see. The
// constructor may hold the database for it.
func TestStoreIsTheOnlyDoor(t *testing.T) {
	for _, s := range table(&config.Settings{}) {
		if !s.database {
			continue
		}
		names, err := filepath.Glob("../../" + s.name + "/*.go")
		if err != nil || len(names) < 2 {
			t.Fatalf("%v %v", names, err)
		}
		files := token.NewFileSet()
		visit := func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				return n.Name.Name != "New"
			case *ast.TypeSpec:
				return n.Name.Name != "Service"
			case *ast.SelectorExpr:
				if x, ok := n.X.(*ast.Ident); n.Sel.Name == "db" || ok && x.Name == "gorm" && n.Sel.Name == "DB" {
					t.Errorf("%s goes around the store", files.Position(n.Pos()))
				}
			}
			return true
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") || filepath.Base(name) == "store.go" {
				continue
			}
			file, err := parser.ParseFile(files, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			ast.Inspect(file, visit)
		}
	}
}
