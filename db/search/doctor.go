package search

import (
	"fmt"
	"slices"
	"strconv"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db/doctor"
)

// sampleSize is the approximate number of examined rows. The rows are spread over the table.
const sampleSize = 1000

// Rule returns a rule for the doctor: the folded text of every indexed row is stored, and the index has the
// row under all grams of that text. The rule examines a sample of the rows.
func (x Index) Rule() doctor.Rule {
	sample := " (a sample of about " + strconv.Itoa(sampleSize) + ")"
	name := "search finds a row of " + x.Table + " by its text" + sample
	return doctor.Rule{Name: name, Table: x.Table, Examine: x.examine}
}

// Note returns a note for the doctor: the rows that have waited for a job to index them for 5 minutes. The
// note lists nothing when fewer than minBatch rows wait, because the job does not index fewer rows.
func (x Index) Note() doctor.Rule {
	return doctor.Rule{
		Name:  "text of " + x.Table + " that no job has added to the search index for 5 minutes",
		Table: x.Table,
		Query: fmt.Sprintf(`SELECT id FROM %[1]s WHERE unindexed = 1 AND updated_at < ? AND %[2]d <=
			(SELECT COUNT(*) FROM %[1]s WHERE unindexed = 1) ORDER BY id`, x.Table, minBatch),
		Values: doctor.Before(5 * time.Minute),
	}
}

func (x Index) examine(tx *gorm.DB, broken func(id string)) (checked int64, err error) {
	var indexed int64
	if err := tx.Table(x.Table).Where("unindexed IS NULL").Count(&indexed).Error; err != nil {
		return 0, err
	}
	var rows []row
	// The sample is every step-th id, beginning with the lowest id. If it began elsewhere, it could have only
	// even ids, and would find no row in a table whose ids are all odd.
	step := max(1, indexed/sampleSize)
	q := tx.Table(x.Table).Select("id, folded_text, "+x.text()+" AS indexed_text").
		Where("unindexed IS NULL AND id % ? = (SELECT MIN(id) % ? FROM "+x.Table+" WHERE unindexed IS NULL)",
			step, step)
	if err := q.Order("id").Limit(2 * sampleSize).Find(&rows).Error; err != nil {
		return 0, err
	}
	for _, r := range rows {
		var all [][]byte
		for gram := range grams(Fold(r.IndexedText), 1, 3) {
			all = append(all, []byte(gram))
		}
		slices.SortFunc(all, slices.Compare)
		all = slices.CompactFunc(all, slices.Equal)
		var stored [][]byte
		q := tx.Table("search_grams").
			Where("subject = ? AND chunk = ? AND gram IN ?", x.Table, r.ID>>chunkBits, all)
		if err := q.Pluck("ids", &stored).Error; err != nil {
			return 0, err
		}
		present := 0
		for _, s := range stored {
			ids, err := read(s)
			if err != nil {
				return 0, err
			}
			if ids.Contains(offset(r.ID)) {
				present++
			}
		}
		if present < len(all) || r.FoldedText != Fold(r.IndexedText) {
			broken(strconv.FormatInt(r.ID, 10))
		}
	}
	return int64(len(rows)), nil
}
