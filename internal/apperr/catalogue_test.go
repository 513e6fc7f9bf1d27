package apperr_test

import (
	"fmt"
	"go/ast"
	"go/parser"
	"go/token"
	"io/fs"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/apperr"
)

// TestCatalogue checks the fields of every entry, from which the documents and help pages are generated.
func TestCatalogue(t *testing.T) {
	if !slices.IsSortedFunc(apperr.Catalogue(), func(a, b *apperr.Code) int { return a.Status - b.Status }) {
		t.Error("the catalogue is not by ascending status")
	}
	retries := map[string]apperr.Retry{}
	for _, c := range apperr.Catalogue() {
		sentence := c.New(c.Args...).Message
		switch {
		case http.StatusText(c.Status) == "" || c.Status < 400:
			t.Errorf("%s has status %d", c.Name, c.Status)
		case c.Name == "" || strings.Trim(c.Name, "abcdefghijklmnopqrstuvwxyz_") != "":
			t.Errorf("%q is not snake_case", c.Name)
		case sentence == "" || strings.Contains(sentence, "%!") || !strings.HasSuffix(sentence, "."):
			t.Errorf("the sentence of %s is %q", c.Name, sentence)
		case c.When == "" || c.Do == "" || c.Retry == "" || len(c.On) == 0:
			t.Errorf("%s lacks when, what to do, whether to retry, or its operations", c.Name)
		case (c.Example.Field == "") != (c.Example.Message == ""):
			t.Errorf("%s has half an example", c.Name)
		case retries[c.Name] != "" && retries[c.Name] != c.Retry:
			t.Errorf("two entries of %s differ in whether to retry", c.Name)
		}
		retries[c.Name] = c.Retry
	}
}

func TestRelayed(t *testing.T) {
	if e := apperr.Relayed(404, "order_not_found", "No."); e.Code != apperr.OrderNotFound || e.Message != "No." {
		t.Errorf("%+v", e)
	}
	if e := apperr.Relayed(409, "brand_new", "No."); e.Name != "brand_new" || e.Status != 409 || e.Retry != "" {
		t.Errorf("%+v", e)
	}
}

// TestCatalogueIsUsed fails for an entry that no code uses, and for an error that is made without an entry.
// The test also reads template.yaml, because some errors come only from the API Gateway.
func TestCatalogueIsUsed(t *testing.T) {
	var text strings.Builder
	err := filepath.WalkDir("../..", func(path string, d fs.DirEntry, err error) error {
		goFile := strings.HasSuffix(path, ".go") && !strings.HasSuffix(path, "_test.go") &&
			filepath.Base(path) != "catalogue.go"
		if err == nil && (goFile || filepath.Base(path) == "template.yaml") {
			content, readErr := os.ReadFile(path)
			text.Write(content)
			err = readErr
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	source, err := parser.ParseFile(token.NewFileSet(), "catalogue.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	entries := 0
	ast.Inspect(source, func(n ast.Node) bool {
		v, ok := n.(*ast.ValueSpec)
		if !ok || len(v.Values) != 1 {
			return true
		}
		if call, ok := v.Values[0].(*ast.CallExpr); ok && fmt.Sprint(call.Fun) == "define" {
			name := v.Names[0].Name
			entries++
			if !regexp.MustCompile(`apperr\.` + name + `\b`).MatchString(text.String()) {
				t.Errorf("apperr.%s is in the catalogue, and no code uses it", name)
			}
		}
		return true
	})
	if entries != len(apperr.Catalogue()) {
		t.Errorf("the source has %d of %d entries", entries, len(apperr.Catalogue()))
	}
	if literal := regexp.MustCompile(`[^*]apperr\.(Code|Error)\{`).FindString(text.String()); literal != "" {
		t.Errorf("an error is made with %s…}, without the catalogue", literal)
	}
	if !strings.Contains(text.String(), apperr.RateLimited.Name) {
		t.Error("nothing answers rate_limited")
	}
}
