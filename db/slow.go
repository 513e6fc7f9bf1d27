package db

import (
	"context"
	"log/slog"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/logger"
)

const (
	// slowStatement is the time from which a statement is logged. The time includes waits for locks.
	slowStatement = 100 * time.Millisecond
	maxLoggedSQL  = 2000 // bytes of a statement's text
)

// LogSlow makes g log slow statements at level debug: the text without values, the time, the number of rows,
// and the context's correlation id. BEGIN, COMMIT and ROLLBACK are not logged. Call LogSlow before g is used.
func LogSlow(g *gorm.DB, log *slog.Logger, correlationID func(ctx context.Context) string) {
	g.Logger = slowLog{logger.Discard, log, correlationID}
}

type slowLog struct {
	logger.Interface
	log           *slog.Logger
	correlationID func(ctx context.Context) string
}

// Trace implements logger.Interface.
func (l slowLog) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), _ error) {
	took := time.Since(begin)
	if took < slowStatement || !l.log.Enabled(ctx, slog.LevelDebug) {
		return
	}
	sql, rows := statement()
	attributes := []any{"sql", sql[:min(len(sql), maxLoggedSQL)], "ms", took.Milliseconds(), "rows", rows}
	if id := l.correlationID(ctx); id != "" {
		attributes = append(attributes, "correlation_id", id)
	}
	l.log.DebugContext(ctx, "slow statement", attributes...)
}
