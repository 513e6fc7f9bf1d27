package customers_test

import (
	"fmt"
	"testing"

	"gorm.io/gorm"

	"example.com/b2b/db/dbtest"
	"example.com/b2b/internal/web/webtest"
	api "example.com/b2b/openapi/customersapi"
)

// TestEveryField sends each field of a customer, and expects each field in the answer.
func TestEveryField(t *testing.T) {
	spec := webtest.Spec(t, api.Document)
	dbtest.Each(t, func(t *testing.T, g *gorm.DB) {
		base, _ := serve(t, g)
		customer := webtest.EveryField(t, spec, "NewCustomer")
		made := webtest.Data(t, "POST", base+"/customers", customer)
		path := fmt.Sprint(base, "/customers/", made["id"])
		webtest.ComesBack(t, "NewCustomer", customer, webtest.Data(t, "GET", path, nil))
		webtest.NeverShown(t, spec, "Customer", made)
		change := webtest.EveryField(t, spec, "CustomerUpdate")
		webtest.ComesBack(t, "CustomerUpdate", change, webtest.Data(t, "PUT", path, change))
	})
}
