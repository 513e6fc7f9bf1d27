package db_test

import (
	"bytes"
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"testing"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/internal/timing"
)

// TestLogSlow runs a slow and a fast statement. The log must have only the slow statement, without its value;
// at the level debug, the log must have both.
func TestLogSlow(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		slow := "SELECT SLEEP(0.2), ?"
		if g.Name() == db.SQLite {
			slow = "SELECT MAX(i), ? FROM (WITH RECURSIVE n(i) AS " +
				"(SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 3000000) SELECT i FROM n)"
		}
		var out bytes.Buffer
		log := slog.New(slog.NewJSONHandler(&out, nil))
		db.Log(g, log, 100*time.Millisecond, func(context.Context) string { return "as-tested" })
		ctx, times := timing.With(ctx)
		for _, sql := range []string{"SELECT 1, ? FROM customers", slow} {
			if err := g.WithContext(ctx).Raw(sql, "a secret").Scan(&map[string]any{}).Error; err != nil {
				t.Fatal(err)
			}
		}
		var line struct {
			Level, Msg, SQL, Statement string
			Correlation                string `json:"correlation_id"`
			MS                         float64
		}
		if err := json.Unmarshal(out.Bytes(), &line); err != nil {
			t.Fatalf("%v: %s", err, &out)
		}
		if line.Level != "WARN" || line.Msg != "slow statement" || line.SQL != slow || line.Statement != "SELECT" ||
			line.Correlation != "as-tested" || line.MS < 100 || bytes.Contains(out.Bytes(), []byte("secret")) {
			t.Errorf("%s", &out)
		}
		out.Reset()
		log = slog.New(slog.NewTextHandler(&out, &slog.HandlerOptions{Level: slog.LevelDebug}))
		db.Log(g, log, time.Hour, func(context.Context) string { return "as-tested" })
		fast := g.WithContext(ctx).Raw("SELECT 1, ? FROM customers", "a secret")
		if err := fast.Scan(&map[string]any{}).Error; err != nil {
			t.Fatal(err)
		}
		const want = `level=DEBUG msg=statement statement="SELECT customers" sql="SELECT 1, ? FROM customers" ms=`
		if got := out.String(); !strings.Contains(got, want) || strings.Contains(got, "secret") {
			t.Errorf("at the level debug: %s", got)
		}
		parts := times.Parts()
		if parts.Statements != 3 || parts.Slowest != "SELECT" || parts.SlowestTime < 100*time.Millisecond ||
			parts.Database < parts.SlowestTime {
			t.Errorf("%+v", parts)
		}
	})
}

// TestStatementNames runs statements of each kind, and reads their names.
func TestStatementNames(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		db.Log(g, slog.New(slog.DiscardHandler), time.Hour, func(context.Context) string { return "" })
		named := func(run func(tx *gorm.DB) error) string {
			ctx, times := timing.With(ctx)
			if err := run(g.WithContext(ctx)); err != nil {
				t.Fatal(err)
			}
			return times.Parts().Slowest
		}
		exec := func(sql string, values ...any) func(*gorm.DB) error {
			return func(tx *gorm.DB) error { return tx.Exec(sql, values...).Error }
		}
		const insert = "INSERT INTO customers (name, email, created_at, updated_at) VALUES (?, ?, ?, ?)"
		for want, run := range map[string]func(*gorm.DB) error{
			"SELECT order_items": func(tx *gorm.DB) error {
				return tx.Table("order_items").Where("qty > 1").Find(&[]map[string]any{}).Error
			},
			"INSERT customers": exec(insert, "a", "a@example.com", time.Now(), time.Now()),
			"UPDATE products":  exec("UPDATE products SET stock = 1 WHERE id = 0"),
			"DELETE orders":    exec("DELETE FROM orders WHERE id = 0"),
		} {
			if got := named(run); got != want {
				t.Errorf("%q, want %q", got, want)
			}
		}
	})
}

// TestLogTransaction expects log lines for the statements that begin and end a transaction, although gorm
// does not run these statements. SQLite waits for other processes in BEGIN IMMEDIATE, and each engine waits
// for its disk in COMMIT.
func TestLogTransaction(t *testing.T) {
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		var out bytes.Buffer
		log := slog.New(slog.NewTextHandler(&out, nil))
		db.Log(g, log, 0, func(context.Context) string { return "as-tested" })
		if err := db.InTx(ctx, g, func(*gorm.DB) error { return nil }); err != nil {
			t.Fatal(err)
		}
		begin := `"START TRANSACTION"`
		if g.Name() == db.SQLite {
			begin = `"BEGIN IMMEDIATE"`
		}
		for _, want := range []string{begin, "COMMIT"} {
			line := "msg=\"slow statement\" statement=" + want + " sql=" + want
			if !strings.Contains(out.String(), line) || !strings.Contains(out.String(), "correlation_id=as-tested") {
				t.Errorf("no %s: %s", line, &out)
			}
		}
	})
}
