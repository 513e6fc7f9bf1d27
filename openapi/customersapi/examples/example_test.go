package examples_test

import (
	"context"
	"fmt"
	"log"
	"testing"

	"github.com/oapi-codegen/nullable"

	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/test/live"
)

var base string // the address of the Customers API

func TestMain(m *testing.M) { live.Main(m, "customers", &base) }

// Branch on the code of an error, and show its sentence to the user.
func Example_createCustomer() {
	client, err := customersapi.NewClientWithResponses(base)
	if err != nil {
		log.Fatal(err)
	}
	for range 2 {
		res, err := client.CreateCustomerWithResponse(
			context.Background(), nil, customersapi.CustomerRequest{Name: "Hooli", Email: "orders@hooli.example"},
		)
		if err != nil {
			log.Fatal(err)
		}
		switch {
		case res.JSON201 != nil:
			fmt.Println(res.JSON201.Data.ID, res.JSON201.Data.Name)
		case res.JSON409 != nil && res.JSON409.Code == contract.EmailTaken:
			fmt.Println(res.JSON409.Error)
		default:
			log.Fatal(string(res.Body))
		}
	}
	// Output:
	// 6 Hooli
	// Another customer has this email.
}

// A field that the request leaves out keeps its value, and null clears a field. With the ETag, the call fails
// after another client has changed the customer.
func Example_updateCustomer() {
	client, err := customersapi.NewClientWithResponses(base)
	if err != nil {
		log.Fatal(err)
	}
	seen, err := client.GetCustomerWithResponse(context.Background(), 2, nil)
	if err != nil {
		log.Fatal(err)
	}
	params := &customersapi.UpdateCustomerParams{IfMatch: new(seen.HTTPResponse.Header.Get("ETag"))}
	change := customersapi.CustomerUpdate{Phone: nullable.NewNullNullable[string]()}
	for range 2 {
		res, err := client.UpdateCustomerWithResponse(context.Background(), 2, params, change)
		if err != nil {
			log.Fatal(err)
		}
		switch {
		case res.JSON200 != nil:
			fmt.Println(res.JSON200.Data.Name, "has a phone:", res.JSON200.Data.Phone != nil)
		case res.JSON412 != nil:
			fmt.Println(res.JSON412.Code)
		default:
			log.Fatal(string(res.Body))
		}
	}
	// Output:
	// Globex Industries has a phone: false
	// precondition_failed
}
