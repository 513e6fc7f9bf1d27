package web

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"sync/atomic"
	"time"

	"github.com/gin-gonic/gin"
	"go.opentelemetry.io/otel/trace"

	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/timing"
)

// accessLog writes a log line for each request after the answer. The level is error for an error with a
// status of 500 or more, unless the service is about to stop, and info for all other requests. For the probes
// /health and /ready, the level is debug unless the status has changed since the last probe. When an error
// has stopped a file before its end, accessLog closes the connection.
func accessLog(log *slog.Logger) gin.HandlerFunc {
	lastStatus := map[string]*atomic.Int64{"/health": new(atomic.Int64), "/ready": new(atomic.Int64)}
	for _, status := range lastStatus {
		status.Store(http.StatusOK)
	}
	return func(c *gin.Context) {
		start := time.Now()
		c.Next()
		l := level(c)
		if last := lastStatus[c.FullPath()]; last != nil {
			now := int64(c.Writer.Status())
			if last.Swap(now) == now {
				l = slog.LevelDebug
			}
		}
		log.LogAttrs(c.Request.Context(), l, "request", attributes(c, time.Since(start))...)
		if callOf(c).cut {
			panic(http.ErrAbortHandler) // closes the connection, because the file is incomplete
		}
	}
}

func level(c *gin.Context) slog.Level {
	err := c.Errors.Last()
	if err != nil && loggedStatus(c) >= http.StatusInternalServerError && !errors.Is(err.Err, errStopping) {
		return slog.LevelError
	}
	return slog.LevelInfo
}

// loggedStatus returns the status of the answer. When the request failed and the caller has left, it returns
// 499, as nginx does.
func loggedStatus(c *gin.Context) int {
	if c.Errors.Last() != nil && callOf(c).callerLeft {
		return 499
	}
	return c.Writer.Status()
}

// slowRequest is the shortest time of a request whose log line gets the mark slow. The alert B2BSlow has the
// same limit. Requests for files and for events never get the mark.
const slowRequest = time.Second

// attributes returns the attributes of a log line, together less than 4 KB. Times are in milliseconds.
func attributes(c *gin.Context, took time.Duration) []slog.Attr {
	call, ctx := callOf(c), c.Request.Context()
	all := make([]slog.Attr, 0, 30)
	all = append(all,
		slog.String("method", loggable(c.Request.Method, 20)),
		slog.String("path", loggable(c.Request.URL.Path, 500)),
		slog.Int("status", loggedStatus(c)),
		timing.Milliseconds("ms", took))
	if op := call.operation; op != nil && took >= slowRequest && !op.waits && !op.streams && op.row == nil {
		all = append(all, slog.Bool("slow", true))
	}
	all = append(all,
		slog.String("correlation_id", loggable(correlation.ID(ctx), 128)))
	if id := gatewayID(ctx); id != "" {
		all = append(all, slog.String("gateway_id", loggable(id, 128)))
	}
	if span := trace.SpanContextFromContext(ctx); span.HasTraceID() {
		all = append(all, slog.String("trace_id", span.TraceID().String()))
	}
	if call.operation != nil {
		all = append(all,
			slog.String("operation", call.operation.Operation.OperationID),
			slog.String("route", call.operation.Path))
	}
	if call.caller != "" {
		all = append(all, slog.String("caller", loggable(call.caller, 200)))
	}
	if call.customer != 0 {
		all = append(all, slog.Int64("customer", call.customer))
	}
	if call.order != 0 {
		all = append(all, slog.Int64("order", call.order))
	}
	if call.actingFor {
		all = append(all, slog.Bool("by_service", true))
	}
	all = append(all,
		slog.String("client", c.ClientIP()),
		slog.Int64("bytes_in", max(c.Request.ContentLength, 0)),
		slog.Int("bytes_out", max(c.Writer.Size(), 0)))
	if agent := c.Request.UserAgent(); agent != "" {
		all = append(all, slog.String("user_agent", loggable(agent, 200)))
	}
	all = appendTimes(all, call.times.Parts())
	if key := c.GetHeader(IdempotencyHeader); key != "" {
		replayed := c.Writer.Header().Get("Idempotency-Replayed") != ""
		all = append(all, slog.String("idempotency_key", loggable(key, 300)), slog.Bool("replayed", replayed))
	}
	if call.limit != "" {
		all = append(all, slog.String("limit", call.limit))
	}
	if err := c.Errors.Last(); err != nil {
		all = append(all,
			slog.String("code", call.code),
			slog.String("error", loggable(err.Error(), 1800)))
	}
	return all
}

// appendTimes appends the times and numbers of the parts of the work, without the parts that the request did
// not need.
func appendTimes(all []slog.Attr, parts timing.Parts) []slog.Attr {
	if parts.Statements > 0 {
		all = append(all,
			slog.Int("statements", parts.Statements),
			timing.Milliseconds("db_ms", parts.Database))
	}
	if parts.Slowest != "" {
		all = append(all,
			slog.String("slowest_statement", parts.Slowest),
			timing.Milliseconds("slowest_ms", parts.SlowestTime))
	}
	if parts.Pool > time.Millisecond {
		all = append(all, timing.Milliseconds("pool_wait_ms", parts.Pool))
	}
	if parts.Turn > time.Millisecond {
		all = append(all, timing.Milliseconds("turn_wait_ms", parts.Turn))
	}
	if parts.BatchSize > 0 {
		all = append(all,
			slog.Int("batch_size", parts.BatchSize),
			timing.Milliseconds("batch_wait_ms", parts.BatchWait),
			timing.Milliseconds("batch_ms", parts.Batch))
	}
	if parts.Calls > 0 {
		all = append(all, slog.Int("calls", parts.Calls), timing.Milliseconds("calls_ms", parts.Called))
	}
	if parts.Age > 0 {
		all = append(all, timing.Milliseconds("age_ms", parts.Age))
	}
	return all
}

// LogOrder adds the id of an order to the log line of a request. The parameter ctx is the context of a
// handler.
func LogOrder(ctx context.Context, id int64) {
	if begun, ok := ctx.Value(callKey{}).(*call); ok {
		begun.order = id
	}
}

// LoggedCorrelationID returns correlation.ID in the form of the access log.
func LoggedCorrelationID(ctx context.Context) string { return loggable(correlation.ID(ctx), 128) }

// loggable returns s for the log: [token] replaces each JWT, and s is cut when it would take more than about
// limit bytes in the log.
func loggable(s string, limit int) string {
	if strings.Contains(s, "eyJ") {
		s = jwt.ReplaceAllString(s, "[token]")
	}
	if len(s)*maxLogged <= limit {
		return s
	}
	for i, r := range s {
		if limit -= loggedSize(r); limit < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

// jwt matches JWTs. Each JWT begins with eyJ, which is {" in base64.
var jwt = regexp.MustCompile(`eyJ[\w\-.]{8,}`)

const maxLogged = 6 // the most bytes that a character takes in the log

// loggedSize returns about how many bytes a character takes in the log. The log escapes some characters.
func loggedSize(r rune) int {
	switch {
	case strings.ContainsRune("\"\\\n\t", r):
		return 2
	case r < ' ' || r > '~':
		return maxLogged
	}
	return 1
}
