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
	"strconv"
	"strings"
	"time"
	"unicode"

	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/eventsapi"
	b2b "example.com/b2b/v2/sdk/go"
)

// followCommand prints events as they happen.
type followCommand struct {
	settings *config.Settings
	base     string // address of the Events API
	token    string
	types    string // types of events, separated by commas; "" for all
	output   string // text, or json for one JSON object on each line
	after    *int64 // print the events after this position; nil for new events only
}

func (c *followCommand) flags(f *flag.FlagSet) {
	c.output = "text"
	f.StringVar(&c.base, "base", "", "where the Events API is; without it http://localhost with EVENTS_PORT")
	f.StringVar(&c.token, "token", "", "the token to call with; without it B2B_TOKEN")
	f.StringVar(&c.types, "types", "", "only events of these types, such as order.created,order.canceled")
	f.Func("after", "begin behind this position; 0 is the beginning; without it what happens from now on",
		func(text string) error {
			n, err := strconv.ParseInt(text, 10, 64)
			c.after = &n
			return err
		})
	outputFlag(f, &c.output, "json (a line for each event) or text; without it text")
}

// errAgain marks an error after which followCommand tries again.
var errAgain = errors.New("trying again")

// isBaseRight ends the message of an error that a wrong address may have caused.
const isBaseRight = "is --base or EVENTS_PORT right?"

// run prints events until ctx ends. While the service does not answer, run tries again, and continues after
// the last printed event.
func (c *followCommand) run(ctx context.Context, out io.Writer) error {
	s := c.settings
	if err := s.Read(&s.Calling, &s.Ports); err != nil {
		return err
	}
	base, err := baseOr(c.base, s.EventsPort, "EVENTS_PORT")
	if err != nil {
		return err
	}
	if _, err := b2b.New(b2b.Options{Events: base}); err != nil { // no try can succeed with this address
		return fmt.Errorf("--base: %w", err)
	}
	c.token = strings.TrimSpace(cmp.Or(c.token, s.Token))
	if strings.ContainsFunc(c.token, unicode.IsControl) { // no request could be sent with this token
		return errors.New("--token or B2B_TOKEN has a line end or another control character in the middle")
	}
	client, err := eventsapi.NewClient(base, eventsapi.WithHTTPClient(&http.Client{Timeout: time.Minute}))
	if err != nil {
		return err
	}
	silent := false
	for {
		err := c.read(ctx, client, out)
		switch {
		case ctx.Err() != nil:
			return errInterrupted
		case errors.Is(err, errAgain):
			if !silent {
				fmt.Fprintf(os.Stderr, "%s: %v\n", base, err)
			}
			silent = true
			select {
			case <-time.After(time.Second):
			case <-ctx.Done():
			}
		case err != nil:
			return err
		default:
			silent = false
		}
	}
}

// read prints the next events, and waits for an event when there is none. Errors: errAgain for a failure that
// may pass; any other error is final.
func (c *followCommand) read(ctx context.Context, client *eventsapi.Client, out io.Writer) error {
	authorize := func(_ context.Context, req *http.Request) error {
		if c.token != "" {
			req.Header.Set("Authorization", "Bearer "+c.token)
		}
		return nil
	}
	params := &eventsapi.ListEventsParams{After: c.after, Wait: new("30s")}
	if c.types != "" {
		params.Types = &c.types
	}
	if c.after == nil { // the first request without --after reads only the last position
		params.Limit, params.Wait = new(int32(1)), nil
	}
	res, err := client.ListEvents(ctx, params, authorize)
	if isUnconnected(err) {
		return fmt.Errorf("%w: %w: %s", errAgain, err, isBaseRight)
	} else if err != nil {
		return fmt.Errorf("%w: %w", errAgain, err)
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	switch {
	case err != nil:
		return fmt.Errorf("%w: %w", errAgain, err)
	case res.StatusCode >= 500 || res.StatusCode == http.StatusTooManyRequests:
		return fmt.Errorf("%w: %s", errAgain, res.Status)
	case res.StatusCode != http.StatusOK:
		var refused contract.ErrorBody
		if contract.Unmarshal(body, &refused) != nil || refused.Code == "" {
			return fmt.Errorf("%s: %s", res.Status, isBaseRight)
		}
		return errors.New(describe(refused.Error, refused.Details))
	}
	feed, err := parseFeed(body)
	if err != nil {
		return fmt.Errorf("the answer is not from the Events API (%w): %s", err, isBaseRight)
	}
	meta := feed.Meta
	if c.after == nil {
		c.after = &meta.LastPosition
		return nil
	}
	if next := meta.NextAfter; next < *c.after || next == *c.after && len(feed.Data) > 0 {
		return fmt.Errorf("the answer goes from position %d to %d, so its events would come again: %s",
			*c.after, next, isBaseRight)
	}
	for _, e := range feed.Data {
		line := fmt.Sprintf("%d  %s  %s %d  by %s", e.Position, e.CreatedAt.Format(time.RFC3339), e.Type, e.SubjectID,
			e.Actor)
		if c.output == "json" {
			text, err := json.Marshal(e)
			if err != nil {
				return err
			}
			line = string(text)
		}
		if _, err := fmt.Fprintln(out, line); err != nil {
			return err
		}
	}
	c.after = &meta.NextAfter
	return nil
}

// parseFeed decodes a success of the Events API. It fails for an answer without success: true, data, or a
// position in meta.
func parseFeed(body []byte) (feed eventsapi.FeedResponse, err error) {
	var required struct {
		Success bool   `json:"success"`
		Data    *[]any `json:"data"`
		Meta    struct {
			NextAfter    *int64 `json:"next_after"`
			LastPosition *int64 `json:"last_position"`
		} `json:"meta"`
	}
	if err := contract.Unmarshal(body, &required); err != nil {
		return feed, err
	}
	if meta := required.Meta; !required.Success || required.Data == nil || meta.NextAfter == nil ||
		meta.LastPosition == nil {
		return feed, errors.New("it lacks success: true, data, or a position in meta")
	}
	return feed, contract.Unmarshal(body, &feed)
}
