package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/pressly/goose/v3"
	"gorm.io/gorm"
)

//go:embed migrations
var migrations embed.FS

// seedSQL holds the sample data, in SQL that MySQL and SQLite both read.
//
//go:embed seed.sql
var seedSQL string

// Migrate brings the schema to the newest version and returns how many steps that took. Several processes may start it at
// once: one works, the others wait and find nothing left to do.
func Migrate(ctx context.Context, g *gorm.DB) (int, error) {
	pool, err := g.DB()
	if err != nil {
		return 0, err
	}
	dialect, options := goose.DialectMySQL, []goose.ProviderOption{goose.WithSessionLocker(mysqlLock{})}
	if g.Name() == SQLite {
		dialect, options = goose.DialectSQLite3, nil
	}
	files, err := fs.Sub(migrations, "migrations/"+g.Name())
	if err != nil {
		return 0, err
	}
	provider, err := goose.NewProvider(dialect, pool, files, options...)
	if err != nil {
		return 0, err
	}
	if g.Name() == MySQL {
		if err := prepareVersions(ctx, pool); err != nil {
			return 0, err
		}
		results, err := provider.Up(ctx)
		return len(results), err
	}
	// SQLite has no lock to hold across transactions, but a migration is one transaction with its version. Who loses the race
	// fails, has changed nothing, and finds the work done when it looks again.
	return backoff.Retry(ctx, func() (int, error) {
		results, err := provider.Up(ctx)
		return len(results), err
	}, backoff.WithMaxTries(5))
}

// prepareVersions makes goose's table of versions with its first row. Goose does so before it takes the lock, and in two steps that
// others see, or that a kill parts: whoever finds the table without the row fails.
func prepareVersions(ctx context.Context, pool *sql.DB) error {
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer conn.Close()
	if err := (mysqlLock{}).SessionLock(ctx, conn); err != nil {
		return err
	}
	_, err = conn.ExecContext(ctx, `CREATE TABLE IF NOT EXISTS goose_db_version (
		id BIGINT UNSIGNED NOT NULL AUTO_INCREMENT PRIMARY KEY, version_id BIGINT NOT NULL, is_applied BOOLEAN NOT NULL, tstamp DATETIME NULL DEFAULT NOW())`)
	if err == nil {
		_, err = conn.ExecContext(ctx, "INSERT INTO goose_db_version (version_id, is_applied) SELECT 0, TRUE FROM DUAL WHERE NOT EXISTS (SELECT 1 FROM goose_db_version)")
	}
	return errors.Join(err, mysqlLock{}.SessionUnlock(context.WithoutCancel(ctx), conn))
}

// mysqlLock is a lock that the server frees when the connection ends, whatever ends it.
type mysqlLock struct{}

func (mysqlLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	var got sql.NullInt64
	// The name is the server's, not the database's, and may have 64 characters.
	err := conn.QueryRowContext(ctx, "SELECT GET_LOCK(CONCAT('migrate ', SHA2(DATABASE(), 224)), ?)", int(time.Minute.Seconds())).Scan(&got)
	if err == nil && got.Int64 != 1 {
		err = errors.New("another process has been migrating this database for a minute")
	}
	return err
}

func (mysqlLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	_, err := conn.ExecContext(ctx, "DO RELEASE_LOCK(CONCAT('migrate ', SHA2(DATABASE(), 224)))")
	return err
}

// Seed loads the sample data into a database that has none yet, and reports whether it did.
func Seed(ctx context.Context, g *gorm.DB) (bool, error) {
	loaded := false
	err := InTx(ctx, g, func(tx *gorm.DB) error {
		loaded = false
		var rows int
		err := tx.Raw("SELECT (SELECT COUNT(*) FROM (SELECT id FROM customers LIMIT 1) c) + (SELECT COUNT(*) FROM (SELECT id FROM products LIMIT 1) p)").Scan(&rows).Error
		if err != nil || rows > 0 {
			return err
		}
		for statement := range strings.SplitSeq(strings.TrimSpace(seedSQL), ";\n") {
			if err := tx.Exec(statement).Error; err != nil {
				return fmt.Errorf("seed.sql: %w", err)
			}
		}
		loaded = true
		return nil
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return false, nil // another process loaded it at the same time
	}
	return loaded && err == nil, err
}
