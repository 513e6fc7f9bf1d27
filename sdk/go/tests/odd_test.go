package tests

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/openapi/ordersapi"
	b2b "example.com/b2b/v2/sdk/go"
)

// oddAnswers is the content of ../../odd-answers.json. The field about in the file explains the other fields.
type oddAnswers struct {
	Bodies map[string]string
	Rows   []oddAnswer
}

type oddAnswer struct {
	Name, Call  string
	Status      int
	Headers     map[string]string
	Body        json.RawMessage
	Bodies      []json.RawMessage
	Latin1, Cut bool
	Expect      struct {
		Code               *contract.ErrorCode
		Status             *int
		Retryable          bool
		Correlation, Tries string
		Details, Items     int
		Says               []string
	}
}

// text returns the body of an answer. The parameter given has the body itself, or a change of one of the
// bodies.
func (o oddAnswer) text(t *testing.T, bodies map[string]string, given json.RawMessage) string {
	t.Helper()
	var body string
	var made struct{ Of, From, To string }
	if json.Unmarshal(given, &body) != nil {
		must(0, json.Unmarshal(given, &made))(t)
		if body = bodies[made.Of]; body == "" || strings.Count(body, made.From) != 1 && made.From != "" {
			t.Fatalf("%q has no single %q", made.Of, made.From)
		}
		body = strings.Replace(body, made.From, made.To, min(1, len(made.From)))
	}
	if !o.Latin1 {
		return body
	}
	var latin1 []byte
	for _, r := range body {
		latin1 = append(latin1, byte(r))
	}
	return string(latin1)
}

// raw returns the answer in HTTP/1.1, with the bytes that the network would deliver.
func (o oddAnswer) raw(body string) string {
	answer := fmt.Sprintf("HTTP/1.1 %d Odd\r\n", o.Status)
	for name, value := range o.Headers {
		answer += name + ": " + value + "\r\n"
	}
	if o.Status != http.StatusNoContent && o.Status != http.StatusNotModified {
		answer += fmt.Sprintf("Content-Length: %d\r\n", len(body))
	}
	if o.Cut {
		body = body[:len(body)/2]
	}
	return answer + "\r\n" + body
}

type roundTripper func(*http.Request) (*http.Response, error)

func (f roundTripper) RoundTrip(r *http.Request) (*http.Response, error) { return f(r) }

// TestOddAnswers makes the call of each row in odd-answers.json, which the SDKs of all languages share. The
// clock is fake, and every request gets the answer of the row without a network.
func TestOddAnswers(t *testing.T) {
	var table oddAnswers
	must(0, json.Unmarshal(must(os.ReadFile("../../odd-answers.json"))(t), &table))(t)
	if len(table.Rows) < 40 {
		t.Fatalf("only %d rows", len(table.Rows))
	}
	for _, row := range table.Rows {
		t.Run(row.Name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) { row.test(t, table.Bodies) })
		})
	}
}

func (o oddAnswer) test(t *testing.T, bodies map[string]string) {
	if o.Bodies == nil {
		o.Bodies = []json.RawMessage{o.Body}
	}
	var keys, correlationIDs []string
	options := b2b.Options{Customers: nowhere, Orders: nowhere, Events: nowhere, Orchestrator: nowhere}
	options.HTTPClient = &http.Client{
		Transport: roundTripper(func(r *http.Request) (*http.Response, error) {
			var sent struct {
				Key string `json:"idempotency_key"`
			}
			if r.Body != nil {
				must(0, json.NewDecoder(r.Body).Decode(&sent))(t)
			}
			if keys = append(keys, sent.Key+r.Header.Get("X-Idempotency-Key")); len(keys) > 1000 {
				t.Fatal("the call never ends")
			}
			correlationIDs = append(correlationIDs, r.Header.Get("X-Correlation-Id"))
			body := o.text(t, bodies, o.Bodies[min(len(keys), len(o.Bodies))-1])
			return http.ReadResponse(bufio.NewReader(strings.NewReader(o.raw(body))), r)
		}),
	}
	client := must(b2b.New(options))(t)
	time.Sleep(time.Until(time.Date(2026, 1, 1, 0, 0, 0, 0, time.UTC))) // the fake clock begins in 2000
	began := time.Now()
	items, err := o.call(t, client)
	if items != o.Expect.Items {
		t.Errorf("%d items, not %d", items, o.Expect.Items)
	}
	isList := strings.HasPrefix(o.Call, "list")
	if again := len(keys) > 1; again != (o.Expect.Tries == "again") && !isList {
		t.Errorf("%d tries", len(keys))
	}
	if took := time.Since(began); took > time.Minute {
		t.Errorf("it took %v", took)
	}
	if len(slices.Compact(slices.Clone(keys))) != 1 {
		t.Errorf("keys %q", keys)
	}
	if o.Expect.Code == nil {
		if err != nil {
			t.Error(err)
		}
		return
	}
	var failed *b2b.Error
	if !errors.As(err, &failed) {
		t.Fatalf("%v is no Error", err)
	}
	status, correlationID := o.Status, correlationIDs[len(correlationIDs)-1]
	if o.Expect.Status != nil {
		status = *o.Expect.Status
	}
	if o.Expect.Correlation != "" {
		correlationID = o.Expect.Correlation
	}
	if failed.Code != *o.Expect.Code || failed.Status != status || failed.Retryable != o.Expect.Retryable ||
		len(failed.Details) != o.Expect.Details || failed.IdempotencyKey != keys[0] || correlationID == "" ||
		failed.CorrelationID != correlationID || failed.Operation != o.Call {
		t.Errorf("%+v is not that of the row; key %q, correlation id %q", failed, keys[0], correlationID)
	}
	if takesKey := strings.HasPrefix(o.Call, "create"); takesKey != (keys[0] != "") {
		t.Errorf("the key is %q", keys[0])
	}
	for _, said := range append(o.Expect.Says, string(*o.Expect.Code)) {
		if !strings.Contains(failed.Error(), said) {
			t.Errorf("%q does not say %q", failed.Error(), said)
		}
	}
	if strings.Contains(failed.Error(), "nil") || failed.Message == "" {
		t.Errorf("%q shows what is missing", failed.Error())
	}
}

// call makes the call that the row names, and checks the ids in a successful answer. It returns the number of
// items of a list.
func (o oddAnswer) call(t *testing.T, client *b2b.Client) (items int, err error) {
	t.Helper()
	lines := []contract.OrderItemRequest{{ProductID: new(int64(2)), Qty: 3}}
	placed := int64(41)
	switch o.Call {
	case "createOrder":
		res, err := client.Orders.CreateOrderWithResponse(t.Context(), nil,
			ordersapi.OrderRequest{CustomerID: 1, Items: lines})
		if err != nil {
			return 0, err
		}
		placed = res.JSON201.Data.ID
	case "createAndConfirmOrder":
		res, err := client.CreateAndConfirmOrder(t.Context(),
			orchestratorapi.OrchestrationRequest{CustomerID: 1, Items: lines})
		if err != nil {
			return 0, err
		}
		placed = res.Order.ID
	case "getProduct":
		_, err = client.Orders.GetProductWithResponse(t.Context(), 2, nil)
	case "updateProduct":
		_, err = client.Orders.UpdateProductWithResponse(t.Context(), 2, nil,
			ordersapi.ProductUpdate{Stock: new(int64(7))})
	case "deleteCustomer":
		_, err = client.Customers.DeleteCustomerWithResponse(t.Context(), 1, nil)
	case "listProducts":
		for product, failed := range client.ListProducts(t.Context(), ordersapi.ListProductsParams{}) {
			if failed != nil {
				return items, failed
			}
			if items++; product.ID != 2 {
				t.Errorf("%+v", product)
			}
		}
	case "listEvents":
		for event, failed := range client.FollowEvents(t.Context(), 5, "") {
			if failed != nil {
				return items, failed
			}
			if items++; event.Position != 6 {
				t.Errorf("%+v", event)
			}
		}
	default:
		t.Fatalf("no call %q", o.Call)
	}
	if placed != 41 {
		t.Errorf("the order is %d", placed)
	}
	return items, err
}
