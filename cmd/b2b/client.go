package main

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"strings"
	"sync/atomic"
	"time"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/openapi/contract"
	b2b "example.com/b2b/v2/sdk/go"
)

// client calls the services over HTTP, with the Go SDK, for the commands import, export, order and cancel.
type client struct {
	settings *config.Settings
	base     string // address of the service; "" means the address in the environment
	token    string // bearer token; "" means the token in the environment
	timeout  time.Duration

	*b2b.Client
	reached *atomic.Bool // true once a request may have reached the service
}

func (c *client) flags(f *flag.FlagSet) {
	f.StringVar(&c.base, "base", "", "where the service is; without it CUSTOMERS_API_BASE or ORDERS_API_BASE")
	f.StringVar(&c.token, "token", "", "the token to call with; without it B2B_TOKEN")
	f.DurationVar(&c.timeout, "timeout", time.Minute, "how long to wait for an answer, with all tries; "+
		"of a file, for its first line; without it 1m")
}

// outputFlag defines the flag --output, which sets *output to json or text.
func outputFlag(f *flag.FlagSet, output *string, usage string) {
	f.Func("output", usage, func(text string) error {
		if text != "json" && text != "text" {
			return errors.New("allowed: json, text")
		}
		*output = text
		return nil
	})
}

// connect reads the configuration and makes the clients. Call it before the first request.
func (c *client) connect() (err error) {
	if c.timeout <= 0 {
		return fmt.Errorf("--timeout is %v; allowed: times above 0, such as 30s", c.timeout)
	}
	s := c.settings
	if err := s.Read(&s.Calling, &s.CustomersPeer, &s.OrdersPeer); err != nil {
		return err
	}
	c.reached = new(atomic.Bool)
	transport := http.DefaultTransport.(*http.Transport).Clone()
	transport.ResponseHeaderTimeout = c.timeout // the SDK does not limit the time of imports and exports
	options := b2b.Options{
		Customers: cmp.Or(c.base, s.CustomersBase), Orders: cmp.Or(c.base, s.OrdersBase),
		Deadline: c.timeout, TryTimeout: max(30*time.Second, c.timeout/2),
		HTTPClient: &http.Client{Transport: noting{transport, c.reached}},
	}
	if token := cmp.Or(c.token, s.Token); token != "" {
		options.Token = b2b.StaticToken(token)
	}
	c.Client, err = b2b.New(options)
	return err
}

// noting is a transport that sets reached to true once a request may have reached the service.
type noting struct {
	http.RoundTripper
	reached *atomic.Bool
}

// RoundTrip implements http.RoundTripper.
func (n noting) RoundTrip(r *http.Request) (*http.Response, error) {
	res, err := n.RoundTripper.RoundTrip(r)
	if !isUnconnected(err) {
		n.reached.Store(true)
	}
	return res, err
}

// explain returns an error with the message and the details of a failed call. When nobody listens at the
// address, or the answer is probably not from the service, the error asks whether the address is right.
func explain(err error) error {
	var failed *b2b.Error
	switch {
	case !errors.As(err, &failed):
		return err
	case errors.Is(err, errInterrupted), errors.Is(err, context.Canceled):
		return errInterrupted
	case failed.Code == b2b.UnexpectedAnswer, failed.Code == contract.NotFound, isUnconnected(err):
		return fmt.Errorf("%s: is --base, CUSTOMERS_API_BASE or ORDERS_API_BASE right?",
			strings.TrimSuffix(failed.Message, "."))
	}
	return errors.New(describe(failed.Message, &failed.Details))
}

// isUnconnected reports whether a call failed because it could not connect to the address.
func isUnconnected(err error) bool {
	var network *net.OpError
	return errors.As(err, &network) && network.Op == "dial"
}

// describe returns the message, followed by the details.
func describe(message string, details *[]contract.APIErrorDetail) string {
	if details != nil {
		for _, d := range *details {
			message += " " + d.Field + " " + d.Message + "."
		}
	}
	return message
}

// progress returns a progress bar. The parameter total is the number of rows, or -1 for an unknown number of
// bytes. The bar is silent unless stderr is a terminal.
func progress(total int64, description string) *progressbar.ProgressBar {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return progressbar.DefaultSilent(total)
	}
	if total < 0 {
		return progressbar.DefaultBytes(total, description)
	}
	return progressbar.Default(total, description)
}
