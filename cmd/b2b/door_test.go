package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"strings"
	"testing"
)

// TestStoreIsTheOnlyDoor lets a service touch its database in store.go only, where a query begins with what the caller may see. The
// constructor may hold the database for it.
func TestStoreIsTheOnlyDoor(t *testing.T) {
	for _, s := range services {
		if !s.database {
			continue
		}
		files := token.NewFileSet()
		packages, err := parser.ParseDir(files, "../../"+s.name, func(f fs.FileInfo) bool {
			return !strings.HasSuffix(f.Name(), "_test.go") && f.Name() != "store.go"
		}, 0)
		if err != nil || len(packages) != 1 {
			t.Fatalf("%v %v", packages, err)
		}
		ast.Inspect(packages[s.name], func(n ast.Node) bool {
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
		})
	}
}
