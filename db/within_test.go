package db_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// long is a row of the table events.
type long struct {
	ID                   int64
	Type, Subject, Actor string
	SubjectID            int64
	CreatedAt            time.Time
	Representation       string
}

func (long) TableName() string { return "events" }
func (l long) Key() int64      { return l.ID }

// TestPageEndsByBytes reads pages of rows of 60 KB. A page must end at about 1 MiB, in both directions and in
// ranges of ids, and the next page must continue after its last row. Small rows must fill a page to its
// limit.
func TestPageEndsByBytes(t *testing.T) {
	const rows, size = 100, 60_000
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		var want []int64
		for i := range int64(rows) {
			text := strings.Repeat("x", size)
			if i >= rows/2 {
				text = "x"
			}
			row := long{ID: i + 1, Type: "t", Subject: "s", Actor: "a", CreatedAt: time.Now(), Representation: text}
			if err := g.Create(&row).Error; err != nil {
				t.Fatal(err)
			}
			want = append(want, row.ID)
		}
		inRanges := func(q *gorm.DB, w db.PageRequest) ([]long, *int64, error) {
			return db.PageIn[long](q, []db.IDRange{{First: 1, Last: 10}, {First: 11, Last: 1 << 40}}, w)
		}
		for name, read := range map[string]func(*gorm.DB, db.PageRequest) ([]long, *int64, error){
			"page": db.Page[long], "ranges": inRanges,
		} {
			for _, sort := range []db.Sort{db.OldestFirst, db.NewestFirst} {
				// Each key is a limit of a page. The value is the largest permitted number of pages.
				for limit, most := range map[int32]int{100: 6, 7: 15} {
					var got []int64
					pages := 0
					for w := (db.PageRequest{Sort: sort, Limit: limit}); ; pages++ {
						page, next, err := read(g.Model(&long{}), w)
						if err != nil {
							t.Fatal(err)
						}
						bytes := 0
						for _, row := range page {
							got, bytes = append(got, row.ID), bytes+len(row.Representation)
						}
						if bytes > db.PageBytes+size || len(page) > int(limit) {
							t.Errorf("%s: a page of %d rows with %d bytes", name, len(page), bytes)
						}
						if w.Cursor = next; next == nil {
							break
						}
					}
					if sort == db.NewestFirst {
						slices.Reverse(got)
					}
					if !slices.Equal(got, want) || pages > most {
						t.Errorf("%s, %s, %d a page: %v in %d pages", name, sort, limit, fmt.Sprint(got), pages)
					}
				}
			}
		}
	})
}
