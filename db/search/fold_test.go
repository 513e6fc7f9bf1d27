package search_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"unicode"

	"golang.org/x/text/unicode/norm"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/search"
)

// inEachState runs a test three times: with unindexed rows, with indexed rows, and with so many unindexed
// rows that a search reads all rows instead of the index.
func inEachState(t *testing.T, g *gorm.DB, rows []customer, test func(t *testing.T)) {
	t.Helper()
	insert(t, g, rows...)
	t.Run("unindexed", test)
	index(t, g)
	t.Run("indexed", test)
	var others []customer
	for i := range int64(1200) {
		others = append(others, customer{ID: 1_000_000 + i, Name: "-", Email: fmt.Sprint("-", i)})
	}
	insert(t, g, others...)
	exec(t, g, "UPDATE customers SET indexed_text = NULL")
	t.Run("scan", test)
}

// TestEveryCapital stores texts of all letters that have a case. A search must find each text by the stored
// spelling, and by the text in lower case, in upper case, composed, decomposed and folded.
func TestEveryCapital(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		var letters []rune
		for r := range unicode.MaxRune {
			changes := r != unicode.ToLower(r) || r != unicode.ToUpper(r) || r != unicode.SimpleFold(r)
			if unicode.IsUpper(r) || unicode.IsTitle(r) || changes {
				letters = append(letters, r)
			}
		}
		var rows []customer
		for some := range slices.Chunk(letters, 40) {
			rows = append(rows, customer{int64(len(rows) + 1), string(some), fmt.Sprint(len(rows), "@example.com")})
		}
		if len(letters) < 2800 {
			t.Fatalf("only %d letters", len(letters))
		}
		inEachState(t, g, rows, func(t *testing.T) {
			for _, c := range rows {
				spellings := map[string]string{
					"own": c.Name, "lower": strings.ToLower(c.Name), "upper": strings.ToUpper(c.Name),
					"composed": norm.NFC.String(c.Name), "decomposed": norm.NFD.String(c.Name),
					"folded": search.Fold(c.Name),
				}
				for spelling, text := range spellings {
					got := found(t, g.Model(&customer{}), text, db.OldestFirst, 100)
					if !slices.Contains(got, c.ID) {
						t.Errorf("%s spelling %q of %q: found %v, want %d", spelling, text, c.Name, got, c.ID)
					}
				}
			}
		})
	})
}

// TestLatinIsPlain folds the letters up to U+017F. Each must become letters of ASCII, except those that no
// living alphabet uses, or that Unicode discourages.
func TestLatinIsPlain(t *testing.T) {
	for r := 'À'; r <= 'ſ'; r++ {
		folded := search.Fold(string(r))
		notASCII := strings.ContainsFunc(folded, func(r rune) bool { return r > unicode.MaxASCII })
		if unicode.IsLetter(r) && notASCII != strings.ContainsRune("ĲĳĸĿŀŉ", r) {
			t.Errorf("%c becomes %q", r, folded)
		}
	}
}

// TestOlderFolding gives a row the folded text and the grams of an older version of Fold. The doctor must
// name the row. The statement of docs/operations.md must make the row found at once, and indexed again.
func TestOlderFolding(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		insert(t, g, customer{7, "Müller", "a@example.com"}, customer{8, "Weg", "b@example.com"})
		index(t, g)
		exec(t, g, "UPDATE customers SET folded_text = 'müller|a@example.com|' WHERE id = 7")
		exec(t, g, "DELETE FROM search_grams WHERE gram IN ?", [][]byte{[]byte("mul"), []byte("ull")})
		broken := func() (ids []string) {
			if _, err := texts.Rule().Examine(g, func(id string) { ids = append(ids, id) }); err != nil {
				t.Fatal(err)
			}
			return ids
		}
		if got := broken(); !slices.Equal(got, []string{"7"}) {
			t.Errorf("the doctor names %v", got)
		}
		exec(t, g, "UPDATE customers SET indexed_text = NULL")
		for _, indexed := range []int{2, 0} {
			got := found(t, g.Model(&customer{}), "muller", db.OldestFirst, 2)
			if n := index(t, g); !slices.Equal(got, []int64{7}) || n != indexed {
				t.Errorf("found %v, and indexed %d, want %d", got, n, indexed)
			}
		}
		if got := broken(); got != nil {
			t.Errorf("after indexing the doctor names %v", got)
		}
	})
}

// TestFoldedTextIsChecked lets the doctor find a row whose folded text differs from the result of Fold.
func TestFoldedTextIsChecked(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		insert(t, g, customer{7, "Straße", "a@example.com"}, customer{8, "Weg", "b@example.com"})
		index(t, g)
		for folded, want := range map[string][]string{"straße|a@example.com|": {"7"}, "strasse|a@example.com|": nil} {
			exec(t, g, "UPDATE customers SET folded_text = ? WHERE id = 7", folded)
			var broken []string
			checked, err := texts.Rule().Examine(g, func(id string) { broken = append(broken, id) })
			if err != nil || checked != 2 || !slices.Equal(broken, want) {
				t.Errorf("%s: of %d the broken ones are %v, want %v, %v", folded, checked, broken, want, err)
			}
		}
	})
}

// TestSpellings searches for each spelling of a text. The result must be all spellings of the text, and no
// other row.
func TestSpellings(t *testing.T) {
	same := [][]string{
		{"GROẞHANDEL", "Großhandel", "GROSSHANDEL", "großhandel"},
		{"ΟΔΥΣΣΕΥΣ", "οδυσσευς", "οδυσσευσ"},
		{"Müller", "MÜLLER", "Mu\u0308ller", "MU\u0308LLER", "Muller", "MULLER"},
		{"Núñez", "nunez", "NUN\u0303EZ"},
		{"Söhne", "sohne"},
		{"İzmir", "i\u0307zmir", "I\u0307ZMIR", "izmir", "IZMIR", "ızmır"},
		{"Øresund", "oresund", "Ǿresund"},
		{"Łódź", "lodz", "ŁODZ"},
		{"Þórður Æði", "thordur aedi", "ÞORÐUR ÆÐI"},
		{"Đặng", "dang"},
		{"Œuvre", "oeuvre"},
		{"Ħamrun", "hamrun"},
		{"Ŋuolaŧ", "nuolat"},
		{"Αθήνα", "αθηνα", "ΑΘΗΝΑ"},
		{"Королёв", "королев"},
		{"हिन्दी"},
		{"हन्द"},
		{"がぎ", norm.NFD.String("がぎ")},
		{"かき"},
		{"Ǆep", "ǅep", "ǆep"},
		{"ﬁrma", "FIRMA", "firma"},
		{"\u1fd3\u03be", "\u0390\u03be", "\u03b9\u0308\u0301\u03be", "\u03aa\u0301\u03be", "\u03b9\u03be"},
		{"ᾼδης", "ᾳδης", "ΑΙΔΗΣ"},
		{"\u212bngström", "Ångström", "A\u030aNGSTRO\u0308M", "angstrom"},
		{"\u212aelvin", "Kelvin"},
		{"ᎠᏰ", "ꭰᏸ"},
		{"한국", norm.NFD.String("한국")},
		{"ſäle", "Säle", "sale"},
		{"a|b"},
	}
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		var rows []customer
		want := map[string][]int64{}
		for _, spellings := range same {
			var ids []int64
			for _, name := range spellings {
				c := customer{int64(len(rows) + 1), "x" + name + "y", fmt.Sprint(len(rows), "@example.com")}
				rows, ids = append(rows, c), append(ids, c.ID)
			}
			for _, name := range spellings {
				want[name] = ids
			}
		}
		inEachState(t, g, rows, func(t *testing.T) {
			for text, ids := range want {
				if got := found(t, g.Model(&customer{}), text, db.OldestFirst, 2); !slices.Equal(got, ids) {
					t.Errorf("%q (%+q): found %v, want %v", text, text, got, ids)
				}
			}
			if got := found(t, g.Model(&customer{}), "y|0@", db.OldestFirst, 2); got != nil {
				t.Errorf("a text across two columns: found %v", got)
			}
		})
	})
}
