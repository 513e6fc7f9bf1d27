package orders

import (
	"time"

	"example.com/b2b/v2/internal/service"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
)

// The functions of this file convert orders, products and stock adjustments to the types of the contract, for
// answers, events and ETags. An ETag is computed from the whole response.

func (c *Config) orderResponse(o order) api.OrderResponse {
	return api.OrderResponse{Success: true, Data: c.orderView(o)}
}

func (c *Config) orderView(o order) api.Order {
	return api.Order{OrderSummary: c.summary(o), Items: service.Views(o.Items, func(i item) contract.OrderItem {
		return contract.OrderItem{
			ProductID: i.ProductID, Sku: i.SKU, Name: i.Name, Qty: i.Qty,
			UnitPriceCents: i.UnitPriceCents, SubtotalCents: i.SubtotalCents,
		}
	})}
}

// lineRow is a row of an export of order lines: the fields of the order and the fields of the line. Only the
// fields of the schema OrderLineRow become columns of the file. A field of api.OrderSummary and a field of
// contract.OrderItem must not have the same name: both would be missing in the JSON, and the export would
// fail.
type lineRow struct {
	OrderID contract.ID `json:"order_id"`
	api.OrderSummary
	contract.OrderItem
}

// lineRows returns a row for each line of an order.
func (c *Config) lineRows(o order) []lineRow {
	view := c.orderView(o)
	return service.Views(view.Items, func(i contract.OrderItem) lineRow {
		return lineRow{o.ID, view.OrderSummary, i}
	})
}

// summary returns an order as the API shows it in lists, with the actions allowed at the time o.Now.
func (c *Config) summary(o order) api.OrderSummary {
	next := c.allowedActions(o)
	return api.OrderSummary{
		ID: o.ID, CustomerID: o.CustomerID, ExternalRef: o.ExternalRef, Metadata: metadata(o.Metadata),
		Status: contract.OrderStatus(o.Status), TotalCents: o.TotalCents,
		CreatedAt: timestamp(o.CreatedAt), UpdatedAt: timestamp(o.UpdatedAt),
		ConfirmedAt: optional(o.ConfirmedAt), CanceledAt: optional(o.CanceledAt),
		CancelReason: (*api.CancelReason)(o.CancelReason), CancelNote: o.CancelNote, CanceledBy: o.CanceledBy,
		ReservationExpiresAt: optional(next.ReservationExpiresAt), CancelableUntil: optional(next.CancelableUntil),
		AllowedActions: service.Views(next.Actions, func(a action) api.OrderAction { return api.OrderAction(a) }),
	}
}

// summaryView returns a summary as the API shows it.
func summaryView(c *calendar) api.OrdersSummary {
	const most = 1<<53 - 1
	totals := func(t orderTotals) api.OrderTotals {
		return api.OrderTotals{
			Orders: t.Orders, Units: int64(min(t.Units, most)), TotalCents: int64(min(t.TotalCents, most)),
		}
	}
	days := service.Views(c.days, func(d daySummary) api.OrdersOfDay {
		return api.OrdersOfDay{Day: d.date.Format(time.DateOnly), Created: totals(d.created),
			Confirmed: totals(d.confirmed), Canceled: totals(d.canceled)}
	})
	return api.OrdersSummary{Tz: c.zone.String(), Days: days}
}

// metadata returns the metadata of an order, or nil when the order has none.
func metadata(texts map[string]string) *contract.OrderMetadata {
	if texts == nil {
		return nil
	}
	return (*contract.OrderMetadata)(&texts)
}

// quoteView returns a quote as the API shows it. The parameter asked is the order in the request. The field
// Fillable of the result is the same order with only the fillable lines and their price.
func quoteView(q quote, asked api.OrderRequest) api.Quote {
	view := api.Quote{
		Items: service.Views(q.Items, quotedItem), TotalCents: q.TotalCents,
		Shortages: service.Views(q.Shortages, shortageView),
	}
	if q.Fillable != nil {
		asked.Items = service.Views(q.Fillable, func(l line) contract.OrderItemRequest {
			return contract.OrderItemRequest{ProductID: l.ProductID, Sku: l.SKU, Qty: l.Qty}
		})
		asked.ExpectedTotalCents = &q.FillableTotalCents
		view.Fillable = &asked
	}
	return view
}

func quotedItem(i item) api.QuotedItem {
	return api.QuotedItem{ProductID: i.ProductID, Sku: i.SKU, Qty: i.Qty,
		UnitPriceCents: i.UnitPriceCents, SubtotalCents: i.SubtotalCents}
}

func shortageView(i item) api.Shortage {
	return api.Shortage{ProductID: i.ProductID, Sku: i.SKU, Requested: i.Qty, Available: i.product.Stock}
}

func productResponse(p product) api.ProductResponse {
	return api.ProductResponse{Success: true, Data: productView(p)}
}

func productView(p product) api.Product {
	return api.Product{ID: p.ID, Sku: p.SKU, Name: p.Name, PriceCents: p.PriceCents, Stock: p.Stock,
		Active: p.Active, CreatedAt: timestamp(p.CreatedAt), UpdatedAt: timestamp(p.UpdatedAt)}
}

func adjustmentView(a stockAdjustment) api.StockAdjustment {
	return api.StockAdjustment{ID: a.ID, ProductID: a.ProductID, Delta: a.Delta, Level: a.Level, Reason: a.Reason,
		Actor: a.Actor, CreatedAt: timestamp(a.CreatedAt)}
}

func timestamp(t time.Time) contract.Time { return contract.Time{Time: t} }

func optional(t *time.Time) *contract.Time {
	if t == nil {
		return nil
	}
	return &contract.Time{Time: *t}
}
