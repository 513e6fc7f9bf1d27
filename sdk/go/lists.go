package b2b

import (
	"fmt"
	"iter"
	"net/http"
)

// pageSize is the number of items per page when the parameters of a list have no Limit. It is the most that a
// service returns in a page.
const pageSize int32 = 100

// pages iterates over the items of all pages of an operation. The function fetch returns the items of the
// page at a cursor, and the cursor of the next page. The cursor is nil for the first page, and the next
// cursor is nil after the last page. An error ends the iteration, and so does a cursor that comes again.
func pages[T any](
	operationID string, first *int64, fetch func(cursor *int64) ([]T, *int64, *http.Response, error),
) iter.Seq2[T, error] {
	return func(yield func(T, error) bool) {
		var none T
		seen := map[int64]bool{}
		for cursor := first; ; {
			if cursor != nil {
				seen[*cursor] = true
			}
			items, next, res, err := fetch(cursor)
			if err != nil {
				yield(none, err)
				return
			}
			for _, item := range items {
				if !yield(item, nil) {
					return
				}
			}
			if next == nil {
				return
			}
			if seen[*next] {
				yield(none, callOf(operationID, res).unexpected(res, fmt.Errorf("/meta/nextCursor is %d again", *next)))
				return
			}
			cursor = next
		}
	}
}

// callOf returns the call that res answers. It is for operations without an idempotency key.
func callOf(operationID string, res *http.Response) call {
	return call{operation: operation{name: operationID}, Request: res.Request}
}
