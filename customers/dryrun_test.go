package customers_test

import (
	"fmt"
	"strings"
	"testing"

	"gorm.io/gorm"
	"pgregory.net/rapid"

	"example.com/b2b/v2/db/dbtest"
)

// filler returns n malformed rows of CSV. The import refuses them, and counts them in its batches of 250
// rows.
func filler(n int) string { return strings.Repeat("one cell\n", n) }

// TestDryRunAcrossBatches imports a file in which row 2 changes the external_ref. Row 263, in the
// next batch, gives R-1 to another customer. The dry run must give the same answers as the run.
func TestDryRunAcrossBatches(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, _ := serve(t, g)
		url := base + "/customers/import"
		const head = "email,name,external_ref\n"
		imported(t, url, "text/csv", head+"a@example.com,A,R-1\nb@example.com,B,R-2\n")
		file := head + "a@example.com,,R-3\n" + filler(260) + "b@example.com,,R-1\n"
		dry := imported(t, url+"?dry_run=true", "text/csv", file)
		if got := dry[261]; got != "263 updated" {
			t.Errorf("dry run: %s", got)
		}
		wantLines(t, imported(t, url, "text/csv", file), dry...)
	})
}

// TestDryRunIsTheRun imports random files: first as a dry run, then for real, then again. The dry run must
// give the same answers as the real run. In the repeated run, a row that the first run accepted must change
// nothing. A row that the first run refused must be refused again, except that an external_ref may be free by
// then.
func TestDryRunIsTheRun(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, _ := serve(t, g)
		url := base + "/customers/import"
		cell := func(r *rapid.T, label string, values ...string) string {
			return rapid.SampledFrom(values).Draw(r, label)
		}
		draw := func(r *rapid.T) string {
			file := "email,name,external_ref\n"
			for range rapid.IntRange(1, 12).Draw(r, "rows") {
				file += filler(rapid.SampledFrom([]int{0, 0, 0, 124, 249, 250}).Draw(r, "gap"))
				email := cell(r, "email", "a@x.de", "b@x.de", "c@x.de", "d@x.de", "E@x.de", "f@x.de", " A@X.DE ")
				ref := cell(r, "ref", "", "R-1", "R-2", "R-3", "r-1", "R-1\u0301", "R-1\u00a0x", "R-1 ")
				file += fmt.Sprintf("%s,%s,%s\n", email, cell(r, "name", "", "N", "M"), ref)
			}
			return file
		}
		rapid.Check(t, func(r *rapid.T) {
			deleted := g.Exec("UPDATE customers SET deleted_at = created_at WHERE deleted_at IS NULL")
			if deleted.Error != nil {
				t.Fatal(deleted.Error)
			}
			imported(t, url, "text/csv", draw(r))
			file := draw(r)
			dry := imported(t, url+"?dry_run=true", "text/csv", file)
			run := imported(t, url, "text/csv", file)
			if got, want := strings.Join(dry, ", "), strings.Join(run, ", "); got != want {
				r.Fatalf("dry run: %s\nrun:     %s\n%s", shorten(got), shorten(want), shorten(file))
			}
			repeat := imported(t, url, "text/csv", file)
			for i, before := range run[:len(run)-1] {
				row, _, _ := strings.Cut(before, " ")
				switch after := repeat[i]; {
				case after == before, after == row+" unchanged":
				case before == row+" external_ref_taken /external_ref" && after == row+" updated":
				case before == row+" external_ref_taken /external_ref" && after == row+" created":
				default:
					r.Fatalf("%s, then %s\n%s", before, after, shorten(file))
				}
			}
		})
	})
}

// shorten removes the filler from a file, and the answers to the filler.
func shorten(text string) string {
	var kept []string
	for _, line := range strings.FieldsFunc(text, func(r rune) bool { return r == '\n' || r == ',' }) {
		if line != "one cell" && !strings.HasSuffix(line, "malformed_row") {
			kept = append(kept, line)
		}
	}
	return strings.Join(kept, ",")
}
