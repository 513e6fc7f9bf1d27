package orders

import (
	"context"
	"math"
	"sync"
)

const productsChecked = 50 // highest number of products in a run of CheckStock

// linesChecked is the number of order lines that a run of CheckStock reads, in about 0.1 s. After a product
// with more order lines, the next runs of CheckStock read nothing, until the average is right again. So the
// check keeps a connection busy for only 1 % of the time. Tests change linesChecked.
var linesChecked int64 = 20_000

// stockCheck is the progress of CheckStock in this process.
type stockCheck struct {
	sync.Mutex
	last      int64   // id of the last checked product
	debt      int64   // order lines that earlier runs have read beyond linesChecked
	found     float64 // wrong pieces found in the present turn through all products
	lastFound float64 // wrong pieces found in the previous turn
}

// balance is the stock of a product, compared with its adjustments and orders.
type balance struct {
	ID         int64
	Surplus    int64 // pieces by which the stock is too high; negative for a stock that is too low
	OrderLines int64
}

// CheckStock compares the stock of the next products with their adjustments and orders, and sets the metric
// b2b_stock_imbalance. The products are checked in ascending id; after the last product, a new turn begins.
// The metric is the number of wrong pieces found so far in this turn, or the number found in the previous
// turn, whichever is larger. CheckStock changes no row, and so returns 0 rows.
func (s *Service) CheckStock(ctx context.Context) (rows int, err error) {
	c := &s.stockCheck
	c.Lock()
	defer c.Unlock()
	c.debt -= linesChecked
	for n := 0; n < productsChecked && c.debt < 0; n++ {
		b, err := s.db.Read(ctx).balanceAfter(c.last)
		if err != nil {
			return 0, err
		}
		if b == nil {
			c.last, c.lastFound, c.found = 0, c.found, 0
			break
		}
		c.last = b.ID
		c.debt += b.OrderLines
		c.found += math.Abs(float64(b.Surplus))
	}
	c.debt = max(c.debt, 0)
	stockImbalance.Set(max(c.found, c.lastFound))
	return 0, nil
}
