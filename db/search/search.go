// Package search finds the rows of a table that have a text in them, literally and whatever its case, as db.Containing does, through
// an index in the table search_grams. It knows no service.
//
// The index says of each gram, which is 1, 2 or 3 characters of a folded text, in which rows it is. It may name rows that no longer
// have it: what it names is compared literally. Rows whose text it does not know yet are unindexed, as a generated column says, and a
// search compares those, too. So a search is right at any moment, and who writes a row need not know of the index.
package search

import (
	"cmp"
	"maps"
	"slices"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
	"gorm.io/gorm"

	"example.com/b2b/db"
)

// Texts is what is searched of a table, which has the columns id, indexed_text and unindexed: see the migration.
type Texts struct {
	Table   string
	Columns []string
}

const (
	chunkBits = 16      // of an id: its place in a chunk, whose rows of the index are one bitmap for each gram
	mostGrams = 16      // of a text, which are looked up in the index
	mostRead  = 4       // of these, the rarest, whose bitmaps are read
	mostWait  = 1000    // unindexed rows that a search compares; when there are more, it compares all rows
	mostTried = 1000    // rows that one statement compares
	firstRead = 1 << 16 // bytes of bitmaps that the first statement reads; each further one reads twice as many
)

// Page is db.Page for the rows of q that have text in one of the columns. q may be any query of the table, but should leave many of its
// rows: few are found faster by db.Containing.
func Page[T interface{ Key() int64 }](q *gorm.DB, x Texts, text string, w db.Window) ([]T, *int64, error) {
	found := db.Containing(q, text, x.Columns...).Session(&gorm.Session{})
	s := lookup{q: q.Session(&gorm.Session{NewDB: true}), x: x, w: w}
	// The unindexed first: a row that is indexed meanwhile is in the index when that is read.
	waiting, err := s.waiting()
	grams := gramsOf(db.Fold(text))
	if err == nil && (waiting == nil || grams == nil) {
		return db.Page[T](found, w)
	} else if err == nil {
		err = s.findChunks(grams, waiting)
	}
	if err != nil {
		return nil, nil, err
	}
	var rows []T
	tried := int(w.Limit) + 1
	for budget := firstRead; len(s.chunks) > 0; budget *= 2 {
		ids, err := s.candidates(budget)
		if err != nil {
			return nil, nil, err
		}
		for len(ids) > 0 {
			n := min(tried, len(ids))
			more, err := db.Rows[T](found.Where("id IN ?", ids[:n]), w)
			if err != nil {
				return nil, nil, err
			}
			if rows = append(rows, more...); len(rows) > int(w.Limit) {
				rows, next := db.Cut(rows, w)
				return rows, next, nil
			}
			ids, tried = ids[n:], min(tried*4, mostTried)
		}
	}
	return rows, nil, nil
}

// gramsOf returns those that every text has that has folded in it, the longest ones.
func gramsOf(folded string) [][]byte {
	size := min(3, utf8.RuneCountInString(folded))
	if size == 0 {
		return nil
	}
	var all [][]byte
	for gram := range grams(folded, size, size) {
		all = append(all, []byte(gram))
	}
	slices.SortFunc(all, slices.Compare)
	all = slices.CompactFunc(all, slices.Equal)
	some := make([][]byte, min(len(all), mostGrams))
	for i := range some {
		some[i] = all[i*len(all)/len(some)]
	}
	return some
}

// lookup is where one page stands.
type lookup struct {
	q      *gorm.DB
	x      Texts
	w      db.Window
	grams  [][]byte // whose bitmaps are read
	chunks []chunk  // that have not been read, in the order of the page
}

// chunk is one in which there may be rows that are found.
type chunk struct {
	number  int64
	bytes   int             // of its bitmaps, at most; 0 when only waiting may be found
	waiting *roaring.Bitmap // the unindexed rows; nil for none
}

// waiting returns the unindexed rows by chunk; nil when there are too many.
func (s *lookup) waiting() (map[int64]*roaring.Bitmap, error) {
	var ids []int64
	if err := s.w.Of(s.q.Table(s.x.Table)).Where("unindexed = 1").Limit(mostWait+1).Pluck("id", &ids).Error; err != nil || len(ids) > mostWait {
		return nil, err
	}
	all := map[int64]*roaring.Bitmap{}
	for _, id := range ids {
		if all[id>>chunkBits] == nil {
			all[id>>chunkBits] = roaring.New()
		}
		all[id>>chunkBits].Add(place(id))
	}
	return all, nil
}

// place is where an id is in its chunk.
func place(id int64) uint32 { return uint32(id & (1<<chunkBits - 1)) }

// findChunks finds those that have all grams, or rows that wait, and the grams of which they have the fewest.
func (s *lookup) findChunks(grams [][]byte, waiting map[int64]*roaring.Bitmap) error {
	q := s.q.Table("search_grams").Select("gram, chunk, hits").Where("subject = ? AND gram IN ?", s.x.Table, grams)
	newestFirst := s.w.Sort == db.NewestFirst
	if s.w.Cursor != nil && *s.w.Cursor > 0 {
		q = q.Where(map[bool]string{false: "chunk >= ?", true: "chunk <= ?"}[newestFirst], *s.w.Cursor>>chunkBits)
	}
	var rows []struct {
		Gram  []byte
		Chunk int64
		Hits  int
	}
	if err := q.Scan(&rows).Error; err != nil {
		return err
	}
	there, hits := map[int64]int{}, map[string]int{}
	for _, r := range rows {
		there[r.Chunk]++
		hits[string(r.Gram)] += r.Hits
	}
	slices.SortFunc(grams, func(a, b []byte) int { return cmp.Compare(hits[string(a)], hits[string(b)]) })
	s.grams = grams[:min(len(grams), mostRead)]
	found := map[int64]chunk{}
	for number, ids := range waiting {
		found[number] = chunk{number: number, waiting: ids}
	}
	for _, r := range rows {
		if there[r.Chunk] == len(grams) && slices.ContainsFunc(s.grams, func(gram []byte) bool { return slices.Equal(gram, r.Gram) }) {
			c := found[r.Chunk]
			found[r.Chunk] = chunk{r.Chunk, c.bytes + min(2*r.Hits, 1<<chunkBits/8), waiting[r.Chunk]}
		}
	}
	s.chunks = slices.SortedFunc(maps.Values(found), func(a, b chunk) int { return cmp.Compare(a.number, b.number) })
	if newestFirst {
		slices.Reverse(s.chunks)
	}
	return nil
}

// candidates reads the next chunks, as many as their bitmaps fit into a budget of bytes and one at least. It returns the rows that may
// be found there, in the order of the page.
func (s *lookup) candidates(budget int) (ids []int64, err error) {
	n := 0
	var indexed []int64
	for ; n < len(s.chunks) && (n == 0 || s.chunks[n].bytes <= budget); n++ {
		budget -= s.chunks[n].bytes
		if s.chunks[n].bytes > 0 {
			indexed = append(indexed, s.chunks[n].number)
		}
	}
	var rows []struct {
		Chunk int64
		IDs   []byte
	}
	if indexed != nil {
		err = s.q.Table("search_grams").Select("chunk, ids").Where("subject = ? AND gram IN ? AND chunk IN ?", s.x.Table, s.grams, indexed).Scan(&rows).Error
	}
	having := map[int64]*roaring.Bitmap{} // all grams
	for _, r := range rows {
		some, err := read(r.IDs)
		if err != nil {
			return nil, err
		}
		if all := having[r.Chunk]; all != nil {
			some.And(all)
		}
		having[r.Chunk] = some
	}
	for _, c := range s.chunks[:n] {
		all := having[c.number]
		if all == nil {
			all = roaring.New()
		}
		if c.waiting != nil {
			all.Or(c.waiting)
		}
		from := len(ids)
		for it := all.Iterator(); it.HasNext(); {
			id := c.number<<chunkBits + int64(it.Next())
			if s.w.Cursor == nil || *s.w.Cursor <= 0 || id != *s.w.Cursor && id < *s.w.Cursor == (s.w.Sort == db.NewestFirst) {
				ids = append(ids, id)
			}
		}
		if s.w.Sort == db.NewestFirst {
			slices.Reverse(ids[from:])
		}
	}
	s.chunks = s.chunks[n:]
	return ids, err
}

// read reads a bitmap of the index.
func read(stored []byte) (*roaring.Bitmap, error) {
	b := roaring.New()
	_, err := b.FromBuffer(stored)
	return b, err
}
