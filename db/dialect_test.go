package db_test

import (
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

func TestNow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		var row struct{ Now, Later time.Time }
		before := time.Now().Truncate(time.Millisecond)
		now, later := db.Now(g, 0), db.Now(g, time.Hour+time.Millisecond)
		if err := g.Raw("SELECT ? AS now, ? AS later", now, later).Scan(&row).Error; err != nil {
			t.Fatal(err)
		}
		// The test databases run on this machine, and so have its clock. TiDB rounds the time up.
		if row.Now.Before(before) || row.Now.After(time.Now().Add(time.Millisecond)) {
			t.Errorf("now is %v, not about %v", row.Now, before)
		}
		if d := row.Later.Sub(row.Now); d < time.Hour+time.Millisecond || d > time.Hour+time.Second {
			t.Errorf("later by %v", d)
		}
	})
}
