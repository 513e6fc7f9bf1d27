package orders

import (
	"context"
	"time"

	"example.com/b2b/v2/db"
)

// The table order_blocks is a block-range index: for each block of ids it has the earliest and the latest
// created_at. A list of the orders of a period reads only the blocks from the first to the last that overlap
// the period, and the ids after the last recorded block. These are few ids, because orders get ascending ids
// nearly in the order of created_at. An ordinary index on created_at would cost a write for each order, and a
// sort of the whole period for each page.

const (
	blockSize = 1024 // ids in a block; block 0 has the ids 1 to 1024

	// completeAfter is longer than any transaction lasts. Once an order is this old, no new order gets a
	// lower id.
	completeAfter = 10 * time.Minute
)

// idsOf returns the first and the last id of a block.
func idsOf(block int64) db.IDRange {
	return db.IDRange{First: block*blockSize + 1, Last: (block + 1) * blockSize}
}

// RecordRanges records the complete blocks, in ascending order, and returns the number of recorded blocks. A
// block is complete when it can get no more orders: either every id of the block has an order, or the next
// order after the block is older than completeAfter. In the second case, the missing ids belong to
// rolled-back transactions. Several instances may run RecordRanges at once.
func (s *Service) RecordRanges(ctx context.Context) (n int, err error) {
	for {
		if more, err := s.db.Read(ctx).recordRange(); err != nil || !more {
			return n, err
		}
		n++
	}
}
