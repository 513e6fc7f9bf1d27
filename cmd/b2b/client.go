package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"

	"github.com/schollz/progressbar/v3"
	"golang.org/x/term"

	"example.com/b2b/internal/config"
	"example.com/b2b/openapi/contract"
	"example.com/b2b/openapi/customersapi"
	"example.com/b2b/openapi/ordersapi"
)

// client calls the services over HTTP, for the commands import, export and order.
type client struct {
	settings *config.Settings
	base     string // address of the service; "" means the address in the environment
	token    string // bearer token; "" means the token in the environment

	customers customersapi.ClientInterface
	orders    ordersapi.ClientInterface
}

func (c *client) flags(f *flag.FlagSet) {
	f.StringVar(&c.base, "base", "", "where the service is; without it CUSTOMERS_API_BASE or ORDERS_API_BASE")
	f.StringVar(&c.token, "token", "", "the token to call with; without it B2B_TOKEN")
}

// connect reads the configuration and makes the clients. Call it before the first request.
func (c *client) connect() (err error) {
	s := c.settings
	if err := s.Read(&s.Calling, &s.CustomersPeer, &s.OrdersPeer); err != nil {
		return err
	}
	authorize := func(_ context.Context, req *http.Request) error {
		if token := cmp.Or(c.token, s.Token); token != "" {
			req.Header.Set("Authorization", "Bearer "+token)
		}
		return nil
	}
	c.customers, err = customersapi.NewClient(cmp.Or(c.base, s.CustomersBase),
		customersapi.WithRequestEditorFn(authorize))
	if err != nil {
		return err
	}
	c.orders, err = ordersapi.NewClient(cmp.Or(c.base, s.OrdersBase),
		ordersapi.WithRequestEditorFn(authorize))
	return err
}

// checkStatus returns nil for status 200, and otherwise an error with the service's message.
func checkStatus(res *http.Response) error {
	if res.StatusCode == http.StatusOK {
		return nil
	}
	body, err := io.ReadAll(io.LimitReader(res.Body, 1<<20))
	if err != nil {
		return err
	}
	return failure(res.StatusCode, body)
}

// failure returns an error for an unsuccessful answer, with the message and the details in body. When body
// has no message, the error asks whether the address is right: the answer is probably not from a service.
func failure(status int, body []byte) error {
	var answer contract.APIError
	if json.Unmarshal(body, &answer) != nil || answer.Error == "" {
		return fmt.Errorf("the service answered %d: "+
			"is --base, CUSTOMERS_API_BASE or ORDERS_API_BASE right?", status)
	}
	return errors.New(describe(answer.Error, answer.Details))
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

// progress returns a progress bar for a number of rows (total), or for an unknown number of bytes when total
// is -1. The bar is silent unless stderr is a terminal.
func progress(total int64, description string) *progressbar.ProgressBar {
	if !term.IsTerminal(int(os.Stderr.Fd())) {
		return progressbar.DefaultSilent(total)
	}
	if total < 0 {
		return progressbar.DefaultBytes(total, description)
	}
	return progressbar.Default(total, description)
}
