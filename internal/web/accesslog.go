package web

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/correlation"
)

// accessLog logs an answered request in a single line: at debug for the probes of /health and /ready, at
// error for a fault of the service.
func accessLog(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		start := time.Now()
		c.Next()
		log.LogAttrs(c.Request.Context(), level(c), "request", attributes(c, time.Since(start))...)
		if callOf(c).cut {
			panic(http.ErrAbortHandler) // ends the connection: the answer is not whole
		}
	}
}

func level(c *gin.Context) slog.Level {
	failed := c.Errors.Last() != nil
	isProbe := c.FullPath() == "/health" || c.FullPath() == "/ready"
	switch {
	case failed && loggedStatus(c) >= http.StatusInternalServerError:
		return slog.LevelError
	case !failed && isProbe:
		return slog.LevelDebug
	}
	return slog.LevelInfo
}

// loggedStatus returns 499 for a caller who has left, as nginx logs it.
func loggedStatus(c *gin.Context) int {
	if c.Errors.Last() != nil && callOf(c).callerLeft {
		return 499
	}
	return c.Writer.Status()
}

// attributes describe a request. The lengths of all come to less than 4 KB.
func attributes(c *gin.Context, took time.Duration) []slog.Attr {
	call, ctx := callOf(c), c.Request.Context()
	all := make([]slog.Attr, 0, 10)
	all = append(all,
		slog.String("method", loggable(c.Request.Method, 20)),
		slog.String("path", loggable(c.Request.URL.Path, 500)),
		slog.Int("status", loggedStatus(c)),
		slog.Float64("ms", float64(took.Microseconds())/1000),
		slog.String("correlation_id", loggable(correlation.ID(ctx), 128)))
	if call.operation != nil {
		all = append(all, slog.String("operation", call.operation.Operation.OperationID))
	}
	if call.caller != "" {
		all = append(all, slog.String("caller", loggable(call.caller, 200)))
	}
	if key := c.GetHeader(IdempotencyHeader); key != "" {
		replayed := c.Writer.Header().Get("Idempotency-Replayed") != ""
		all = append(all, slog.String("idempotency_key", loggable(key, 300)), slog.Bool("replayed", replayed))
	}
	if err := c.Errors.Last(); err != nil {
		all = append(all, slog.String("error", loggable(err.Error(), 2200)))
	}
	return all
}

// LoggedCorrelationID returns correlation.ID as the access log shows it.
func LoggedCorrelationID(ctx context.Context) string { return loggable(correlation.ID(ctx), 128) }

// loggable returns s for the log: cut to about limit bytes, and without misplaced tokens.
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

// jwt matches JWTs: all begin with {" in base64.
var jwt = regexp.MustCompile(`eyJ[\w\-.]{8,}`)

const maxLogged = 6 // bytes of a character

// loggedSize returns about how many bytes a character takes in the log, where some are escaped.
func loggedSize(r rune) int {
	switch {
	case strings.ContainsRune("\"\\\n\t", r):
		return 2
	case r < ' ' || r > '~':
		return maxLogged
	}
	return 1
}
