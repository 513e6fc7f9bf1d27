package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/doctor"
	"example.com/b2b/v2/internal/config"
)

// onDatabase returns the run function of a command that works on the database. The run function opens the
// database with the function open, calls work, and closes the database. It reads only the groups Database and
// Deployment of the configuration.
func onDatabase(
	open func(context.Context, config.Database) (*gorm.DB, error),
	work func(context.Context, *gorm.DB, io.Writer) error,
) func(context.Context, io.Writer) error {
	return func(ctx context.Context, out io.Writer) error {
		var c config.Settings
		if err := c.Read(&c.Database); err != nil {
			return err
		}
		g, err := open(ctx, c.Database)
		if err != nil {
			return err
		}
		return errors.Join(work(ctx, g, out), db.Close(g))
	}
}

// open opens the database. The error names the variables to check.
func open(ctx context.Context, c config.Database) (*gorm.DB, error) {
	g, err := db.Open(ctx, db.Config(c))
	switch {
	case err == nil:
		return g, nil
	case c.Driver == config.SQLite:
		return nil, fmt.Errorf("%s (DB_PATH) cannot be opened: %w", db.Config(c), err)
	}
	return nil, fmt.Errorf("%s (DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME, DB_TLS) cannot be used: %w",
		db.Config(c), err)
}

// openExisting is like open, but fails when the file of SQLite is missing. open would create an empty file.
func openExisting(ctx context.Context, c config.Database) (*gorm.DB, error) {
	if c.Driver == config.SQLite {
		if _, err := os.Stat(c.Path); err != nil {
			return nil, fmt.Errorf("DB_PATH: %w", err)
		}
	}
	return open(ctx, c)
}

func migrate(ctx context.Context, g *gorm.DB, out io.Writer) error {
	steps, err := db.Migrate(ctx, g)
	if err != nil {
		return err
	}
	fmt.Fprintf(out, "The schema is up to date (%d new steps).\n", steps)
	return nil
}

func seed(ctx context.Context, g *gorm.DB, out io.Writer) error {
	if err := db.Migrated(ctx, g); err != nil {
		return err
	}
	loaded, err := db.Seed(ctx, g)
	if err != nil {
		return err
	}
	if loaded {
		fmt.Fprintln(out, "The sample data is loaded.")
	} else {
		fmt.Fprintln(out, "The database has data; nothing was loaded.")
	}
	return nil
}

// backupCommand copies the SQLite database into a file.
type backupCommand struct{ file string }

func (b *backupCommand) run(ctx context.Context, out io.Writer) error {
	var c config.Settings
	if err := c.Read(&c.Database); err != nil {
		return err
	}
	if c.Driver == config.MySQL {
		return fmt.Errorf("%s is not SQLite: copy it by MySQL's own mysqldump "+
			"--single-transaction --set-gtid-purged=OFF --no-tablespaces %[2]s, "+
			"or from a MariaDB server by mariadb-dump --single-transaction %[2]s",
			db.Config(c.Database), c.Database.Name)
	}
	g, err := openExisting(ctx, c.Database)
	if err != nil {
		return err
	}
	if err := errors.Join(db.Backup(ctx, g, b.file), db.Close(g)); err != nil {
		return err
	}
	fmt.Fprintf(out, "%s is copied to %s.\n", db.Config(c.Database), b.file)
	return nil
}

type doctorCommand struct {
	services []*service
	json     bool
}

func (d *doctorCommand) flags(f *flag.FlagSet) {
	f.BoolVar(&d.json, "json", false, "print the result as JSON")
}

func (d *doctorCommand) run(ctx context.Context, g *gorm.DB, out io.Writer) error {
	if err := db.Migrated(ctx, g); err != nil {
		return err
	}
	rules, notes := []doctor.Rule{doctor.Schema()}, []doctor.Rule{}
	for _, s := range d.services {
		rules, notes = append(rules, s.rules...), append(notes, s.notes...)
	}
	checks, err := doctor.Examine(ctx, g, rules)
	if err != nil {
		return err
	}
	noted, err := doctor.Examine(ctx, g, notes)
	if err != nil {
		return err
	}
	healthy := doctor.Healthy(checks)
	if d.json {
		err = json.NewEncoder(out).Encode(map[string]any{"healthy": healthy, "checks": checks, "notes": noted})
	} else {
		tables := &checked{Writer: out}
		doctor.Print(tables, checks)
		doctor.PrintNotes(tables, noted)
		err = tables.err
	}
	if err != nil {
		return err
	}
	if !healthy {
		return errors.New("the database breaks a rule that must always hold")
	}
	return nil
}
