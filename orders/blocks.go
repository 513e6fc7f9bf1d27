package orders

import (
	"context"
	"time"

	"example.com/b2b/db"
)

// Lists find orders by the time of their creation without an index on it, which each creation would have to
// write: ids ascend nearly as orders are created, so it is enough to know between which moments those of each
// block of ids were created.

const (
	blockSize = 1024 // ids: 1 to 1024 are block 0
	// settled is how much older than now an order must be, so that none with a lower id can come: longer than
	// any transaction lasts.
	settled = 10 * time.Minute
)

func idsOf(block int64) db.IDRange {
	return db.IDRange{First: block*blockSize + 1, Last: (block + 1) * blockSize}
}

// NoteBlocks notes the moments of those blocks, one after the other, into which no order can come any more,
// and returns how many. Such a block is full, or has a settled order behind it: an id is lost with its
// transaction. Any number of instances may run it at once.
func (s *Service) NoteBlocks(ctx context.Context) (n int, err error) {
	for {
		if more, err := s.db.Read(ctx).noteBlock(); err != nil || !more {
			return n, err
		}
		n++
	}
}
