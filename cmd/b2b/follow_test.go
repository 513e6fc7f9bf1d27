package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"example.com/b2b/v2/openapi/eventsapi"
)

// TestFollowRefusesOtherAnswers follows a feed. The second answer is the answer of another program. The
// command must end with an error, and must have printed the event of the first answer once.
func TestFollowRefusesOtherAnswers(t *testing.T) {
	feed := func(nextAfter int) string {
		return fmt.Sprintf(`{"success":true,"data":[{"id":1,"type":"order.created","subject":"order","subject_id":3,
			"customer_id":1,"actor":"erp","correlation_id":null,"created_at":"2024-03-01T09:30:00.000Z","position":5,
			"representation":{}}],"meta":{"next_after":%d,"last_position":9}}`, nextAfter)
	}
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Second)
	defer cancel()
	for _, other := range []string{
		`{"status":"maintenance"}`, `{"success":true}`, `{"success":true,"data":[],"meta":{}}`, `[]`, `{"success":`,
		strings.Replace(feed(5), `true`, `false`, 1), strings.Replace(feed(5), `"data"`, `"Data"`, 1),
		strings.Replace(feed(5), `"next_after":5`, `"next_after":null`, 1),
		strings.Replace(feed(5), `"next_after":5`, `"next_after":"5"`, 1), feed(4), feed(5), "<html>",
	} {
		asked := 0
		out, err := callWithin(ctx, t, func(w http.ResponseWriter, _ *http.Request) {
			switch asked++; asked {
			case 1:
				answer(w, 200, feed(5))
			case 2:
				answer(w, 200, other)
			default:
				answer(w, 400, `{"success":false,"error":"Asked again.","code":"validation_failed"}`)
			}
		}, "follow --after 4")
		if err == nil || !strings.Contains(err.Error(), isBaseRight) {
			t.Errorf("%s: %v", other, err)
		}
		if strings.Count(out, "order.created") != 1 {
			t.Errorf("%s: %s", other, out)
		}
	}
	if _, err := callWithin(ctx, t, func(w http.ResponseWriter, r *http.Request) {
		answer(w, 404, `{"message":"no Route matched"}`)
	}, "follow --after 4"); err == nil || !strings.Contains(err.Error(), "404 Not Found: "+isBaseRight) {
		t.Error(err)
	}
	if _, err := callWithin(ctx, t, func(w http.ResponseWriter, r *http.Request) { // no --after is given
		answer(w, 200, `{"status":"maintenance"}`)
	}, "follow"); err == nil || !strings.Contains(err.Error(), isBaseRight) {
		t.Error(err)
	}
}

// TestFollowEndsWhenItCannotCall follows with an address or a token with which no try can succeed. The
// command must end with an error that names the flag.
func TestFollowEndsWhenItCannotCall(t *testing.T) {
	t.Chdir(t.TempDir())
	for _, args := range [][]string{
		{"--base", "localhost:3003"}, {"--base", "htp://x"}, {"--base", "/events"},
		{"--base", "http://127.0.0.1:1", "--token", "a\nb"},
	} {
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		err := run(ctx, append([]string{"follow"}, args...), io.Discard)
		cancel()
		if err == nil || errors.Is(err, errInterrupted) || !strings.Contains(err.Error(), args[len(args)-2]) {
			t.Errorf("%q: %v", args, err)
		}
	}
}

// TestFollowNamesItsAddress follows at a port where nobody listens. The command must try again, and must say
// which flag and which variable name the port.
func TestFollowNamesItsAddress(t *testing.T) {
	client, err := eventsapi.NewClient("http://127.0.0.1:1")
	if err != nil {
		t.Fatal(err)
	}
	err = new(followCommand).read(t.Context(), client, io.Discard)
	if !errors.Is(err, errAgain) || !strings.HasSuffix(err.Error(), ": is --base or EVENTS_PORT right?") {
		t.Error(err)
	}
}

// TestFollowTrimsItsToken follows with a token that ends with a line end, as a token from a file does. The
// request must have the token without the line end.
func TestFollowTrimsItsToken(t *testing.T) {
	for _, end := range []string{"", "\n", "\r", "\r\n"} {
		t.Setenv("B2B_TOKEN", "the-token"+end)
		ctx, cancel := context.WithTimeout(t.Context(), 2*time.Second)
		got := "no request"
		_, err := callWithin(ctx, t, func(w http.ResponseWriter, r *http.Request) {
			got = r.Header.Get("Authorization")
			answer(w, 403, `{"success":false,"error":"No.","code":"forbidden"}`)
		}, "follow")
		cancel()
		if got != "Bearer the-token" || err == nil || err.Error() != "No." {
			t.Errorf("%q: %s, %v", end, got, err)
		}
	}
}
