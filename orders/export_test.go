package orders

import (
	"context"
	"testing"
	"time"

	dto "github.com/prometheus/client_model/go"
)

// OneBatch limits the service to one batch at a time, however long the batch takes. Call OneBatch before the
// first command.
func OneBatch(s *Service) { s.commands.MaxConcurrent, s.commands.StallTimeout = 1, time.Hour }

// Load returns the number of running batches, the number of commands that wait for a batch, and the number of
// commands that wait for rows that other sessions have locked.
func Load(s *Service) (batches, waiting, held int) { return s.commands.Load() }

// ExportPage reads a page of an export. It returns how many orders and how many order lines the page has.
func ExportPage(ctx context.Context, s *Service, cursor *int64) (orders, lines int, next *int64, err error) {
	rows, next, err := s.exportPage(ctx, orderFilter{}, cursor)
	for _, o := range rows {
		lines += len(o.Items)
	}
	return len(rows), lines, next, err
}

// PurgeKeys deletes the service's expired idempotency keys.
func (s *Service) PurgeKeys(ctx context.Context) (int, error) { return s.db.Keys.Purge(ctx) }

// LimitLines sets the limit of order lines in a run of CheckStock, until the test ends.
func LimitLines(t *testing.T, lines int64) {
	before := linesChecked
	linesChecked = lines
	t.Cleanup(func() { linesChecked = before })
}

// StockImbalance returns the value of the metric b2b_stock_imbalance.
func StockImbalance(t *testing.T) float64 {
	var m dto.Metric
	if err := stockImbalance.Write(&m); err != nil {
		t.Fatal(err)
	}
	return m.GetGauge().GetValue()
}
