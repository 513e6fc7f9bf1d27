package b2b

import (
	"context"
	"errors"
	"iter"
	"time"

	"example.com/b2b/v2/openapi/eventsapi"
)

// FollowEvents iterates over the events after a position, and waits for new ones, until ctx ends. The parameter types
// filters the events; it may be empty. Store the Position of each event with what you made of it, and begin again
// after the last.
//
// A service that does not answer ends nothing: the iterator tries again. Any other error ends the iteration. An
// *Error with the code events_expired means that events after the position were deleted: make your copy anew by
// the exports, and go on from the position that they name.
func (c *Client) FollowEvents(
	ctx context.Context, after int64, types string,
) iter.Seq2[eventsapi.FeedEvent, error] {
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
				select { // a call does not repeat a 500, nor wait for longer than its deadline
				case <-time.After(time.Second):
				case <-ctx.Done():
				}
				continue
			}
			if err != nil {
				yield(eventsapi.FeedEvent{}, err)
				return
			}
			for _, e := range res.JSON200.Data {
				if !yield(e, nil) {
					return
				}
			}
			after = res.JSON200.Meta.NextAfter
		}
	}
}
