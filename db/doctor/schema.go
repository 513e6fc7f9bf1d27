package doctor

import (
	"maps"
	"slices"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
)

// Schema returns the rule that the database has the constraints that the migrations make. The ids of the rule
// are names of constraints.
func Schema() Rule {
	return Rule{
		Name: "schema has the CHECKs, unique indexes and foreign keys of the migrations",
		Examine: func(tx *gorm.DB, broken func(id string)) (checked int64, err error) {
			made, present, err := db.Constraints(tx)
			for _, name := range slices.Sorted(maps.Keys(made)) {
				if present[name] != made[name] {
					broken(name)
				}
			}
			return int64(len(made)), err
		},
	}
}
