// Command schema writes schema.sql, MySQL's whole schema in one file, from the migrations. It runs in the
// folder db.
package main

import (
	"fmt"
	"io/fs"
	"log"
	"os"
	"strings"

	"github.com/pressly/goose/v3"
)

const head = `-- Code generated from migrations/ by "make generate". DO NOT EDIT.
-- The whole MySQL schema, to read and for the server's own init hook: what migrating an empty database makes, with the versions,
-- so that a service that starts on it finds nothing left to migrate.

SET NAMES utf8mb4;
`

func main() {
	log.SetFlags(0)
	sql, err := schema(os.DirFS("migrations"))
	if err == nil {
		err = os.WriteFile("schema.sql", []byte(sql), 0o644)
	}
	if err != nil {
		log.Fatal("schema: ", err)
	}
}

// schema joins versions.sql and the Up part of each file in mysql/, by name, each followed by its version.
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
		all += fmt.Sprintf("\n-- %s\n%s\n\nINSERT INTO goose_db_version (version_id, is_applied) VALUES (%d, TRUE);\n", file, up, version)
	}
	return all, nil
}

// upPart is what goose runs to go up. The mysql client knows none of goose's other annotations, so there may
// be none.
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
