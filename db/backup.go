package db

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"gorm.io/gorm"
)

// Backup copies an SQLite database into a new file, while other processes read and write. The copy has every
// transaction that was committed before the call, and no part of a transaction. The file gets its name once
// the copy is complete and on the disk. Errors: fs.ErrExist when the file exists, and an error when the
// database has no schema.
//
// While Backup reads, SQLite cannot truncate its write-ahead log, so the log grows with the writes of other
// processes.
func Backup(ctx context.Context, g *gorm.DB, file string) (err error) {
	if _, err := os.Lstat(file); err == nil {
		return fmt.Errorf("%s: %w", file, fs.ErrExist)
	}
	if !g.WithContext(ctx).Migrator().HasTable("goose_db_version") {
		return errors.New("the database has no schema")
	}
	// CreateTemp lets only the owner read the file.
	part, err := os.CreateTemp(filepath.Dir(file), filepath.Base(file)+".part-*")
	if err != nil {
		return err
	}
	defer func() {
		if err != nil {
			err = errors.Join(err, os.Remove(part.Name()))
		}
	}()
	err = g.WithContext(ctx).Exec("VACUUM INTO ?", part.Name()).Error
	if err = errors.Join(err, part.Sync(), part.Close()); err != nil { // SQLite itself does not sync this file
		return err
	}
	return os.Rename(part.Name(), file)
}
