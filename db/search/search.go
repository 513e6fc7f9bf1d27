// Package search finds the rows of a table that contain a text in some columns, with an index in the table
// search_grams. The package knows no service.
//
// The index maps each gram, a part of 1 to 3 characters of a folded text, to the ids of the rows with the
// gram. The column folded_text has the folded text of an indexed row: see Fold. The index may also list a row
// whose text has changed since, so a search compares every candidate with the text. A row that is not in the
// index yet has 1 in the generated column unindexed, and a search folds each such row and compares it with
// the text. So a search is correct at any time, and code that writes rows need not know of the index.
package search

import (
	"cmp"
	"iter"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"github.com/RoaringBitmap/roaring/v2"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
)

// Index is the index of some columns of a table. The table needs the columns id, indexed_text, folded_text
// and unindexed: see migration 00006.
type Index struct {
	Table   string
	Columns []string
}

// Row is a row of a table with an index, a gorm model.
type Row interface {
	Key() int64
	Texts() []string // values of the columns of the index
}

const (
	chunkBits  = 16      // a chunk has 1<<chunkBits ids; the low bits of an id are its offset
	maxGrams   = 16      // largest number of grams that a search looks up for its text
	maxBitmaps = 4       // number of grams whose bitmaps a search reads: the rarest grams
	maxPending = 1000    // with more unindexed rows, a search compares all rows with its text
	maxTried   = 1000    // largest number of candidates that a statement compares
	maxScanned = 10_000  // largest number of rows that a statement returns
	firstRead  = 1 << 14 // bytes of bitmaps that the first statement reads; the next reads 4 times more
)

// Page is like db.Page, for the rows of q that contain the text in some column of the index, after the text
// and the column are folded. q may have any conditions on the table. When q selects few rows, Scan is faster.
func Page[T Row](q *gorm.DB, x Index, text string, w db.PageRequest) ([]T, *int64, error) {
	s := newLookup[T](q, x, text, w)
	// Read the unindexed rows before the index. Otherwise a row that is indexed between the two reads would
	// be missed.
	pending, err := s.pending()
	if err != nil {
		return nil, nil, err
	}
	grams := gramsOf(s.folded)
	if pending == nil || grams == nil {
		return s.page(s.scanned)
	}
	if err := s.findChunks(grams, pending); err != nil {
		return nil, nil, err
	}
	return s.page(s.candidates)
}

// Scan is like Page, without the index.
func Scan[T Row](q *gorm.DB, x Index, text string, w db.PageRequest) ([]T, *int64, error) {
	s := newLookup[T](q, x, text, w)
	return s.page(s.scanned)
}

// gramsOf returns grams that every match must contain, because the folded text contains them: at most
// maxGrams grams, of the greatest possible length, spread over the alphabet. For an empty text, gramsOf
// returns nil.
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

// lookup is the state of one call of Page or Scan.
type lookup[T Row] struct {
	matching *gorm.DB // the caller's query without the indexed rows that lack the text
	q        *gorm.DB // a query without conditions
	x        Index
	folded   string // the text of the search, folded
	w        db.PageRequest
	grams    [][]byte // the rarest grams of the text, whose bitmaps are read
	chunks   []chunk  // chunks that are not read yet, in the order of the page
}

func newLookup[T Row](q *gorm.DB, x Index, text string, w db.PageRequest) *lookup[T] {
	s := &lookup[T]{x: x, folded: Fold(text), w: w, q: q.Session(&gorm.Session{NewDB: true})}
	s.matching = q.Where("(unindexed = 1 OR INSTR(folded_text, ?) > 0)", s.folded).Session(&gorm.Session{})
	return s
}

// page reads the candidates that match, until the page is full, and returns the page and the cursor of the
// next page. The parameter candidates yields ids of possible matches, in the order of the page.
func (s *lookup[T]) page(candidates iter.Seq2[int64, error]) ([]T, *int64, error) {
	var rows []T
	var some []int64
	try := func() error {
		defer func() { some = some[:0] }()
		for row, err := range s.rows(s.matching.Where("id IN ?", some)) {
			if rows = append(rows, row); err != nil || len(rows) > int(s.w.Limit) {
				return err
			}
		}
		return nil
	}
	most := int(s.w.Limit) + 1 // number of candidates that the next statement compares
	for id, err := range candidates {
		if err != nil {
			return nil, nil, err
		}
		if some = append(some, id); len(some) < most {
			continue
		}
		if err := try(); err != nil {
			return nil, nil, err
		}
		if len(rows) > int(s.w.Limit) {
			break
		}
		most = min(most*4, maxTried)
	}
	if len(some) > 0 {
		if err := try(); err != nil {
			return nil, nil, err
		}
	}
	rows, next := db.Trim(rows, false, s.w)
	return rows, next, nil
}

// rows yields the rows of q whose texts contain the search text, sorted as the caller of Page asks. Each
// statement reads up to four times as many rows as the statement before.
func (s *lookup[T]) rows(q *gorm.DB) iter.Seq2[T, error] {
	q = q.Session(&gorm.Session{})
	return func(yield func(row T, err error) bool) {
		for w := s.w; ; w.Limit = min(w.Limit*4, maxScanned) {
			rows, cut, err := db.Rows[T](q, w)
			if err != nil {
				yield(*new(T), err)
				return
			}
			for _, row := range rows {
				if s.contains(row) && !yield(row, nil) {
					return
				}
			}
			if len(rows) <= int(w.Limit) && !cut {
				return
			}
			w.Cursor = new(rows[len(rows)-1].Key())
		}
	}
}

// contains reports whether some column of the row contains the text.
func (s *lookup[T]) contains(row T) bool {
	return slices.ContainsFunc(row.Texts(), func(t string) bool { return strings.Contains(Fold(t), s.folded) })
}

// scanned yields the ids of all matches, in the order of the page.
func (s *lookup[T]) scanned(yield func(id int64, err error) bool) {
	for row, err := range s.rows(s.matching.Select(s.columns())) {
		if !yield(row.Key(), err) {
			return
		}
	}
}

// columns returns the columns that the method contains needs, and the id.
func (s *lookup[T]) columns() []string { return append([]string{"id"}, s.x.Columns...) }

// chunk is a range of 1<<chunkBits ids with possible matches.
type chunk struct {
	number  int64
	bytes   int             // estimated size of the bitmaps to read; 0 when only unindexed rows may match
	pending *roaring.Bitmap // offsets of unindexed rows; nil when there are none
}

// pending returns the offsets of the unindexed rows that contain the text, by chunk. With more than
// maxPending unindexed rows, it returns nil.
func (s *lookup[T]) pending() (map[int64]*roaring.Bitmap, error) {
	var rows []T
	q := s.w.Apply(s.q.Table(s.x.Table).Unscoped()).Where("unindexed = 1").Limit(maxPending + 1)
	err := q.Select(s.columns()).Find(&rows).Error
	if err != nil || len(rows) > maxPending {
		return nil, err
	}
	all := map[int64]*roaring.Bitmap{}
	for _, row := range rows {
		if !s.contains(row) {
			continue
		}
		id := row.Key()
		if all[id>>chunkBits] == nil {
			all[id>>chunkBits] = roaring.New()
		}
		all[id>>chunkBits].Add(offset(id))
	}
	return all, nil
}

// offset returns the place of an id in its chunk.
func offset(id int64) uint32 { return uint32(id & (1<<chunkBits - 1)) }

// findChunks sets s.chunks to the chunks in which rows may match: chunks with all grams of the text, or with
// unindexed rows that contain the text. It sets s.grams to the rarest grams of the text.
func (s *lookup[T]) findChunks(grams [][]byte, pending map[int64]*roaring.Bitmap) error {
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

// candidates yields the ids of possible matches, in the order of the page. It reads bitmaps only as needed,
// and more bitmaps with each statement.
func (s *lookup[T]) candidates(yield func(id int64, err error) bool) {
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

// having returns, by chunk, the offsets of the rows that are in the bitmaps of all s.grams.
func (s *lookup[T]) having(chunks []chunk) (map[int64]*roaring.Bitmap, error) {
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

// each yields the ids of the rows at the offsets in a chunk, in the order of the page, without the rows up to
// the cursor. It returns false when the function yield has returned false.
func (s *lookup[T]) each(chunk int64, offsets *roaring.Bitmap, yield func(id int64) bool) bool {
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

// read decodes a bitmap of the index.
func read(stored []byte) (*roaring.Bitmap, error) {
	b := roaring.New()
	_, err := b.FromBuffer(stored)
	return b, err
}
