// Command schema writes db/schema.sql, the whole schema of MySQL in one file, from db/migrations. It also
// adds new columns to the diagram of docs/orders.md.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"slices"
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
	return errors.Join(
		os.WriteFile(filepath.Join(db, "schema.sql"), []byte(sql), 0o644),
		generate.Rewrite(filepath.Join(root, "docs", "orders.md"), func(page []byte) ([]byte, error) {
			return []byte(draw(string(page), sql)), nil
		}))
}

var (
	altered = regexp.MustCompile(`ALTER TABLE (\w+) ([^;]*)`)
	column  = regexp.MustCompile(`(ADD|DROP) COLUMN (\w+) ?(\w*)(?:\(\d+\))?( GENERATED)?`)
)

// draw applies the ALTER TABLE statements of a schema to the tables of an ER diagram. An added column becomes
// the last line of its table, unless the table has it already. A dropped column is removed. Generated columns
// are not drawn. All other tables, relations and notes of the diagram are written by hand.
func draw(page, sql string) string {
	for _, statement := range altered.FindAllStringSubmatch(sql, -1) {
		at := regexp.MustCompile(`(?m)^    ` + statement[1] + ` \{\n((?:     .*\n)*)`).FindStringSubmatchIndex(page)
		if at == nil {
			continue
		}
		lines := strings.SplitAfter(page[at[2]:at[3]], "\n")
		for _, c := range column.FindAllStringSubmatch(statement[2], -1) {
			change, name, kind, generated := c[1], c[2], strings.ToLower(c[3]), c[4] != ""
			isDrawn := func(line string) bool {
				words := strings.Fields(line)
				return len(words) > 1 && words[1] == name
			}
			switch {
			case change == "DROP":
				lines = slices.DeleteFunc(lines, isDrawn)
			case !generated && !slices.ContainsFunc(lines, isDrawn):
				lines = append(lines, fmt.Sprintf("        %s %s\n", kind, name))
			}
		}
		page = page[:at[2]] + strings.Join(lines, "") + page[at[3]:]
	}
	return page
}

// schema joins versions.sql and the Up part of each file in mysql/, in the order of the file names. After
// each Up part it adds a statement that records the migration's version in the table of goose.
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
