package b2b

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"example.com/b2b/v2/openapi/eventsapi"
)

// FollowOption is an option of FollowEvents: see OnPosition.
type FollowOption func(*follower)

type follower struct {
	told func(position int64) error
}

// OnPosition lets FollowEvents call the function told after each page of the feed, with the position up to
// which all events have been read. An error of told ends the iteration. Store this position, too, when your
// events are rare, because you ask for rare types or have the token of a partner. Otherwise you begin again
// at the position of your last event, and the events after it may have been deleted.
func OnPosition(told func(position int64) error) FollowOption {
	return func(f *follower) { f.told = told }
}

// FollowEvents iterates over the events after a position, and waits for new events, until ctx ends. The
// parameter types filters the events; it may be empty. Store the Position of each event together with the
// result of your work on the event, and begin again after the last stored Position.
//
// When the service does not answer, the iterator tries again. Any other error ends the iteration. An *Error
// with the code events_expired means that events after the position were deleted: make your copy anew from the
// exports, and go on from the smallest X-Event-Position of their answers. The methods ExportCustomers,
// ExportOrders and ExportProducts of Client yield only rows, without this header: use
// client.Customers.ExportCustomers, client.Orders.ExportOrders and client.Orders.ExportProducts, whose response
// has the header and the file.
func (c *Client) FollowEvents(
	ctx context.Context, after int64, types string, options ...FollowOption,
) iter.Seq2[eventsapi.FeedEvent, error] {
	f := follower{told: func(int64) error { return nil }}
	for _, option := range options {
		option(&f)
	}
	return func(yield func(eventsapi.FeedEvent, error) bool) {
		limit, wait := int32(1000), "20s"
		for {
			params := &eventsapi.ListEventsParams{After: &after, Limit: &limit, Wait: &wait}
			if types != "" {
				params.Types = &types
			}
			res, err := c.Events.ListEventsWithResponse(ctx, params)
			var failure *Error
			if errors.As(err, &failure) && failure.Retryable && ctx.Err() == nil {
				select { // a 500 and a long Retry-After end a call, so this loop must wait by itself
				case <-time.After(time.Second):
				case <-ctx.Done():
				}
				continue
			}
			if err != nil {
				yield(eventsapi.FeedEvent{}, err)
				return
			}
			events, next := res.JSON200.Data, res.JSON200.Meta.NextAfter
			// Without this check the same events would come for ever.
			if next < after || next == after && len(events) > 0 {
				odd := fmt.Errorf("/meta/next_after is %d after %d", next, after)
				yield(eventsapi.FeedEvent{}, callOf("listEvents", res.HTTPResponse).unexpected(res.HTTPResponse, odd))
				return
			}
			for _, e := range events {
				if !yield(e, nil) {
					return
				}
			}
			if next == after {
				continue
			}
			after = next
			if err := f.told(after); err != nil {
				yield(eventsapi.FeedEvent{}, err)
				return
			}
		}
	}
}
