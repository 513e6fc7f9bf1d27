package main

import (
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"net/http/pprof"
	"os"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promauto"
	"github.com/prometheus/client_golang/prometheus/promhttp"
	"golang.org/x/term"
	"gorm.io/gorm"

	"example.com/b2b/v2/internal/buildinfo"
	"example.com/b2b/v2/internal/config"
)

// listenForOperators listens on OPS_PORT. It returns nil when OPS_PORT is not set.
func listenForOperators(c *config.Settings) (net.Listener, error) {
	if c.OpsPort == nil {
		return nil, nil
	}
	l, err := net.Listen("tcp", net.JoinHostPort(c.OpsAddress, strconv.Itoa(*c.OpsPort)))
	if err != nil {
		return nil, fmt.Errorf("the page for operators cannot listen (OPS_ADDRESS, OPS_PORT): %w", err)
	}
	return l, nil
}

// serveOperators answers /metrics and /debug/pprof until the listener is closed. The parameter g may be nil,
// for a process without a database.
func serveOperators(l net.Listener, g *gorm.DB) {
	buildVersion.WithLabelValues(buildinfo.Version()).Set(1)
	own := prometheus.NewRegistry()
	if g != nil {
		if pool, err := g.DB(); err == nil {
			own.MustRegister(collectors.NewDBStatsCollector(pool, "b2b"))
		}
	}
	all := prometheus.Gatherers{prometheus.DefaultGatherer, own}
	mux := http.NewServeMux()
	mux.Handle("GET /metrics", promhttp.HandlerFor(all, promhttp.HandlerOpts{}))
	mux.HandleFunc("GET /debug/pprof/", pprof.Index)
	mux.HandleFunc("GET /debug/pprof/cmdline", pprof.Cmdline)
	mux.HandleFunc("GET /debug/pprof/profile", pprof.Profile)
	mux.HandleFunc("GET /debug/pprof/symbol", pprof.Symbol)
	mux.HandleFunc("GET /debug/pprof/trace", pprof.Trace)
	s := &http.Server{Handler: mux, ReadHeaderTimeout: 5 * time.Second}
	_ = s.Serve(l) // ends when the listener is closed
}

var buildVersion = promauto.NewGaugeVec(prometheus.GaugeOpts{
	Name: "b2b_build_info",
	Help: "1, with the version of the program.",
}, []string{"version"})

// logHandler returns the handler of the log, which goes to stderr. The format is LOG_FORMAT. Without
// LOG_FORMAT, it is text on a terminal, and JSON elsewhere.
func logHandler(c *config.Settings) slog.Handler {
	format := c.LogFormat
	if format == "" && c.Env != config.Production && term.IsTerminal(int(os.Stderr.Fd())) {
		format = config.TextLog
	}
	o := &slog.HandlerOptions{Level: c.LogLevel}
	if format == config.TextLog {
		return slog.NewTextHandler(os.Stderr, o)
	}
	return slog.NewJSONHandler(os.Stderr, o)
}
