package tests

import (
	"context"
	"errors"
	"io"
	"net/http"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	b2b "example.com/b2b/v2/sdk/go"
)

// product is the body of a successful answer to getProduct.
const product = `{"success": true, "data": {"id": 2, "sku": "A", "name": "A test", "price_cents": 1, "stock": 1,
	"active": true, "created_at": "2024-01-10T08:00:00.000Z", "updated_at": "2024-01-10T08:00:00.000Z"}}`

// nowhere is the address in tests whose requests never reach a network.
const nowhere = "http://b2b.test"

// service is a transport that answers at once without a network, so that only the pauses of the SDK take
// time.
type service func() (status int, retryAfter string, err error)

func (s service) RoundTrip(r *http.Request) (*http.Response, error) {
	status, retryAfter, err := s()
	if err != nil {
		return nil, err
	}
	body := product
	if status >= 400 {
		body = `{"success": false, "error": "Not now.", "code": "unavailable"}`
	}
	header := http.Header{"Content-Type": {"application/json"}, "Retry-After": {retryAfter}}
	return &http.Response{StatusCode: status, Header: header,
		Body: io.NopCloser(strings.NewReader(body)), Request: r}, nil
}

func TestRetryAfter(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		start, at := time.Now(), []time.Duration(nil)
		s := service(func() (int, string, error) {
			switch at = append(at, time.Since(start)); len(at) {
			case 1:
				return 429, "7", nil
			case 2:
				return 503, time.Now().Add(20 * time.Second).UTC().Format(http.TimeFormat), nil
			case 3:
				return 502, "", nil
			}
			return 200, "", nil
		})
		c := must(b2b.New(b2b.Options{Orders: nowhere, HTTPClient: &http.Client{Transport: s}}))(t)
		must(c.Orders.GetProductWithResponse(t.Context(), 2, nil))(t)
		if len(at) != 4 || at[1] < 7*time.Second || at[2]-at[1] < 19*time.Second ||
			at[3]-at[2] < 100*time.Millisecond || at[3] > 30*time.Second {
			t.Errorf("tried at %v", at)
		}
	})
}

func TestDeadline(t *testing.T) {
	for name, test := range map[string]struct {
		service  service
		code     string
		status   int
		tries    int // at least this number of tries
		atMost   time.Duration
		deadline time.Duration // deadline of the call's context; 0 means no deadline
	}{
		"what lies behind it is not waited for": {service: func() (int, string, error) { return 503, "20", nil }, code: "unavailable", status: 503, tries: 2, atMost: 22 * time.Second},
		"connection errors":                     {service: func() (int, string, error) { return 0, "", errors.New("reset") }, code: "no_answer", tries: 8, atMost: 30 * time.Second},
		"the context's counts instead":          {service: func() (int, string, error) { return 0, "", errors.New("reset") }, code: "no_answer", tries: 15, atMost: 2 * time.Minute, deadline: 2 * time.Minute},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				counted := service(func() (int, string, error) { tries++; return test.service() })
				c := must(b2b.New(b2b.Options{
					Orders: nowhere, HTTPClient: &http.Client{Transport: counted}, Deadline: 30 * time.Second}))(t)
				ctx := t.Context()
				if test.deadline > 0 {
					var cancel func()
					ctx, cancel = context.WithTimeout(ctx, test.deadline)
					defer cancel()
				}
				start := time.Now()
				_, err := c.Orders.GetProductWithResponse(ctx, 2, nil)
				var e *b2b.Error
				if !errors.As(err, &e) || string(e.Code) != test.code || e.Status != test.status || !e.Retryable {
					t.Errorf("%+v", err)
				}
				if took := time.Since(start); tries < test.tries || took > test.atMost {
					t.Errorf("%d tries in %v", tries, took)
				}
			})
		})
	}
}

func TestNotTriedAgain(t *testing.T) {
	for status, retryable := range map[int]bool{500: true, 408: true, 404: false} {
		tries := 0
		answers := service(func() (int, string, error) { tries++; return status, "", nil })
		c := must(b2b.New(b2b.Options{Orders: nowhere, HTTPClient: &http.Client{Transport: answers}}))(t)
		failure(c.Orders.GetProductWithResponse(t.Context(), 2, nil))(t, "unavailable", status, retryable)
		if tries != 1 {
			t.Errorf("%d: %d tries", status, tries)
		}
	}
}

// TestFollowPauses follows the events of a service that refuses each call at once. FollowEvents must pause
// between its calls, so that it does not ask a service in trouble thousands of times a second.
func TestFollowPauses(t *testing.T) {
	for name, refusal := range map[string]struct {
		status     int
		retryAfter string
	}{
		"an error that a call does not repeat": {500, ""}, "a wait beyond the deadline of a call": {503, "3600"},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				tries := 0
				s := service(func() (int, string, error) { tries++; return refusal.status, refusal.retryAfter, nil })
				c := must(b2b.New(b2b.Options{Events: nowhere, HTTPClient: &http.Client{Transport: s}}))(t)
				ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
				defer cancel()
				for _, err := range c.FollowEvents(ctx, 0, "") {
					if err == nil {
						t.Error("there is an event")
					}
				}
				if tries < 10 || tries > 100 {
					t.Errorf("%d tries in a minute", tries)
				}
			})
		})
	}
}
