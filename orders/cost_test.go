package orders

import (
	"encoding/json"
	"testing"
	"time"
)

// BenchmarkEncodeOrder measures the conversion of an order to its answer, and the encoding of the answer as
// JSON.
func BenchmarkEncodeOrder(b *testing.B) {
	s := &Service{Config: Config{Reservation: time.Hour}}
	o := order{ID: 1, CustomerID: 1, TotalCents: 3000, Items: []item{
		{ProductID: 1, SKU: "LAPTOP-HP-2024", Name: "HP EliteBook 840", Qty: 1, UnitPriceCents: 1000, SubtotalCents: 1000},
		{ProductID: 2, SKU: "LAPTOP-HP-2024", Name: "HP EliteBook 840", Qty: 1, UnitPriceCents: 1000, SubtotalCents: 1000},
		{ProductID: 3, SKU: "LAPTOP-HP-2024", Name: "HP EliteBook 840", Qty: 1, UnitPriceCents: 1000, SubtotalCents: 1000},
	}}
	b.ReportAllocs()
	for b.Loop() {
		if _, err := json.Marshal(s.orderResponse(o)); err != nil {
			b.Fatal(err)
		}
	}
}
