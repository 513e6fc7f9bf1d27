package db

import (
	"context"
	"errors"

	"gorm.io/gorm"

	"example.com/b2b/internal/apperr"
)

// Ready asks the database whether it does a service's work: it answers, has the table, and lets this user write there. The table
// is one of the service's own and has a column id. It costs one statement, which changes no row and locks none, but is refused
// where a change would be. On SQLite it also writes one page and waits for the disk, as the smallest order does, because nothing
// less finds a disk that is full. A full MySQL is found by requests only. Its error is apperr's unavailable.
func Ready(ctx context.Context, g *gorm.DB, table string) error {
	err := g.WithContext(ctx).Exec("UPDATE " + table + " SET id = id WHERE 1 = 0").Error
	if err == nil && g.Name() == SQLite {
		err = g.WithContext(ctx).Exec("PRAGMA user_version = 1").Error
	}
	if err != nil && !errors.As(err, new(*apperr.Error)) {
		err = apperr.Unavailable.Because(err)
	}
	return err
}
