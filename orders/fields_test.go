package orders_test

import (
	"fmt"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/db/dbtest"
	"example.com/b2b/internal/web/webtest"
	api "example.com/b2b/openapi/ordersapi"
)

// TestEveryField sends each field of the document and expects the field in the answer. It fails for a field
// of an answer that is never set.
func TestEveryField(t *testing.T) {
	spec := webtest.Spec(t, api.Document)
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		s := serve(t, g)
		read := func(path string, id any) map[string]any {
			return webtest.Data(t, "GET", fmt.Sprint(s.base, path, id), nil)
		}

		product := webtest.EveryField(t, spec, "NewProduct")
		made := webtest.Data(t, "POST", s.base+"/products", product)
		webtest.ComesBack(t, "NewProduct", product, read("/products/", made["id"]))
		webtest.NeverShown(t, spec, "Product", read("/products/", made["id"]))
		change := webtest.EveryField(t, spec, "ProductUpdate")
		path := fmt.Sprint(s.base, "/products/", made["id"])
		webtest.ComesBack(t, "ProductUpdate", change, webtest.Data(t, "PATCH", path, change))
		adjustment := webtest.EveryField(t, spec, "NewStockAdjustment")
		adjusted := webtest.Data(t, "POST", path+"/stock-adjustments", adjustment)
		webtest.ComesBack(t, "NewStockAdjustment", adjustment, adjusted)
		webtest.NeverShown(t, spec, "StockAdjustment", adjusted)

		order := webtest.EveryField(t, spec, "NewOrder")
		line := order["items"].([]any)[0].(map[string]any)
		line["product_id"] = made["id"]
		delete(line, "sku") // TestLinesBySku
		placed := webtest.Data(t, "POST", s.base+"/orders", order)
		webtest.ComesBack(t, "NewOrder", order, read("/orders/", placed["id"]))
		path = fmt.Sprint(s.base, "/orders/", placed["id"])
		confirmed := webtest.Data(t, "POST", path+"/confirm", nil, "X-Idempotency-Key", "fields")
		canceled := webtest.Data(t, "POST", path+"/cancel", map[string]string{"reason": "why"})
		webtest.NeverShown(t, spec, "OrderSummary", placed, confirmed, canceled)
	})
}
