package main

import (
	"fmt"
	"os"
	"strings"
	"testing"
	"testing/fstest"
)

func TestSchema(t *testing.T) {
	files := func(second string) fstest.MapFS {
		return fstest.MapFS{
			"versions.sql": {Data: []byte("CREATE goose_db_version;\n")},
			"mysql/00001_init.sql": {
				Data: []byte("-- +goose Up\nCREATE a;\n\nCREATE b;\n\n-- +goose Down\nDROP a;\n"),
			},
			"mysql/00002_add_text.sql": {Data: []byte(second)},
		}
	}
	const want = `
CREATE goose_db_version;

-- mysql/00001_init.sql
CREATE a;

CREATE b;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (1, TRUE);

-- mysql/00002_add_text.sql
ALTER a;

INSERT INTO goose_db_version (version_id, is_applied) VALUES (2, TRUE);
`
	got, err := schema(files("-- +goose Up\nALTER a;\n"))
	if err != nil || strings.TrimPrefix(got, head) != want {
		t.Errorf("%v\n%s", err, got)
	}
	for refused, text := range map[string]string{
		"no line":             "ALTER a;\n",
		"cannot be put":       "-- +goose Up\n-- +goose StatementBegin\nCREATE t;\n-- +goose StatementEnd\n",
		"00002_add_text.sql:": "",
	} {
		if _, err := schema(files(text)); err == nil || !strings.Contains(err.Error(), refused) {
			t.Errorf("%q: %v", text, err)
		}
	}
}

func TestDraw(t *testing.T) {
	const sql = `ALTER TABLE a ADD COLUMN old TEXT NULL;
SET @statement = IF(TRUE, 'DO 0',
  'ALTER TABLE a ADD COLUMN b VARCHAR(100) NULL, ADD COLUMN c ENUM(''x'', ''y'') NULL, DROP COLUMN old');
ALTER TABLE a ADD COLUMN made BOOLEAN GENERATED ALWAYS AS (b IS NULL) VIRTUAL;
ALTER TABLE a ADD COLUMN made_up VARCHAR(10) GENERATED ALWAYS AS (b) VIRTUAL;
ALTER TABLE missing ADD COLUMN d TEXT NULL;
`
	const before, after = "erDiagram\n    a {\n        bigint id PK\n", "    }\n    z {\n        text b\n    }\n"
	const page, want = before + "        bigint old\n%s" + after, before + "%s        enum c\n" + after
	for _, b := range []string{"        varchar b\n", "        varchar b \"a note\"\n"} {
		got := draw(fmt.Sprintf(page, b), sql)
		if got != fmt.Sprintf(want, b) || draw(got, sql) != got {
			t.Errorf("%s", got)
		}
	}
	if got := draw(fmt.Sprintf(page, ""), sql); got != fmt.Sprintf(want, "        varchar b\n") {
		t.Errorf("%s", got)
	}
}

func TestSchemaFileIsCurrent(t *testing.T) {
	want, err := schema(os.DirFS("../../../db/migrations"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("../../../db/schema.sql"); err != nil || string(got) != want {
		t.Errorf("schema.sql is not what the migrations say; run make generate (%v)", err)
	}
}
