package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/b2b/internal/config"
)

var (
	recordFunctions  = []string{"record", "transition"}                        // append to the history
	recordedByCaller = []string{"moveStock", "insertPlaced", "noteAdjustment"} // their only caller appends
)

// TestEveryChangeIsRecorded checks that each function that writes to the database of a service also appends
// an event to the history.
func TestEveryChangeIsRecorded(t *testing.T) {
	writes := []string{
		"insert", "insertItems", "insertOrders", "insertProducts", "update", "updateEach", "Create", "Save",
		"Update", "Updates", "UpdateColumn", "UpdateColumns", "Delete", "Exec",
	}
	writers := 0
	eachFile(t, func(files *token.FileSet, file *ast.File) {
		for _, d := range file.Decls {
			f, ok := d.(*ast.FuncDecl)
			if !ok || slices.Contains(recordedByCaller, f.Name.Name) {
				continue
			}
			written, recorded := token.NoPos, false
			ast.Inspect(f, func(n ast.Node) bool {
				if call, ok := n.(*ast.CallExpr); ok {
					if s, ok := call.Fun.(*ast.SelectorExpr); ok && slices.Contains(writes, s.Sel.Name) {
						written = s.Sel.Pos()
					} else if ok && slices.Contains(recordFunctions, s.Sel.Name) {
						recorded = true
					}
				}
				return true
			})
			if written.IsValid() && !recorded {
				t.Errorf("%s writes without an event", files.Position(written))
			} else if written.IsValid() {
				writers++
			}
		}
	})
	if writers < 5 {
		t.Errorf("only %d functions write", writers)
	}
}

// TestOnlyStoreUsesDatabase checks that a service uses its database in store.go only, where each query is
// limited to the rows that the caller may see. The constructor may pass the database to the store.
func TestOnlyStoreUsesDatabase(t *testing.T) {
	eachFile(t, func(files *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
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
	})
}

// eachFile calls visit with each Go file of every service that has a database, except tests and store.go.
func eachFile(t *testing.T, visit func(files *token.FileSet, file *ast.File)) {
	for _, s := range table(&config.Settings{}) {
		if !s.database {
			continue
		}
		names, err := filepath.Glob("../../" + s.name + "/*.go")
		if err != nil || len(names) < 2 {
			t.Fatalf("%v %v", names, err)
		}
		files := token.NewFileSet()
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") || filepath.Base(name) == "store.go" {
				continue
			}
			file, err := parser.ParseFile(files, name, nil, 0)
			if err != nil {
				t.Fatal(err)
			}
			visit(files, file)
		}
	}
}
