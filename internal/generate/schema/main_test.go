package main

import (
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

func TestSchemaFileIsCurrent(t *testing.T) {
	want, err := schema(os.DirFS("../../../db/migrations"))
	if err != nil {
		t.Fatal(err)
	}
	if got, err := os.ReadFile("../../../db/schema.sql"); err != nil || string(got) != want {
		t.Errorf("schema.sql is not what the migrations say; run make generate (%v)", err)
	}
}
