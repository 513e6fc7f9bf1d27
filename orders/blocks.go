package orders

import (
	"context"
	"time"

	"example.com/b2b/db"
)

// The block-range index, table order_blocks, has the earliest and latest created_at of each block of ids. Lists
// of a period read the blocks that overlap the period: ids ascend nearly as orders are created. An ordinary
// index on created_at would cost a write for each order, and a sort of the whole period for each page.

const (
	blockSize = 1024 // ids: 1 to 1024 are block 0

	// completeAfter is longer than any transaction lasts. Behind an order of this age, no lower id appears.
	completeAfter = 10 * time.Minute
)

// idsOf returns the first and the last id of a block.
func idsOf(block int64) db.IDRange {
	return db.IDRange{First: block*blockSize + 1, Last: (block + 1) * blockSize}
}

// RecordRanges records the blocks that can get no more orders, in ascending order, and returns how many. A block
// is complete when every id has an order, or when a later order is older than completeAfter: missing ids then
// belong to rolled-back transactions. Any number of instances may run RecordRanges at the same time.
func (s *Service) RecordRanges(ctx context.Context) (n int, err error) {
	for {
		if more, err := s.db.Read(ctx).recordRange(); err != nil || !more {
			return n, err
		}
		n++
	}
}
