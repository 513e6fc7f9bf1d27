package db

import (
	"context"
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"path"
	"strings"
	"time"

	"github.com/cenkalti/backoff/v5"
	"github.com/pressly/goose/v3"
	"gorm.io/gorm"
)

var (
	//go:embed migrations
	migrations embed.FS
	//go:embed migrations/versions.sql
	versionsSQL string
	//go:embed seed.sql
	seedSQL string // the sample data, in SQL for both MySQL and SQLite
)

// Migrate brings the schema to the newest version and returns the number of migrations done. Several
// processes may call Migrate at once: the first migrates, and the other processes wait. When no migration is
// missing, the user of the database needs no right to change the schema. When a migration is missing, a user
// without the right gets an error that names the command to run.
func Migrate(ctx context.Context, g *gorm.DB) (int, error) {
	if complete(ctx, g) == nil {
		return 0, nil
	}
	steps, err := migrate(ctx, g)
	if isDenied(err) {
		err = fmt.Errorf("%w; run b2b migrate as a user who may change the schema, and start the services afterwards",
			err)
	}
	return steps, err
}

func migrate(ctx context.Context, g *gorm.DB) (int, error) {
	pool, err := g.DB()
	if err != nil {
		return 0, err
	}
	files, err := fs.Sub(migrations, "migrations/"+g.Name())
	if err != nil {
		return 0, err
	}
	// SQLite has no lock that outlives a transaction, but a migration commits together with the row of its
	// version. When two processes migrate at once, the slower process fails without a change, and finds the
	// migration done at its next try.
	dialect, options := goose.DialectSQLite3, []goose.ProviderOption{}
	mayRepeat := func(error) bool { return true }
	if g.Name() == MySQL {
		dialect = goose.DialectMySQL
		// Other transactions run beside a migration, so a statement of the migration may lose against them.
		// Every statement of a migration can be run again.
		mayRepeat = func(err error) bool { return errors.Is(err, ErrConflict) || errors.Is(err, ErrLocked) }
		options = append(options, goose.WithSessionLocker(lock("migrate")))
		// Goose creates its table before it takes the lock, and inserts the first row in a second step.
		// Between the two steps, or after a kill, other processes would find the table without the row, and
		// fail. So Migrate runs these statements itself.
		for _, statement := range statementsOf(versionsSQL) {
			create := func() error { return g.WithContext(ctx).Exec(statement).Error }
			if err := retry(ctx, 12, time.Minute, create); err != nil {
				return 0, err
			}
		}
	}
	provider, err := goose.NewProvider(dialect, pool, files, options...)
	if err != nil {
		return 0, err
	}
	steps := 0
	return backoff.Retry(ctx, func() (int, error) {
		results, err := provider.Up(ctx)
		var partial *goose.PartialError
		if errors.As(err, &partial) {
			results = partial.Applied
		}
		steps += len(results)
		if err != nil && !mayRepeat(translate(err)) {
			err = backoff.Permanent(err)
		}
		return steps, err
	}, backoff.WithMaxTries(10))
}

// Migrated returns ErrUnavailable when the schema lacks migrations of this program; the error names the first
// missing migration. A newer schema is fine. Once the schema is complete, Migrated no longer asks the
// database.
func Migrated(ctx context.Context, g *gorm.DB) error {
	migrated := g.Dialector.(dialector).migrated
	if migrated.Load() {
		return nil
	}
	ctx, cancel := context.WithTimeout(ctx, readyWithin)
	defer cancel()
	err := complete(ctx, g)
	migrated.Store(err == nil)
	return err
}

// complete returns an error when the schema lacks migrations: see Migrated.
func complete(ctx context.Context, g *gorm.DB) error {
	var version int64
	newest := "SELECT MAX(version_id) FROM goose_db_version WHERE is_applied"
	if err := g.WithContext(ctx).Raw(newest).Scan(&version).Error; err != nil {
		return fmt.Errorf("%w: the schema cannot be read; when it is missing, run b2b migrate, "+
			"or set MIGRATE_ON_START=true: %w", ErrUnavailable, err)
	}
	files, err := fs.Glob(migrations, "migrations/"+g.Name()+"/*.sql") // Glob sorts the files by version
	if err != nil {
		return err
	}
	for _, file := range files {
		number, err := goose.NumericComponent(file)
		if err != nil {
			return err
		}
		if number > version {
			return fmt.Errorf("%w: the schema lacks %s: run b2b migrate, or set MIGRATE_ON_START=true",
				ErrUnavailable, path.Base(file))
		}
	}
	return nil
}

// Seed loads the sample data if all tables of the sample are empty, and reports whether the data was loaded.
func Seed(ctx context.Context, g *gorm.DB) (bool, error) {
	err := InTx(ctx, g, func(tx *gorm.DB) error {
		for _, statement := range statementsOf(seedSQL) {
			_, table, _ := strings.Cut(statement, "INSERT INTO ")
			table, _, _ = strings.Cut(table, " ")
			var filled bool
			if err := tx.Raw("SELECT EXISTS (SELECT 1 FROM " + table + ")").Scan(&filled).Error; err != nil {
				return err
			}
			if filled {
				return gorm.ErrDuplicatedKey
			}
			if err := tx.Exec(statement).Error; err != nil {
				return fmt.Errorf("seed.sql: %w", err)
			}
		}
		if tx.Name() == SQLite {
			return writeSampleTimes(tx)
		}
		return nil
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) { // the tables have rows, or another process has just loaded the data
		return false, nil
	}
	return err == nil, err
}

// writeSampleTimes rewrites the times of the sample data in the form in which the driver writes times,
// because SQLite compares times as texts. The times are whole seconds in UTC.
func writeSampleTimes(tx *gorm.DB) error {
	for _, table := range []struct {
		name    string
		columns []string
	}{
		{"customers", []string{"created_at", "updated_at"}},
		{"products", []string{"created_at", "updated_at"}},
		{"stock_adjustments", []string{"created_at"}},
		{"orders", []string{"created_at", "updated_at", "confirmed_at", "canceled_at"}},
		{"events", []string{"created_at"}},
	} {
		times := map[string]any{}
		for _, column := range table.columns {
			times[column] = gorm.Expr("strftime('%Y-%m-%d %H:%M:%S+00:00', " + column + ")")
		}
		if err := tx.Table(table.name).Where("TRUE").UpdateColumns(times).Error; err != nil {
			return err
		}
	}
	return nil
}

// statementsOf splits a file into its statements. Each statement ends with a semicolon at the end of a line.
func statementsOf(file string) []string { return strings.Split(strings.TrimSpace(file), ";\n") }
