package db_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

var ctx = context.Background()

func TestOpenUnreachable(t *testing.T) {
	c := db.Config{Driver: db.MySQL, Host: "127.0.0.1", Port: 1, User: "u", Name: "n", MaxConns: 1}
	_, err := db.Open(ctx, c)
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}
}

// TestUnavailable runs statements on a closed database, in each way in which gorm runs a statement. The error
// must be ErrUnavailable.
func TestUnavailable(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		if err := db.Close(g); err != nil {
			t.Fatal(err)
		}
		for way, run := range map[string]func(n *int64) error{
			"Exec":  func(*int64) error { return g.Exec("DELETE FROM products").Error },
			"Find":  func(n *int64) error { return g.Table("products").Select("1").Find(n).Error },
			"Count": func(n *int64) error { return g.Table("products").Count(n).Error },
			"Pluck": func(n *int64) error { return g.Table("products").Pluck("id", n).Error },
			"Scan":  func(n *int64) error { return g.Raw("SELECT 1").Scan(n).Error },
			"Rows": func(*int64) error {
				rows, err := g.Raw("SELECT 1").Rows()
				if err == nil {
					err = errors.Join(rows.Err(), rows.Close())
				}
				return err
			},
			"InTx": func(*int64) error { return db.InTx(ctx, g, func(*gorm.DB) error { return nil }) },
		} {
			if err := run(new(int64)); !errors.Is(err, db.ErrUnavailable) {
				t.Errorf("%s: %v", way, err)
			}
		}
	})
}
