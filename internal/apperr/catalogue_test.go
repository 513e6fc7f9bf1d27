package apperr_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"example.com/b2b/internal/apperr"
)

// TestCatalogue holds every entry to what is generated from it and to what callers may rely on.
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
			t.Errorf("%s says %q of its example", c.Name, sentence)
		case c.When == "" || c.Do == "" || c.Retry == "" || len(c.On) == 0:
			t.Errorf("%s lacks when, what to do, whether to retry, or its operations", c.Name)
		case (c.Example.Field == "") != (c.Example.Message == ""):
			t.Errorf("%s has half an example", c.Name)
		case retries[c.Name] != "" && retries[c.Name] != c.Retry:
			t.Errorf("%s says two things about trying again", c.Name)
		}
		retries[c.Name] = c.Retry
	}
}

func TestRelayed(t *testing.T) {
	if e := apperr.Relayed(404, "order_not_found", "No."); e.Code != apperr.OrderNotFound || e.Message != "No." {
		t.Errorf("%+v", e)
	}
	if e := apperr.Relayed(409, "brand_new", "No."); e.Name != "brand_new" || e.Status != 409 || e.RetryAfter() != 0 {
		t.Errorf("%+v", e)
	}
}
