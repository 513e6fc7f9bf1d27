// Package search finds the rows of a table that have a text in them, literally and whatever its case, as
// db.Containing does, through an index in the table search_grams. It knows no service.
//
// The index says of each gram, which is 1, 2 or 3 characters of a folded text, in which rows it is. It may
// name rows that no longer have it: what it names is compared literally. Rows whose text it does not know yet
// are unindexed, as a generated column says, and a search compares those, too. So a search is right at any
// moment, and who writes a row need not know of the index.
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

// Index is what is searched of a table, which has the columns id, indexed_text and unindexed: see the
// migration.
type Index struct {
	Table   string
	Columns []string
}

const (
	chunkBits  = 16      // of an id: its place in a chunk, whose rows of the index are one bitmap for each gram
	mostGrams  = 16      // of a text, which are looked up in the index
	mostRead   = 4       // of these, the rarest, whose bitmaps are read
	maxPending = 1000    // unindexed rows that a search compares; when there are more, it compares all rows
	mostTried  = 1000    // rows that one statement compares
	firstRead  = 1 << 14 // bytes of bitmaps that the first statement reads; each further one reads four times as many
)

// Page is db.Page for the rows of q that have text in one of the columns. q may be any query of the table,
// but should leave many of its rows: few are found faster by db.Containing.
func Page[T interface{ Key() int64 }](q *gorm.DB, x Index, text string, w db.PageRequest) ([]T, *int64, error) {
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
	var some []int64
	try := func() error {
		more, err := db.Rows[T](found.Where("id IN ?", some), w)
		rows, some = append(rows, more...), some[:0]
		return err
	}
	most := int(w.Limit) + 1 // in one statement; more when few of the candidates were found
	for id, err := range s.candidates {
		if err != nil {
			return nil, nil, err
		}
		if some = append(some, id); len(some) < most {
			continue
		}
		if err := try(); err != nil {
			return nil, nil, err
		}
		if len(rows) > int(w.Limit) {
			break
		}
		most = min(most*4, mostTried)
	}
	if len(some) > 0 {
		if err := try(); err != nil {
			return nil, nil, err
		}
	}
	rows, next := db.Trim(rows, w)
	return rows, next, nil
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
	x      Index
	w      db.PageRequest
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
	if err := s.w.Apply(s.q.Table(s.x.Table)).Where("unindexed = 1").Limit(maxPending+1).Pluck("id", &ids).Error; err != nil || len(ids) > maxPending {
		return nil, err
	}
	all := map[int64]*roaring.Bitmap{}
	for _, id := range ids {
		if all[id>>chunkBits] == nil {
			all[id>>chunkBits] = roaring.New()
		}
		all[id>>chunkBits].Add(offset(id))
	}
	return all, nil
}

// offset is where an id is in its chunk.
func offset(id int64) uint32 { return uint32(id & (1<<chunkBits - 1)) }

// findChunks finds those that have all grams, or rows that wait, and the grams of which they have the fewest.
func (s *lookup) findChunks(grams [][]byte, waiting map[int64]*roaring.Bitmap) error {
	q := s.q.Table("search_grams").Select("gram, chunk, hits").Where("subject = ? AND gram IN ?", s.x.Table, grams)
	newestFirst := s.w.Sort == db.NewestFirst
	if seen := s.w.AfterID(); seen > 0 {
		q = q.Where(map[bool]string{false: "chunk >= ?", true: "chunk <= ?"}[newestFirst], seen>>chunkBits)
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

// candidates yields the rows that may be found, in the order of the page. It reads bitmaps as they are
// needed, more and more at once.
func (s *lookup) candidates(yield func(id int64, err error) bool) {
	for budget := firstRead; len(s.chunks) > 0; budget *= 4 {
		n, bytes := 1, s.chunks[0].bytes
		for ; n < len(s.chunks) && bytes+s.chunks[n].bytes <= budget; n++ {
			bytes += s.chunks[n].bytes
		}
		having, err := s.having(s.chunks[:n])
		if err != nil {
			yield(0, err)
			return
		}
		for _, c := range s.chunks[:n] {
			ids := roaring.New()
			if indexed := having[c.number]; indexed != nil {
				ids = indexed
			}
			if c.waiting != nil {
				ids.Or(c.waiting)
			}
			if !s.each(c.number, ids, func(id int64) bool { return yield(id, nil) }) {
				return
			}
		}
		s.chunks = s.chunks[n:]
	}
}

// having reads which rows of chunks have all grams whose bitmaps are read.
func (s *lookup) having(chunks []chunk) (map[int64]*roaring.Bitmap, error) {
	var numbers []int64
	for _, c := range chunks {
		if c.bytes > 0 {
			numbers = append(numbers, c.number)
		}
	}
	if numbers == nil {
		return nil, nil
	}
	var rows []struct {
		Chunk int64
		IDs   []byte
	}
	q := s.q.Table("search_grams").Select("chunk, ids").Where("subject = ? AND gram IN ? AND chunk IN ?", s.x.Table, s.grams, numbers)
	if err := q.Scan(&rows).Error; err != nil {
		return nil, err
	}
	all := map[int64]*roaring.Bitmap{}
	for _, r := range rows {
		ids, err := read(r.IDs)
		if err != nil {
			return nil, err
		}
		if others := all[r.Chunk]; others != nil {
			ids.And(others)
		}
		all[r.Chunk] = ids
	}
	return all, nil
}

// each yields the rows of a chunk behind the cursor, in the order of the page.
func (s *lookup) each(chunk int64, places *roaring.Bitmap, yield func(id int64) bool) bool {
	newestFirst := s.w.Sort == db.NewestFirst
	if seen := s.w.AfterID(); seen > 0 && seen>>chunkBits == chunk {
		if at := uint64(offset(seen)); newestFirst {
			places.RemoveRange(at, 1<<chunkBits)
		} else {
			places.RemoveRange(0, at+1)
		}
	}
	var it roaring.IntIterable = places.Iterator()
	if newestFirst {
		it = places.ReverseIterator()
	}
	for it.HasNext() {
		if !yield(chunk<<chunkBits + int64(it.Next())) {
			return false
		}
	}
	return true
}

// read reads a bitmap of the index.
func read(stored []byte) (*roaring.Bitmap, error) {
	b := roaring.New()
	_, err := b.FromBuffer(stored)
	return b, err
}
