package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"time"

	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/server"
)

// healthCommand asks services whether they are ready.
type healthCommand struct {
	settings *config.Settings
	services []*service
	bases    []string // addresses of the services to ask; without any, run asks at the configured ports
}

const answerWithin = 5 * time.Second // longer than /ready takes to notice that the database or a peer is down

// run returns nil when each service answers /ready with 200. Without addresses, run asks at the configured
// port of each service, and at PORT, where a service listens that runs alone. It skips ports where nothing
// listens. It fails when no service listens.
func (h *healthCommand) run(ctx context.Context, out io.Writer) error {
	bases, variables, listeningOnly := h.bases, "BIND_ADDRESS", len(h.bases) == 0
	if listeningOnly {
		c := h.settings
		if err := c.Read(&c.Listening, &c.Ports, &c.SinglePort); err != nil {
			return err
		}
		add := func(port int) {
			base := "http://" + net.JoinHostPort(nameOf(c.BindAddress), strconv.Itoa(port))
			if !slices.Contains(bases, base) {
				bases = append(bases, base)
			}
		}
		for _, s := range h.services {
			add(*s.port)
			variables += ", " + strings.ToUpper(s.name) + "_PORT"
		}
		if c.Only != nil {
			add(*c.Only)
		}
	}
	ready := 0
	for _, base := range bases {
		switch err := isReady(ctx, base); {
		case listeningOnly && errors.Is(err, server.ErrConnectionRefused):
		case err != nil:
			return err
		default:
			ready++
			fmt.Fprintln(out, base, "is ready")
		}
	}
	if ready == 0 {
		return fmt.Errorf("no service listens at %s: is %s or PORT right?",
			strings.Join(bases, " or "), variables)
	}
	return nil
}

// isReady returns nil when the service answers /ready with 200. It uses no proxy and follows no redirect.
func isReady(ctx context.Context, base string) error {
	client := http.Client{Timeout: answerWithin, Transport: &http.Transport{DisableKeepAlives: true},
		CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }}
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, strings.TrimSuffix(base, "/")+"/ready", nil)
	if err != nil {
		return err
	}
	res, err := client.Do(req)
	if err != nil {
		return err
	}
	defer res.Body.Close()
	if res.StatusCode != http.StatusOK {
		return fmt.Errorf("%s answers %s; the log of the service says why", req.URL, res.Status)
	}
	return nil
}
