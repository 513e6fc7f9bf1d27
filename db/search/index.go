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

	"example.com/b2b/db"
)

const (
	minBatch  = 100     // unindexed rows that are worth it: a search compares fewer in no time, and the index is written seldom
	batch     = 1 << 15 // rows that are indexed at once, which bounds the memory
	statement = 500     // rows that one statement reads or writes, which bounds how long others wait for a lock
)

// UpdateDue is Update once at least minBatch rows are unindexed, and does nothing before. Call it every few
// seconds.
func (x Index) UpdateDue(ctx context.Context, g *gorm.DB) (rows int, err error) {
	var ids []int64
	err = g.WithContext(ctx).Table(x.Table).Where("unindexed = 1").Limit(minBatch).Pluck("id", &ids).Error
	if err != nil || len(ids) < minBatch {
		return 0, err
	}
	return x.Update(ctx, g)
}

// Update indexes all rows that are unindexed, and returns how many. Any number of instances may run it at
// once; a row that changes meanwhile stays unindexed.
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
				_, err := db.UpdateEach(tx.Table(x.Table), some, "indexed_text")
				return err
			})
			if err != nil {
				return total, err
			}
		}
		last, total = rows[len(rows)-1].ID, total+len(rows)
	}
}

// row is one of the table.
type row struct {
	ID          int64
	IndexedText string // what is to be indexed
	Folded      string
}

func (r row) Key() int64 { return r.ID }

// unindexed reads the next rows behind an id, up to batch.
func (x Index) unindexed(g *gorm.DB, last int64) (rows []row, err error) {
	for len(rows) < batch {
		var some []row
		q := g.Table(x.Table).Select("id, " + x.text() + " AS indexed_text, " + db.Folded(g, x.text()) + " AS folded")
		if err := q.Where("unindexed = 1 AND id > ?", last).Order("id").Limit(4 * statement).Find(&some).Error; err != nil {
			return nil, err
		}
		if len(some) == 0 {
			break
		}
		rows, last = append(rows, some...), some[len(some)-1].ID
	}
	return rows, nil
}

// text is an SQL expression for what is indexed of a row, as the column unindexed has it.
func (x Index) text() string { return "CONCAT(" + strings.Join(x.Columns, ", '|', ") + ", '|')" }

// add adds to the index what is in rows of a chunk.
func (x Index) add(ctx context.Context, g *gorm.DB, chunk int64, rows []row) error {
	found := map[string]*roaring.Bitmap{}
	for _, r := range rows {
		for gram := range grams(r.Folded, 1, 3) {
			ids := found[gram]
			if ids == nil {
				ids = roaring.New()
				found[gram] = ids
			}
			ids.Add(offset(r.ID))
		}
	}
	for some := range slices.Chunk(slices.Sorted(maps.Keys(found)), statement) {
		if err := db.InTx(ctx, g, func(tx *gorm.DB) error { return x.merge(tx, chunk, found, some) }); err != nil {
			return err
		}
	}
	return nil
}

// merge adds what was found of some grams to what the index has.
func (x Index) merge(tx *gorm.DB, chunk int64, found map[string]*roaring.Bitmap, some []string) error {
	// Who else merges waits for this row, and reads after it: what one of two writes must not be lost.
	if err := tx.Exec("REPLACE INTO search_grams (subject, gram, chunk, hits, ids) VALUES (?, X'', 0, 0, X'')", x.Table).Error; err != nil {
		return err
	}
	keys := make([][]byte, len(some))
	for i, gram := range some {
		keys[i] = []byte(gram)
	}
	var stored []struct{ Gram, IDs []byte }
	if err := tx.Table("search_grams").Select("gram, ids").Where("subject = ? AND gram IN ? AND chunk = ?", x.Table, keys, chunk).Scan(&stored).Error; err != nil {
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
		ids.Or(found[gram])
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
	return tx.Exec("REPLACE INTO search_grams (subject, gram, chunk, hits, ids) VALUES (?, ?, ?, ?, ?)"+
		strings.Repeat(", (?, ?, ?, ?, ?)", len(values)/5-1), values...).Error
}

// grams yields the parts of from to to characters of a text, some of them several times.
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
