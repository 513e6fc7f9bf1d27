package db_test

import (
	"errors"
	"testing"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// TestReady makes only one table: the readiness of a service must not depend on the tables of another
// service.
func TestReady(t *testing.T) {
	dbtest.EachConfig(t, func(t *testing.T, c db.Config) {
		g, err := db.Open(ctx, c)
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { db.Close(g) })
		unavailable := func(err error) bool { return errors.Is(err, db.ErrUnavailable) }
		if err := db.Ready(ctx, g, "things"); !unavailable(err) {
			t.Errorf("without the table: %v", err)
		}
		if err := g.Exec("CREATE VIEW picture AS SELECT 1 AS id").Error; err != nil {
			t.Fatal(err)
		}
		if err := db.Ready(ctx, g, "picture"); !unavailable(err) {
			t.Errorf("without the right to write: %v", err)
		}
		if err := g.Exec("CREATE TABLE things (id BIGINT NOT NULL PRIMARY KEY)").Error; err != nil {
			t.Fatal(err)
		}
		if err := db.Ready(ctx, g, "things"); err != nil {
			t.Error(err)
		}
		db.Close(g)
		if err := db.Ready(ctx, g, "things"); !unavailable(err) {
			t.Errorf("without a connection: %v", err)
		}
	})
}
