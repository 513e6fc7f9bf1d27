package db_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
)

// TestLogSlow runs a slow and a fast statement. The log has the slow statement, at level DEBUG only.
func TestLogSlow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		slow := "SELECT SLEEP(0.2), ?"
		if g.Name() == db.SQLite {
			slow = "SELECT MAX(i), ? FROM (WITH RECURSIVE n(i) AS " +
				"(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT i FROM n)"
		}
		for _, level := range []slog.Level{slog.LevelDebug, slog.LevelInfo} {
			var out bytes.Buffer
			log := slog.New(slog.NewJSONHandler(&out, &slog.HandlerOptions{Level: level}))
			db.LogSlow(g, log, func(context.Context) string { return "as-tested" })
			for _, sql := range []string{"SELECT 1, ?", slow} {
				if err := g.WithContext(ctx).Raw(sql, "a secret").Scan(&map[string]any{}).Error; err != nil {
					t.Fatal(err)
				}
			}
			if level == slog.LevelInfo {
				if out.Len() > 0 {
					t.Errorf("%s", &out)
				}
				continue
			}
			var line struct {
				Level, Msg, SQL string
				Correlation     string `json:"correlation_id"`
				MS              int64
			}
			if err := json.Unmarshal(out.Bytes(), &line); err != nil {
				t.Fatalf("%v: %s", err, &out)
			}
			if line.Level != "DEBUG" || line.Msg != "slow statement" || line.SQL != slow ||
				line.Correlation != "as-tested" || line.MS < 100 || bytes.Contains(out.Bytes(), []byte("secret")) {
				t.Errorf("%s", &out)
			}
		}
	})
}
