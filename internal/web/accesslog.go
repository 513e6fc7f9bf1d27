package web

import (
	"context"
	"log/slog"
	"net/http"
	"regexp"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/correlation"
)

// accessLog writes a log line for each request after the answer. The level is debug for successful probes
// (/health and /ready), error for an error with a status of 500 or more, and info for all other requests.
// After a file that an error has stopped, accessLog closes the connection.
func accessLog(log *slog.Logger) gin.HandlerFunc {
	return func(c *gin.Context) {
		start := time.Now()
		c.Next()
		log.LogAttrs(c.Request.Context(), level(c), "request", attributes(c, time.Since(start))...)
		if callOf(c).cut {
			panic(http.ErrAbortHandler) // closes the connection, because the file is incomplete
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

// loggedStatus returns the status of the answer. When the request failed and the caller has left, it returns
// 499, as nginx does.
func loggedStatus(c *gin.Context) int {
	if c.Errors.Last() != nil && callOf(c).callerLeft {
		return 499
	}
	return c.Writer.Status()
}

// attributes returns the attributes of a log line, together less than 4 KB.
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

// LoggedCorrelationID returns correlation.ID in the form of the access log.
func LoggedCorrelationID(ctx context.Context) string { return loggable(correlation.ID(ctx), 128) }

// loggable returns s for the log: [token] replaces each JWT, and a long text is cut. The parameter limit is
// the approximate number of bytes of such a text.
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
