package search

import (
	"slices"
	"strconv"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/db/doctor"
)

// sampled is how many rows the doctor looks at, about, spread over the table.
const sampled = 1000

// Rule is that the index has what it says to have of a row.
func (x Index) Rule() doctor.Rule {
	return doctor.Rule{Name: "search finds a row of " + x.Table + " by its text (a sample of about " + strconv.Itoa(sampled) + ")", Table: x.Table, Examine: x.examine}
}

func (x Index) examine(tx *gorm.DB, broken func(id string)) (checked int64, err error) {
	var indexed int64
	if err := tx.Table(x.Table).Where("unindexed IS NULL").Count(&indexed).Error; err != nil {
		return 0, err
	}
	var rows []row
	q := tx.Table(x.Table).Select("id, "+db.Folded(tx, x.text())+" AS folded").Where("unindexed IS NULL AND id % ? = 0", max(1, indexed/sampled))
	if err := q.Order("id").Limit(2 * sampled).Find(&rows).Error; err != nil {
		return 0, err
	}
	for _, r := range rows {
		var all [][]byte
		for gram := range grams(r.Folded, 1, 3) {
			all = append(all, []byte(gram))
		}
		slices.SortFunc(all, slices.Compare)
		all = slices.CompactFunc(all, slices.Equal)
		var stored [][]byte
		q := tx.Table("search_grams").Where("subject = ? AND chunk = ? AND gram IN ?", x.Table, r.ID>>chunkBits, all)
		if err := q.Pluck("ids", &stored).Error; err != nil {
			return 0, err
		}
		there := 0
		for _, s := range stored {
			ids, err := read(s)
			if err != nil {
				return 0, err
			}
			if ids.Contains(offset(r.ID)) {
				there++
			}
		}
		if there < len(all) {
			broken(strconv.FormatInt(r.ID, 10))
		}
	}
	return int64(len(rows)), nil
}
