package db

import (
	"context"
	"database/sql"
	"embed"
	"errors"
	"io/fs"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/pressly/goose/v3"
	"gorm.io/gorm"
)

//go:generate go run ./schema

//go:embed migrations
var migrations embed.FS

// Migrate brings the schema to the newest version and returns how many steps that took. Several processes may start it at
// once: one works, the others wait and find nothing left to do.
func Migrate(ctx context.Context, g *gorm.DB) (int, error) {
	pool, err := g.DB()
	if err != nil {
		return 0, err
	}
	dialect, options := goose.DialectMySQL, []goose.ProviderOption{goose.WithSessionLocker(migrationLock{})}
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
	// fails, has changed nothing by the migration that it lost, and finds it done when it looks again.
	steps := 0
	return backoff.Retry(ctx, func() (int, error) {
		results, err := provider.Up(ctx)
		var lost *goose.PartialError
		if errors.As(err, &lost) {
			results = lost.Applied
		}
		steps += len(results)
		return steps, err
	}, backoff.WithMaxTries(10))
}

// prepareVersions makes goose's table of versions with its first row. Goose does so before it takes the lock, and in two steps that
// others see, or that a kill parts: whoever finds the table without the row fails.
func prepareVersions(ctx context.Context, pool *sql.DB) (err error) {
	statements, err := migrations.ReadFile("migrations/versions.sql")
	if err != nil {
		return err
	}
	conn, err := pool.Conn(ctx)
	if err != nil {
		return err
	}
	defer func() { giveBack(conn, err == nil) }()
	if err := (migrationLock{}).SessionLock(ctx, conn); err != nil {
		return err
	}
	for statement := range strings.SplitSeq(strings.TrimSpace(string(statements)), ";\n") {
		if _, err := conn.ExecContext(ctx, statement); err != nil {
			return err
		}
	}
	return migrationLock{}.SessionUnlock(ctx, conn)
}

// migrationLock implements goose's lock.SessionLocker.
type migrationLock struct{}

const migrationLockName = "migrate"

func (migrationLock) SessionLock(ctx context.Context, conn *sql.Conn) error {
	_, err := backoff.Retry(ctx, func() (struct{}, error) {
		got, err := lock(ctx, conn, migrationLockName, time.Minute)
		if err != nil {
			err = backoff.Permanent(err)
		} else if !got {
			err = errors.New("another process has been migrating this database for a minute")
		}
		return struct{}{}, err
	}, backoff.WithMaxElapsedTime(time.Minute))
	return err
}

func (migrationLock) SessionUnlock(ctx context.Context, conn *sql.Conn) error {
	return unlock(ctx, conn, migrationLockName)
}
