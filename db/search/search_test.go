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

	"example.com/b2b/db"
	"example.com/b2b/db/dbtest"
	"example.com/b2b/db/search"
)

var ctx = context.Background()

var texts = search.Index{Table: "customers", Columns: []string{"name", "email"}}

type customer struct {
	ID          int64
	Name, Email string
}

func (customer) TableName() string { return "customers" }

func (c customer) Key() int64 { return c.ID }

func insert(t testing.TB, g *gorm.DB, rows ...customer) {
	t.Helper()
	for some := range slices.Chunk(rows, 500) {
		var values []any
		for _, c := range some {
			values = append(values, c.ID, c.Name, c.Email)
		}
		exec(
			t,
			g,
			"INSERT INTO customers (id, name, email, created_at) VALUES "+strings.Repeat(", (?, ?, ?, CURRENT_TIMESTAMP)", len(some))[2:],
			values...)
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

// found reads all pages.
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

// TestPage compares what is found of random texts with what a look at each finds, while they are unindexed,
// indexed and changed.
func TestPage(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		// Letters that fold, to one of another length even; what LIKE and JSON know; the last one is outside
		// of the basic plane.
		letter := rapid.SampledFrom([]rune("aAbBé%_É\\|' Σσςßẞ中文İiǅⅣⅳﬁ\u0301😀𐐀𐐨"))
		text := func(least, most int) *rapid.Generator[string] { return rapid.StringOfN(letter, least, most, 255) }
		next := int64(1)
		rapid.Check(t, func(t *rapid.T) {
			if err := g.Exec("DELETE FROM customers").Error; err != nil { // the index still names them
				t.Fatal(err)
			}
			var ids []int64
			now := map[int64]customer{}
			for range rapid.IntRange(1, 3).Draw(t, "rounds") {
				for range rapid.IntRange(1, 8).Draw(t, "rows") {
					c := customer{next, text(1, 40).Draw(t, "name"), fmt.Sprint(next, text(0, 5).Draw(t, "email"))}
					if err := g.Exec("INSERT INTO customers (id, name, email, created_at) VALUES (?, ?, ?, CURRENT_TIMESTAMP)", c.ID, c.Name, c.Email).Error; err != nil {
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
			if err := db.Containing(g.Table("customers"), wanted, texts.Columns...).Order("id").Pluck("id", &want).Error; err != nil {
				t.Fatal(err)
			}
			if g.Name() == db.SQLite { // elsewhere the server has its own table of letters
				var literal []int64
				for _, id := range ids {
					if c := now[id]; strings.Contains(strings.ToLower(c.Name), strings.ToLower(wanted)) ||
						strings.Contains(strings.ToLower(c.Email), strings.ToLower(wanted)) {
						literal = append(literal, id)
					}
				}
				if !slices.Equal(want, literal) {
					t.Fatalf("%q is in %v, and found in %v", wanted, literal, want)
				}
			}
			limit := rapid.SampledFrom([]int32{2, 7, 100}).Draw(t, "limit")
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

// TestManyUnindexed has more than a search looks at one by one, and then none.
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
		if got := found(t, g.Model(&customer{}).Where("id > 1000"), "e 3", db.OldestFirst, 20); !slices.Equal(
			got, want[143:],
		) {
			t.Errorf("with another filter: %v", got)
		}
	})
}

// TestIndexBesideWriters has several change texts and index them: whoever has changed one finds it at once,
// and in the end all are found.
func TestIndexBesideWriters(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		const writers, rows = 6, 20
		rounds := 40
		if g.Name() == db.SQLite { // where transactions run one after the other
			rounds = 5
		}
		var all []customer
		for i := range int64(writers * rows) {
			all = append(all, customer{i + 1, "begin", fmt.Sprint(i)})
		}
		insert(t, g, all...)
		find := func(c customer) error {
			found, _, err := search.Page[customer](g.Model(&customer{}), texts, c.Name, db.PageRequest{Limit: 1000})
			if err == nil && !slices.Contains(found, c) {
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
						if err := g.Exec("UPDATE customers SET name = ? WHERE id = ?", c.Name, c.ID).Error; err != nil {
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
