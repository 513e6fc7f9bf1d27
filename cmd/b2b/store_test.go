package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/config"
)

var (
	recordFunctions  = []string{"Record"}                     // functions that append an event to the history
	recordedByCaller = []string{"writeStock", "insertPlaced"} // functions whose only caller appends the event
)

// TestEveryChangeIsRecorded checks that each function that writes to the database of a service also appends
// an event to the history.
func TestEveryChangeIsRecorded(t *testing.T) {
	writes := []string{
		"insert", "insertItems", "Insert", "update", "UpdateEach", "Create", "Save",
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

// TestOnlyStoreUsesDatabase checks that a service uses its database in store.go and tenancy.go only, where
// each query is limited to the rows that the caller may see. There are two exceptions. The constructor may
// pass the database to the store. The rules of the doctor may read all rows, because no caller gets these
// rows.
func TestOnlyStoreUsesDatabase(t *testing.T) {
	eachFile(t, func(files *token.FileSet, file *ast.File) {
		if name := fileName(files, file); name == "tenancy.go" || name == "doctor.go" {
			return
		}
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				return n.Name.Name != "New"
			case *ast.SelectorExpr:
				if n.Sel.Name == "DB" {
					t.Errorf("%s goes around the store", files.Position(n.Pos()))
				}
			}
			return true
		})
	})
}

// TestOneClock checks that a service takes no time from the program's clock, which may differ from the clock
// of the database.
func TestOneClock(t *testing.T) {
	eachFile(t, func(files *token.FileSet, file *ast.File) {
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok && s.Sel.Name == "Now" {
				if of, ok := s.X.(*ast.Ident); ok && of.Name == "time" {
					t.Errorf("%s reads the program's clock", files.Position(n.Pos()))
				}
			}
			return true
		})
	})
}

// asSystem lists the functions that may see the rows of all customers. They expire reservations and measure
// how late this is, probe locks, deliver webhooks, and run batches. A batch checks each caller in the
// functions of tenancy.go.
var asSystem = []string{"Deliver", "ExpireReservations", "expiryLag", "isFree", "record", "runBatch", "runLookups"}

// TestTenancy checks that only tenancy.go and store.go of a service decide which rows a caller may see, and
// that only the functions of asSystem see all rows. Order commands need no check of their own, because they
// get only orders that the caller may see.
func TestTenancy(t *testing.T) {
	found := map[string]bool{}
	eachFile(t, func(files *token.FileSet, file *ast.File) {
		if name := fileName(files, file); name == "tenancy.go" || name == "doctor.go" {
			return
		}
		function := ""
		ast.Inspect(file, func(n ast.Node) bool {
			switch n := n.(type) {
			case *ast.FuncDecl:
				function = n.Name.Name
			case *ast.SelectorExpr:
				x, _ := n.X.(*ast.Ident)
				from := ""
				if x != nil {
					from = x.Name + "."
				}
				if slices.Contains([]string{"ActsFor", "ByService"}, n.Sel.Name) ||
					slices.Contains([]string{"auth.System", "auth.With"}, from+n.Sel.Name) ||
					n.Sel.Name == "Customer" && from != "api." {
					t.Errorf("%s decides on tenancy outside of tenancy.go", files.Position(n.Pos()))
				}
			case *ast.CallExpr:
				if called, ok := n.Fun.(*ast.Ident); ok && called.Name == "asSystem" {
					if found[function] = true; !slices.Contains(asSystem, function) {
						t.Errorf("%s sees the rows of all customers", files.Position(n.Pos()))
					}
				}
			}
			return true
		})
	})
	for _, name := range asSystem {
		if !found[name] {
			t.Errorf("%s does not see the rows of all customers any more", name)
		}
	}
}

func fileName(files *token.FileSet, file *ast.File) string {
	return filepath.Base(files.Position(file.Pos()).Filename)
}

// eachFile visits the code of every service that has a database, except its tests and its store.go.
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
