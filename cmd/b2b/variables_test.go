package main

import (
	"go/ast"
	"go/parser"
	"go/token"
	"path/filepath"
	"reflect"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/config"
)

// TestEveryVariableIsUsed fails for a variable of internal/config that no command uses.
func TestEveryVariableIsUsed(t *testing.T) {
	names, err := filepath.Glob("../*/*.go")
	if err != nil {
		t.Fatal(err)
	}
	used := map[string]bool{}
	for _, name := range append(names, "../../internal/config/production.go") {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		file, err := parser.ParseFile(token.NewFileSet(), name, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		ast.Inspect(file, func(n ast.Node) bool {
			if s, ok := n.(*ast.SelectorExpr); ok {
				used[s.Sel.Name] = true
			}
			return true
		})
	}
	settings := reflect.TypeFor[config.Settings]()
	for i := range settings.NumField() {
		group := settings.Field(i).Type
		if group == reflect.TypeFor[config.Database]() {
			continue // db.Config(c.Database) converts the whole group, so no code names its fields
		}
		for _, f := range reflect.VisibleFields(group) {
			if !used[f.Name] {
				t.Errorf("%s is read into %s, which nothing uses", f.Tag.Get("env"), f.Name)
			}
		}
	}
}
