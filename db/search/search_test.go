package search_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"golang.org/x/sync/errgroup"
	"gorm.io/gorm"
	"pgregory.net/rapid"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/search"
)

var ctx = context.Background()

var texts = search.Index{Table: "customers", Columns: []string{"name", "email"}}

type customer struct {
	ID          int64
	Name, Email string
}

func (customer) TableName() string { return "customers" }

func (c customer) Key() int64 { return c.ID }

func (c customer) Texts() []string { return []string{c.Name, c.Email} }

func insert(t testing.TB, g *gorm.DB, rows ...customer) {
	t.Helper()
	for some := range slices.Chunk(rows, 500) {
		var values []any
		for _, c := range some {
			values = append(values, c.ID, c.Name, c.Email)
		}
		rows := strings.Repeat(", (?, ?, ?, CURRENT_TIMESTAMP)", len(some))[2:]
		exec(t, g, "INSERT INTO customers (id, name, email, created_at) VALUES "+rows, values...)
	}
}

func exec(t testing.TB, g *gorm.DB, statement string, values ...any) {
	t.Helper()
	if err := g.Exec(statement, values...).Error; err != nil {
		t.Fatal(err)
	}
}

func index(t testing.TB, g *gorm.DB) int {
	t.Helper()
	n, err := texts.Update(ctx, g)
	if err != nil {
		t.Fatal(err)
	}
	return n
}

type fataler interface{ Fatal(...any) }

// found reads all pages of a search, and returns the ids.
func found(t fataler, q *gorm.DB, text string, sort db.Sort, limit int32) (ids []int64) {
	for w := (db.PageRequest{Sort: sort, Limit: limit, Cursor: new(int64)}); ; {
		rows, next, err := search.Page[customer](q, texts, text, w)
		if err != nil || len(rows) > int(limit) {
			t.Fatal(len(rows), err)
		}
		for _, c := range rows {
			ids = append(ids, c.ID)
		}
		if w.Cursor = next; next == nil {
			return ids
		}
	}
}

// TestPage searches random texts, unindexed, indexed and changed, and compares the result with a scan of all
// rows.
func TestPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		// The alphabet has capital letters, some with more or fewer bytes than their lower case; letters with
		// and without marks; special characters of LIKE and JSON; and characters outside the basic plane of
		// Unicode.
		letter := rapid.SampledFrom([]rune("aAbBeé%_É\\|' øoþthΣσςßẞ中文İiǅⅣⅳﬁ\u0301😀𐐀𐐨"))
		text := func(least, most int) *rapid.Generator[string] {
			return rapid.StringOfN(letter, least, most, 255)
		}
		next := int64(1)
		rapid.Check(t, func(t *rapid.T) {
			if err := g.Exec("DELETE FROM customers").Error; err != nil { // the index still has the deleted rows
				t.Fatal(err)
			}
			var ids []int64
			now := map[int64]customer{}
			for range rapid.IntRange(1, 3).Draw(t, "rounds") {
				for range rapid.IntRange(1, 8).Draw(t, "rows") {
					c := customer{next, text(1, 40).Draw(t, "name"), fmt.Sprint(next, text(0, 5).Draw(t, "email"))}
					const insert = `INSERT INTO customers (id, name, email, created_at)
						VALUES (?, ?, ?, CURRENT_TIMESTAMP)`
					if err := g.Exec(insert, c.ID, c.Name, c.Email).Error; err != nil {
						t.Fatal(err)
					}
					now[c.ID], ids = c, append(ids, c.ID)
					next += rapid.SampledFrom([]int64{1, 2, 30_000, 65_536}).Draw(t, "gap")
				}
				if rapid.Bool().Draw(t, "index") {
					if _, err := texts.Update(ctx, g); err != nil {
						t.Fatal(err)
					}
				}
				for range rapid.IntRange(0, 3).Draw(t, "changes") {
					c := now[rapid.SampledFrom(ids).Draw(t, "changed")]
					c.Name = text(1, 12).Draw(t, "new name")
					if err := g.Exec("UPDATE customers SET name = ? WHERE id = ?", c.Name, c.ID).Error; err != nil {
						t.Fatal(err)
					}
					now[c.ID] = c
				}
			}
			wanted := text(0, 4).Draw(t, "wanted")
			if some := []rune(now[rapid.SampledFrom(ids).Draw(t, "of")].Name); rapid.Bool().Draw(t, "there") {
				from := rapid.IntRange(0, len(some)-1).Draw(t, "from")
				wanted = string(some[from:rapid.IntRange(from+1, len(some)).Draw(t, "to")])
			}
			var want []int64
			for _, id := range ids {
				if c := now[id]; strings.Contains(search.Fold(c.Name), search.Fold(wanted)) ||
					strings.Contains(search.Fold(c.Email), search.Fold(wanted)) {
					want = append(want, id)
				}
			}
			limit := rapid.SampledFrom([]int32{2, 7, 100}).Draw(t, "limit")
			page := db.PageRequest{Sort: db.OldestFirst, Limit: limit}
			scanned, _, err := search.Scan[customer](g.Model(&customer{}), texts, wanted, page)
			if err != nil || !slices.EqualFunc(scanned, want[:min(int(limit), len(want))],
				func(c customer, id int64) bool { return c.ID == id }) {
				t.Fatalf("%q, %d a page: a scan finds %v, want %v, %v", wanted, limit, scanned, want, err)
			}
			if got := found(t, g.Model(&customer{}), wanted, db.OldestFirst, limit); !slices.Equal(got, want) {
				t.Fatalf("%q, %d a page: %v, want %v", wanted, limit, got, want)
			}
			slices.Reverse(want)
			if got := found(t, g.Model(&customer{}), wanted, db.NewestFirst, limit); !slices.Equal(got, want) {
				t.Fatalf("%q, newest first, %d a page: %v, want %v", wanted, limit, got, want)
			}
		})
	})
}

// TestManyUnindexed searches with so many unindexed rows that the search reads all rows, and then without
// unindexed rows.
func TestManyUnindexed(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		var rows []customer
		var want []int64
		for i := range int64(1500) {
			rows = append(rows, customer{ID: i + 1, Name: fmt.Sprint("Name ", i%7), Email: fmt.Sprint(i)})
			if i%7 == 3 {
				want = append(want, i+1)
			}
		}
		insert(t, g, rows...)
		for _, indexed := range []int{1500, 0} {
			if got := found(t, g.Model(&customer{}), "NAME 3", db.OldestFirst, 20); !slices.Equal(got, want) {
				t.Errorf("%d are not indexed: %v", indexed, got)
			}
			if n := index(t, g); n != indexed {
				t.Errorf("%d were indexed, want %d", n, indexed)
			}
		}
		got := found(t, g.Model(&customer{}).Where("id > 1000"), "e 3", db.OldestFirst, 20)
		if !slices.Equal(got, want[143:]) {
			t.Errorf("with another filter: %v", got)
		}
	})
}

// TestTextLikeTime indexes texts that look like a time. Each row must be indexed once.
func TestTextLikeTime(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		insert(t, g, customer{ID: 1, Name: "2024-01-15 10:00:00 +0000 UTC m=1", Email: "a"},
			customer{ID: 2, Name: "2024-01-15", Email: "b"})
		if first, second := index(t, g), index(t, g); first != 2 || second != 0 {
			t.Errorf("%d and then %d were indexed", first, second)
		}
		if got := found(t, g.Model(&customer{}), "15 10:00", db.OldestFirst, 20); !slices.Equal(got, []int64{1}) {
			t.Errorf("found %v", got)
		}
	})
}

// TestIndexBesideWriters runs several writers that change texts and index them. A writer must find its change
// immediately, and all changes must be found in the end.
func TestIndexBesideWriters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		const writers, rows = 6, 20
		rounds := 40
		if g.Name() == db.SQLite { // slower, because transactions run one after the other
			rounds = 5
		}
		var all []customer
		for i := range int64(writers * rows) {
			all = append(all, customer{i + 1, "begin", fmt.Sprint(i)})
		}
		insert(t, g, all...)
		find := func(c customer) error {
			page := db.PageRequest{Limit: 1000}
			rows, _, err := search.Page[customer](g.Model(&customer{}), texts, c.Name, page)
			if err == nil && !slices.Contains(rows, c) {
				err = fmt.Errorf("%v is not found", c)
			}
			return err
		}
		var group errgroup.Group
		for w := range writers {
			group.Go(func() error {
				for range rounds {
					for i := range rows {
						c := &all[w*rows+i]
						c.Name = fmt.Sprintf("<%d>", rand.N(100))
						err := g.Exec("UPDATE customers SET name = ? WHERE id = ?", c.Name, c.ID).Error
						if err != nil {
							return err
						}
					}
					if err := find(all[w*rows]); err != nil {
						return err
					}
					if _, err := texts.Update(ctx, g); err != nil {
						return err
					}
				}
				return nil
			})
		}
		if err := group.Wait(); err != nil {
			t.Fatal(err)
		}
		index(t, g)
		for _, c := range all {
			if err := find(c); err != nil {
				t.Error(err)
			}
		}
	})
}
