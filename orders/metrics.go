package orders

import (
	"errors"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promauto"

	"example.com/b2b/v2/internal/apperr"
)

var (
	ordersTotal = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "b2b_orders_total",
		Help: "Orders that were placed, confirmed or canceled, by the new status and the reason of a cancellation.",
	}, []string{"status", "reason"})
	ordersRefused = promauto.NewCounterVec(prometheus.CounterOpts{
		Name: "b2b_orders_refused_total",
		Help: "Commands on orders that were refused, by the code of the error.",
	}, []string{"code"})
	unitsShort = promauto.NewCounter(prometheus.CounterOpts{
		Name: "b2b_units_short_total",
		Help: "Pieces that refused orders asked for beyond the stock.",
	})
	stockImbalance = promauto.NewGauge(prometheus.GaugeOpts{
		Name: "b2b_stock_imbalance",
		Help: "Pieces by which the stock of products differs from their adjustments and orders; 0 when all is right.",
	})
	tableRows = promauto.NewGaugeVec(prometheus.GaugeOpts{
		Name: "b2b_table_rows",
		Help: "About how many rows a table has that grows with each request.",
	}, []string{"table"})
)

func countTransitions(transitions []transition) {
	for _, t := range transitions {
		reason := "none"
		if t.to == canceled && t.order.CancelReason != nil {
			reason = string(*t.order.CancelReason)
		}
		ordersTotal.WithLabelValues(string(t.to), reason).Inc()
	}
}

// countRefusal counts a refused command and, for 400 insufficient_stock, the missing pieces. It ignores an
// error that is not an apperr.Error.
func countRefusal(err error) {
	var refusal *apperr.Error
	if !errors.As(err, &refusal) {
		return
	}
	ordersRefused.WithLabelValues(refusal.Name).Inc()
	if refusal.Code != apperr.InsufficientStock {
		return
	}
	for _, d := range refusal.Details {
		requested, _ := d.Params["requested"].(int64)
		available, _ := d.Params["available"].(int64)
		unitsShort.Add(float64(max(requested-available, 0)))
	}
}
