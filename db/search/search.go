// Package search finds the rows of a table with a text in some columns, as db.Containing does, through an
// index in the table search_grams. It knows no service.
//
// The index maps each gram, 1 to 3 characters of a folded text, to the ids of rows. The index may list rows
// with a newer text, so a search compares every candidate literally. Rows not in the index yet have the
// generated column unindexed = 1, and a search compares them, too. So a search is correct at any time, and
// code for writing rows need not know of the index.
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

// Index is the index of some columns of a table. The table needs the columns id, indexed_text and unindexed:
// see migration 00006.
type Index struct {
	Table   string
	Columns []string
}

const (
	chunkBits  = 16      // of an id are its offset in a chunk; a gram has a bitmap for each chunk
	maxGrams   = 16      // grams of a text to look up
	maxBitmaps = 4       // grams of a text, the rarest, to read the bitmaps of
	maxPending = 1000    // unindexed rows to compare; with more of them, a search compares all rows
	maxTried   = 1000    // rows to compare in a statement
	firstRead  = 1 << 14 // bytes of bitmaps for the first statement; each further one 4 times more
)

// Page is db.Page for the rows of q with text in some column of the index. q may have any conditions on the
// table. When q selects few rows, db.Containing is faster.
func Page[T interface{ Key() int64 }](q *gorm.DB, x Index, text string, w db.PageRequest) ([]T, *int64, error) {
	matching := db.Containing(q, text, x.Columns...).Session(&gorm.Session{})
	s := lookup{q: q.Session(&gorm.Session{NewDB: true}), x: x, w: w}
	// Pending rows are read before the index, so that no row is missed when indexed between the two.
	pending, err := s.pending()
	if err != nil {
		return nil, nil, err
	}
	grams := gramsOf(db.Fold(text))
	if pending == nil || grams == nil {
		return db.Page[T](matching, w)
	}
	if err := s.findChunks(grams, pending); err != nil {
		return nil, nil, err
	}
	var rows []T
	var some []int64
	try := func() error {
		more, err := db.Rows[T](matching.Where("id IN ?", some), w)
		rows, some = append(rows, more...), some[:0]
		return err
	}
	most := int(w.Limit) + 1 // candidates in a statement; more after each statement without a full page
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
		most = min(most*4, maxTried)
	}
	if len(some) > 0 {
		if err := try(); err != nil {
			return nil, nil, err
		}
	}
	rows, next := db.Trim(rows, w)
	return rows, next, nil
}

// gramsOf returns grams of the folded text, contained in every match: grams of the longest length, at
// most maxGrams, spread over the alphabet.
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
	some := make([][]byte, min(len(all), maxGrams))
	for i := range some {
		some[i] = all[i*len(all)/len(some)]
	}
	return some
}

// lookup is the state of a search for a page.
type lookup struct {
	q      *gorm.DB
	x      Index
	w      db.PageRequest
	grams  [][]byte // to read the bitmaps of
	chunks []chunk  // not read yet, in the order of the page
}

// chunk is a chunk with possible matches.
type chunk struct {
	number  int64
	bytes   int             // size of the bitmaps, at most; 0 when only pending rows may match
	pending *roaring.Bitmap // offsets of unindexed rows; nil for none
}

// pending returns the unindexed rows by chunk; nil when there are more than maxPending.
func (s *lookup) pending() (map[int64]*roaring.Bitmap, error) {
	var ids []int64
	q := s.w.Apply(s.q.Table(s.x.Table)).Where("unindexed = 1").Limit(maxPending + 1)
	if err := q.Pluck("id", &ids).Error; err != nil || len(ids) > maxPending {
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

// offset is the place of an id in the chunk.
func offset(id int64) uint32 { return uint32(id & (1<<chunkBits - 1)) }

// findChunks sets the chunks with all grams or with pending rows, and the rarest of the grams.
func (s *lookup) findChunks(grams [][]byte, pending map[int64]*roaring.Bitmap) error {
	q := s.q.Table("search_grams").Select("gram, chunk, hits").
		Where("subject = ? AND gram IN ?", s.x.Table, grams)
	newestFirst := s.w.Sort == db.NewestFirst
	if after := s.w.AfterID() >> chunkBits; newestFirst && s.w.AfterID() > 0 {
		q = q.Where("chunk <= ?", after)
	} else {
		q = q.Where("chunk >= ?", after)
	}
	var rows []struct {
		Gram  []byte
		Chunk int64
		Hits  int
	}
	if err := q.Scan(&rows).Error; err != nil {
		return err
	}
	gramsIn, hits := map[int64]int{}, map[string]int{}
	for _, r := range rows {
		gramsIn[r.Chunk]++
		hits[string(r.Gram)] += r.Hits
	}
	slices.SortFunc(grams, func(a, b []byte) int { return cmp.Compare(hits[string(a)], hits[string(b)]) })
	s.grams = grams[:min(len(grams), maxBitmaps)]
	chunks := map[int64]chunk{}
	for number, ids := range pending {
		chunks[number] = chunk{number: number, pending: ids}
	}
	for _, r := range rows {
		isRead := slices.ContainsFunc(s.grams, func(gram []byte) bool { return slices.Equal(gram, r.Gram) })
		if isRead && gramsIn[r.Chunk] == len(grams) {
			bytes := chunks[r.Chunk].bytes + min(2*r.Hits, 1<<chunkBits/8)
			chunks[r.Chunk] = chunk{r.Chunk, bytes, pending[r.Chunk]}
		}
	}
	byNumber := func(a, b chunk) int { return cmp.Compare(a.number, b.number) }
	s.chunks = slices.SortedFunc(maps.Values(chunks), byNumber)
	if newestFirst {
		slices.Reverse(s.chunks)
	}
	return nil
}

// candidates yields the ids of possible matches, in the order of the page. Bitmaps are read as needed,
// with each statement more of them.
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
			if c.pending != nil {
				ids.Or(c.pending)
			}
			if !s.each(c.number, ids, func(id int64) bool { return yield(id, nil) }) {
				return
			}
		}
		s.chunks = s.chunks[n:]
	}
}

// having reads the bitmaps of the rarest grams and returns, by chunk, the rows in all of them.
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
	q := s.q.Table("search_grams").Select("chunk, ids").
		Where("subject = ? AND gram IN ? AND chunk IN ?", s.x.Table, s.grams, numbers)
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

// each yields the ids of a chunk's rows behind the cursor, in the order of the page.
func (s *lookup) each(chunk int64, offsets *roaring.Bitmap, yield func(id int64) bool) bool {
	newestFirst := s.w.Sort == db.NewestFirst
	if seen := s.w.AfterID(); seen > 0 && seen>>chunkBits == chunk {
		if at := uint64(offset(seen)); newestFirst {
			offsets.RemoveRange(at, 1<<chunkBits)
		} else {
			offsets.RemoveRange(0, at+1)
		}
	}
	var it roaring.IntIterable = offsets.Iterator()
	if newestFirst {
		it = offsets.ReverseIterator()
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
