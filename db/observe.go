package db

import (
	"context"
	"log/slog"
	"strings"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/trace"
	"gorm.io/gorm"
	"gorm.io/gorm/logger"

	"example.com/b2b/v2/internal/timing"
)

var (
	statementSeconds = promauto.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "b2b_db_statement_duration_seconds",
		Help:    "Time of SQL statements, waits for locks included, by the kind and the first table.",
		Buckets: []float64{.0005, .001, .0025, .005, .01, .025, .05, .1, .25, .5, 1, 2.5, 5, 10},
	}, []string{"statement"})
	connectionSeconds = promauto.NewHistogram(prometheus.HistogramOpts{
		Name:    "b2b_db_connection_wait_seconds",
		Help:    "Wait of transactions for a connection of the pool, or until fewer run at once.",
		Buckets: []float64{.0001, .001, .01, .05, .1, .25, .5, 1, 2.5, 5, 10},
	})
	retries = promauto.NewCounter(prometheus.CounterOpts{
		Name: "b2b_db_retries_total",
		Help: "Transactions that ran again after a conflict with another transaction, such as a deadlock.",
	})
)

// Log makes g log each statement that takes at least the time slow, including its waits for locks. At the
// level debug, g logs all statements. A line has the name, the text without values, the time, the number of
// rows, and the correlation id of the context. Call Log before g is used.
func Log(g *gorm.DB, log *slog.Logger, slow time.Duration, correlationID func(ctx context.Context) string) {
	g.Logger = statementLog{logger.Discard, log, slow, correlationID}
	if r := g.Dialector.(dialector).replica; r != nil {
		r.copy.Logger = g.Logger
	}
}

const maxLoggedSQL = 2000 // number of bytes after which the log cuts a statement

// statementLog counts every statement of gorm, and logs statements: see Log.
type statementLog struct {
	logger.Interface
	log           *slog.Logger
	slow          time.Duration
	correlationID func(ctx context.Context) string
}

// Trace implements logger.Interface.
func (l statementLog) Trace(ctx context.Context, begin time.Time, statement func() (string, int64), _ error) {
	sql, rows := statement()
	l.add(ctx, statementName(sql), sql, begin, rows)
}

// add counts a statement that has just ended, and logs it: see Log.
func (l statementLog) add(ctx context.Context, name, sql string, begin time.Time, rows int64) {
	took := time.Since(begin)
	count(ctx, name, begin, took)
	level, message := slog.LevelWarn, "slow statement"
	if took < l.slow {
		level, message = slog.LevelDebug, "statement"
	}
	if !l.log.Enabled(ctx, level) {
		return
	}
	attributes := []any{"statement", name, "sql", sql[:min(len(sql), maxLoggedSQL)],
		timing.Milliseconds("ms", took), "rows", rows}
	if id := l.correlationID(ctx); id != "" {
		attributes = append(attributes, "correlation_id", id)
	}
	l.log.Log(ctx, level, message, attributes...)
}

// count adds a statement to the metrics, and to the times and the trace of the request.
func count(ctx context.Context, name string, begin time.Time, took time.Duration) {
	statementSeconds.WithLabelValues(name).Observe(took.Seconds())
	timing.From(ctx).Statement(name, took)
	if trace.SpanFromContext(ctx).IsRecording() {
		_, span := tracer.Start(ctx, name, trace.WithTimestamp(begin), trace.WithSpanKind(trace.SpanKindClient))
		span.End(trace.WithTimestamp(begin.Add(took)))
	}
}

var tracer = otel.Tracer("example.com/b2b/v2/db")

// statementName returns the kind and the first table of a statement, such as "UPDATE products", or "other".
// It leaves out conditions and values, so that the metrics have few names.
func statementName(sql string) string {
	if strings.HasPrefix(sql, "SET STATEMENT ") { // this prefix is a time limit on MariaDB
		_, sql, _ = strings.Cut(sql, " FOR ")
	}
	kind, rest, _ := strings.Cut(strings.TrimSpace(sql), " ")
	before, follows := tableFollows[kind]
	if !follows {
		return "other"
	}
	if before != "" {
		_, rest, _ = strings.Cut(rest, before)
	}
	rest = strings.TrimLeft(rest, "`\"( ")
	end := strings.IndexFunc(rest, func(r rune) bool { return (r < 'a' || r > 'z') && r != '_' })
	if end < 0 {
		end = len(rest)
	}
	return strings.TrimSpace(kind + " " + rest[:min(end, 40)])
}

// tableFollows maps the kind of a statement to the word before the name of its first table.
var tableFollows = map[string]string{"SELECT": " FROM ", "INSERT": "INTO ", "UPDATE": "", "DELETE": "FROM "}
