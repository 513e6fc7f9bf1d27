package search

import (
	"context"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
)

const (
	minBatch  = 100     // UpdateDue does nothing for fewer unindexed rows; a search compares them quickly
	batch     = 1 << 15 // number of rows that Update holds in memory at once
	statement = 500     // number of rows that a transaction writes; other transactions may wait for it
)

// UpdateDue calls Update if at least minBatch rows are unindexed, and otherwise does nothing. Call UpdateDue
// every few seconds.
func (x Index) UpdateDue(ctx context.Context, g *gorm.DB) (rows int, err error) {
	var ids []int64
	err = g.WithContext(ctx).Table(x.Table).Where("unindexed = 1").Limit(minBatch).Pluck("id", &ids).Error
	if err != nil || len(ids) < minBatch {
		return 0, err
	}
	return x.Update(ctx, g)
}

// Due counts the unindexed rows: see db.CountDue.
func (x Index) Due(ctx context.Context, g *gorm.DB) (rows int64, err error) {
	return db.CountDue(g.WithContext(ctx).Table(x.Table).Where("unindexed = 1"))
}

// Update adds all unindexed rows to the index, and returns their number. Several processes may run Update at
// once. A row that gets a new text meanwhile stays unindexed.
func (x Index) Update(ctx context.Context, g *gorm.DB) (total int, err error) {
	g = g.WithContext(ctx)
	for last := int64(0); ; {
		rows, err := x.unindexed(g, last)
		if err != nil || len(rows) == 0 {
			return total, err
		}
		for from := 0; from < len(rows); {
			chunk, to := rows[from].ID>>chunkBits, from
			for to < len(rows) && rows[to].ID>>chunkBits == chunk {
				to++
			}
			if err := x.add(ctx, g, chunk, rows[from:to]); err != nil {
				return total, err
			}
			from = to
		}
		for some := range slices.Chunk(rows, statement) {
			err := db.InTx(ctx, g, func(tx *gorm.DB) error {
				// The time of UpdateEach grows with the square of the number of rows.
				for few := range slices.Chunk(some, statement/10) {
					if _, err := db.UpdateEach(tx.Table(x.Table), few, "indexed_text", "folded_text"); err != nil {
						return err
					}
				}
				return nil
			})
			if err != nil {
				return total, err
			}
		}
		last, total = rows[len(rows)-1].ID, total+len(rows)
	}
}

// row has the id and the indexed text of a row of the table. db.UpdateEach writes the fields.
type row struct {
	ID          int64
	IndexedText string
	FoldedText  string
}

func (r row) Key() int64 { return r.ID }

// unindexed reads unindexed rows with ids above last, in ascending order of id, until it has read the number
// batch of rows, or no row is left. The last SELECT may read more rows than that number.
func (x Index) unindexed(g *gorm.DB, last int64) (rows []row, err error) {
	for len(rows) < batch {
		var some []row
		// The first character keeps SQLite's driver from turning a text that looks like a time into a time.
		q := g.Table(x.Table).Select("id, CONCAT('|', "+x.text()+") AS indexed_text").
			Where("unindexed = 1 AND id > ?", last)
		if err := q.Order("id").Limit(4 * statement).Find(&some).Error; err != nil {
			return nil, err
		}
		if len(some) == 0 {
			break
		}
		for i := range some {
			some[i].IndexedText = some[i].IndexedText[1:]
			some[i].FoldedText = Fold(some[i].IndexedText)
		}
		rows, last = append(rows, some...), some[len(some)-1].ID
	}
	return rows, nil
}

// text returns an SQL expression for the indexed text of a row. The generated column unindexed uses the same
// expression.
func (x Index) text() string { return "CONCAT(" + strings.Join(x.Columns, ", '|', ") + ", '|')" }

// add adds rows to the index. The ids of the rows must be in the chunk.
func (x Index) add(ctx context.Context, g *gorm.DB, chunk int64, rows []row) error {
	added := map[string]*roaring.Bitmap{}
	for _, r := range rows {
		for gram := range grams(r.FoldedText, 1, 3) {
			ids := added[gram]
			if ids == nil {
				ids = roaring.New()
				added[gram] = ids
			}
			ids.Add(offset(r.ID))
		}
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(added)), statement) {
		err := db.InTx(ctx, g, func(tx *gorm.DB) error { return x.merge(tx, chunk, added, some) })
		if err != nil {
			return err
		}
	}
	return nil
}

const insertGrams = "REPLACE INTO search_grams (subject, gram, chunk, hits, ids) VALUES "

// merge adds ids to the bitmaps that are stored for a chunk. The parameter some lists the grams whose bitmaps
// to write, and added has the new ids for each gram.
func (x Index) merge(tx *gorm.DB, chunk int64, added map[string]*roaring.Bitmap, some []string) error {
	// This statement locks a row that has no gram. So a second transaction waits here until the first has
	// written its bitmaps.
	if err := tx.Exec(insertGrams+"(?, X'', 0, 0, X'')", x.Table).Error; err != nil {
		return err
	}
	keys := make([][]byte, len(some))
	for i, gram := range some {
		keys[i] = []byte(gram)
	}
	var stored []struct{ Gram, IDs []byte }
	q := tx.Table("search_grams").Select("gram, ids").
		Where("subject = ? AND gram IN ? AND chunk = ?", x.Table, keys, chunk)
	if err := q.Scan(&stored).Error; err != nil {
		return err
	}
	known := make(map[string]*roaring.Bitmap, len(stored))
	for _, s := range stored {
		ids, err := read(s.IDs)
		if err != nil {
			return err
		}
		known[string(s.Gram)] = ids
	}
	var values []any
	for i, gram := range some {
		ids, before := known[gram], uint64(0)
		if ids == nil {
			ids = roaring.New()
		} else {
			before = ids.GetCardinality()
		}
		ids.Or(added[gram])
		if ids.GetCardinality() == before {
			continue
		}
		ids.RunOptimize()
		written, err := ids.ToBytes()
		if err != nil {
			return err
		}
		values = append(values, x.Table, keys[i], chunk, ids.GetCardinality(), written)
	}
	if values == nil {
		return nil
	}
	rows := "(?, ?, ?, ?, ?)" + strings.Repeat(", (?, ?, ?, ?, ?)", len(values)/5-1)
	return tx.Exec(insertGrams+rows, values...).Error
}

// grams yields every part of a text whose length in characters is between the parameters from and to. A part
// that occurs twice is yielded twice.
func grams(text string, from, to int) iter.Seq[string] {
	return func(yield func(string) bool) {
		for i := range text {
			end := i
			for n := 1; n <= to && end < len(text); n++ {
				_, size := utf8.DecodeRuneInString(text[end:])
				if end += size; n >= from && !yield(text[i:end]) {
					return
				}
			}
		}
	}
}
