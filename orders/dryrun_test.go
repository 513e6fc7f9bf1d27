package orders_test

import (
	"strings"
	"testing"

	"gorm.io/gorm"
	"pgregory.net/rapid"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/openapi/contract"
)

// TestDryRunIsTheRun imports random files: first as a dry run, then for real, then again. The dry run must
// give the same answers as the real run, except for the ids of new products. The repeated run must change
// nothing: it must refuse the same rows, and leave the other rows unchanged.
func TestDryRunIsTheRun(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		url := s.base + "/products/import"
		draw := func(r *rapid.T) string {
			cell := func(label string, values ...string) string {
				return rapid.SampledFrom(values).Draw(r, label) + ","
			}
			file := "sku,name,price_cents,stock,active\n"
			for range rapid.IntRange(1, 12).Draw(r, "rows") {
				// A batch has 250 rows. These malformed rows can put the next row into another batch.
				file += strings.Repeat("one cell\n", rapid.SampledFrom([]int{0, 0, 0, 124, 249, 250}).Draw(r, "gap"))
				file += cell("sku", "A", "B", "C", "a", "B\u0301", "B\u00a0x", "B ", "00010", "ß", "ss", "") +
					cell("name", "", "N", "M") + cell("price", "", "0", "1", "1000000000", "1000000001", "x") +
					cell("stock", "", "0", "1", "-1") + cell("active", "", "true", "FALSE")
				file = strings.TrimSuffix(file, ",") + "\n"
			}
			return file
		}
		answers := func(lines []contract.ImportLine) string {
			for i := range lines {
				if *lines[i].Result == contract.Created {
					lines[i].ID = nil
				}
			}
			return words(lines)
		}
		rapid.Check(t, func(r *rapid.T) {
			for _, table := range []string{"stock_adjustments", "products"} {
				if deleted := g.Exec("DELETE FROM " + table); deleted.Error != nil {
					t.Fatal(deleted.Error)
				}
			}
			imported(t, url, "text/csv", draw(r))
			file := draw(r)
			dry, _ := imported(t, url+"?dry_run=true", "text/csv", file)
			run, _ := imported(t, url, "text/csv", file)
			if got, want := answers(dry), answers(run); got != want {
				r.Fatalf("dry run: %s\nrun:     %s\n%s", got, want, file)
			}
			_, first := imported(t, url+"?dry_run=true", "text/csv", file)
			_, repeat := imported(t, url, "text/csv", file)
			if repeat.Created+repeat.Updated > 0 || first.Unchanged != repeat.Unchanged {
				r.Fatalf("a repeat: %s, a dry run of it: %s\n%s", counts(repeat), counts(first), file)
			}
		})
	})
}
