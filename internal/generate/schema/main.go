// Command schema writes db/schema.sql, the whole schema of MySQL in one file, from db/migrations.
package main

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/pressly/goose/v3"

	"example.com/b2b/v2/internal/generate"
)

const head = `-- Code generated from migrations/ by "make generate". DO NOT EDIT.
-- The whole MySQL schema, to read and for the server's own init hook: the result of migrating an empty
-- database, with the versions, so that a service that starts on it finds nothing left to migrate.

SET NAMES utf8mb4;
SET time_zone = '+00:00';
`

func main() { generate.Run(run) }

func run(root string) error {
	db := filepath.Join(root, "db")
	sql, err := schema(os.DirFS(filepath.Join(db, "migrations")))
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(db, "schema.sql"), []byte(sql), 0o644)
}

// schema joins versions.sql and the Up part of each file in mysql/, in the order of the file names. After
// each Up part it adds a statement that inserts the migration's version, as goose does.
func schema(migrations fs.FS) (string, error) {
	versions, err := fs.ReadFile(migrations, "versions.sql")
	if err != nil {
		return "", err
	}
	files, err := fs.Glob(migrations, "mysql/*")
	if err != nil {
		return "", err
	}
	all := head + "\n" + string(versions)
	for _, file := range files {
		version, err := goose.NumericComponent(file)
		if err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
		text, err := fs.ReadFile(migrations, file)
		if err != nil {
			return "", err
		}
		up, err := upPart(string(text))
		if err != nil {
			return "", fmt.Errorf("%s: %w", file, err)
		}
		all += fmt.Sprintf("\n-- %s\n%s\n\n", file, up) +
			fmt.Sprintf("INSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, TRUE);\n", version)
	}
	return all, nil
}

// upPart returns the statements of a migration's Up part. It refuses other annotations of goose, because the
// mysql client does not know them.
func upPart(text string) (string, error) {
	_, up, found := strings.Cut(text, "-- +goose Up\n")
	if !found {
		return "", fmt.Errorf(`no line "-- +goose Up"`)
	}
	up, _, _ = strings.Cut(up, "-- +goose Down\n")
	if _, annotation, found := strings.Cut(up, "-- +goose "); found {
		return "", fmt.Errorf("-- +goose %.20s… cannot be put into schema.sql", annotation)
	}
	return strings.TrimSpace(up), nil
}
