package apperr

import "net/http"

// Code is an entry of the catalogue. From the catalogue, the generators write the error responses and the
// list of codes in the OpenAPI documents, and docs/errors.md.
type Code struct {
	Name     string // name in snake_case; never changes, because programs branch on the name
	Status   int
	Sentence string // message for people; a format for fmt.Sprintf
	When     string // circumstances in which the error happens
	Do       string // advice for the caller
	Retry    Retry
	On       []string // operations that may return this error: ids, paths, or groups such as Always
	Example  Detail   // example of a detail; empty for codes without details
	Args     []any    // arguments of Sentence in the example

	// Unprovoked says why no client can provoke the error, for the Postman collection. It is empty when a
	// step of the collection provokes the error.
	Unprovoked string
}

// Retry tells whether the same call may succeed later.
type Retry string

// The values of Retry.
const (
	Never     Retry = "no"
	AfterThat Retry = "when the state has changed"
	Again     Retry = "yes, with the same idempotency key"
	Later     Retry = "yes, with the same idempotency key, after a moment" // the answer has Retry-After
)

// Groups of operations, for Code.On. The OpenAPI documents say which operations are in a group. Code.On also
// has ids of operations, and paths, such as /orders/{id}. A path stands for its operations, and for the
// operations of all paths below it.
const (
	Always        = "*"             // every operation
	Business      = "business"      // every operation except /health and /ready
	WithDatabase  = "database"      // every operation, except /health, of services with a database
	WithBody      = "body"          // operations with a JSON body
	WithRows      = "rows"          // operations with a body of CSV or NDJSON rows
	WithKey       = "key"           // operations that accept the header X-Idempotency-Key
	WithNeededKey = "required key"  // operations that require the header X-Idempotency-Key
	WithIfMatch   = "If-Match"      // operations that accept the header If-Match
	WithSecurity  = "security"      // operations that check the caller
	Unrouted      = "no operation"  // requests with an unknown path or method
	WithPeers     = "orchestration" // operations of the orchestrator
)

var catalogue []*Code

func define(c Code) *Code {
	catalogue = append(catalogue, &c)
	return &c
}

// Catalogue returns all codes, in ascending order of status. A name may have several entries, with different
// statuses or sentences.
func Catalogue() []*Code { return catalogue }

// The catalogue, in ascending order of status.
var (
	MalformedJSON = define(Code{Name: "malformed_json", Status: http.StatusBadRequest,
		Retry: Never, On: []string{WithBody},
		Sentence: "The body is not valid JSON: %s.", Args: []any{"unexpected end of JSON input (byte 17)"},
		When: "The body is not JSON, or not UTF-8.",
		Do:   "Correct the program that makes the body."})
	MalformedRow = define(Code{Name: "malformed_row", Status: http.StatusBadRequest,
		Retry: Never, On: []string{WithRows},
		Sentence: "The row cannot be read: %s.", Args: []any{"line 7 is not UTF-8"},
		When: "A row of an import, or the line that names the columns, is no CSV or no JSON; or the file is not in " +
			"its encoding, which is UTF-8 unless `encoding` names another: then no row is applied.",
		Do: "Name the file's encoding, or correct the program that makes the file."})
	ValidationFailed = define(Code{Name: "validation_failed", Status: http.StatusBadRequest,
		Retry: Never, On: []string{Always},
		Sentence: "The request is not valid.",
		Example:  Detail{"/query/limit", "must be at most 100", Params{"rule": "maximum", "limit": 100}},
		When: "A field, parameter or header breaks a rule of the document. " +
			"`details` names every fault, up to 20.",
		Do: "Correct what `details` names."})
	IdempotencyKeyRequired = define(Code{Name: "idempotency_key_required", Status: http.StatusBadRequest,
		Retry: Never, On: []string{WithNeededKey},
		Sentence: "Send an X-Idempotency-Key with this request.",
		Example:  Detail{"/header/X-Idempotency-Key", "is required", Params{"rule": "required"}},
		When:     "The operation needs an idempotency key, and the request has none.",
		Do:       "Make a key for this one effect, keep it, and send it with every try."})
	InsufficientStock = define(Code{Name: "insufficient_stock", Status: http.StatusBadRequest,
		Retry: AfterThat, On: []string{"createOrder", "createAndConfirmOrder"},
		Sentence: "There is not enough stock for this order.",
		Example: Detail{"/items/0/qty", "product 2: asked 5, available 3",
			Params{"product_id": 2, "sku": "LAPTOP-HP-2024", "requested": 5, "available": 3}},
		When: "At least one product has fewer pieces on stock than the order asks for. " +
			"`details` names every short line. Nothing was taken.",
		Do: "Order what is available, or try again when stock has come. The key is still free."})
	InsufficientStockToRemove = define(Code{Name: "insufficient_stock", Status: http.StatusBadRequest,
		Retry: AfterThat, On: []string{"adjustStock"},
		Sentence: "There is not enough stock for this adjustment.",
		Example: Detail{"/delta", "product 2: asked 5, available 3",
			Params{"product_id": 2, "sku": "LAPTOP-HP-2024", "requested": 5, "available": 3}},
		When: "The adjustment would take more pieces than are on stock. Nothing was changed.",
		Do:   "Look up the stock of the product. The key is still free."})
	ProductInactive = define(Code{Name: "product_inactive", Status: http.StatusBadRequest,
		Retry: AfterThat, On: []string{"createOrder", "quoteOrder", "createAndConfirmOrder"},
		Sentence: "A product of this order cannot be ordered any more.",
		Example: Detail{"/items/0/sku", "product 2 is not active",
			Params{"product_id": 2, "sku": "LAPTOP-HP-2024"}},
		When: "At least one product of the order is not `active`. `details` names every line with such a product.",
		Do:   "Order something else. The key is still free."})
	OrderNotConfirmable = define(Code{Name: "order_not_confirmable", Status: http.StatusBadRequest,
		Retry: Never, On: []string{"confirmOrder", "createAndConfirmOrder"},
		Sentence: "Order %d is CANCELED and cannot be confirmed.", Args: []any{3},
		When: "The order is canceled: a caller canceled it, or its reservation has expired.",
		Do:   "Place a new order, with a new key."})
	CancelWindowClosed = define(Code{Name: "cancel_window_closed", Status: http.StatusBadRequest,
		Retry: Never, On: []string{"cancelOrder"},
		Sentence: "Order %d was confirmed more than %d minutes ago and cannot be canceled any more.",
		Args:     []any{3, 10},
		When:     "The order was confirmed too long ago (`cancelable_until`).",
		Do:       "Settle it with the supplier."})
	Unauthorized = define(Code{Name: "unauthorized", Status: http.StatusUnauthorized,
		Retry: Never, On: []string{WithSecurity},
		Sentence: "This operation needs a valid token: %s.", Args: []any{"send Authorization: Bearer TOKEN"},
		When: "The token is missing, has expired, or is no token that this deployment accepts.",
		Do:   "Send a valid token; get a new one when it has expired."})
	Forbidden = define(Code{Name: "forbidden", Status: http.StatusForbidden,
		Retry: Never, On: []string{WithSecurity},
		Unprovoked: "needs a token that lacks a scope or is another customer's, or a page of another site; " +
			"the collection has neither.",
		Sentence: "You may not do this.",
		Example: Detail{"/header/Authorization", "lacks the scope orders:write",
			Params{"scope": "orders:write"}},
		When: "The caller is known, and may not make this call: the token lacks a scope, or acts for another " +
			"customer. Or a browser sends the call for a page of another site, or to a host name that is not " +
			"the service's.",
		Do: "Ask for a token that may, or leave out what `details` names."})
	NotFound = define(Code{Name: "not_found", Status: http.StatusNotFound,
		Retry: Never, On: []string{Unrouted},
		Sentence: "There is no %s here.", Args: []any{"/order"},
		When: "No operation has this path.",
		Do:   "Check the address against the document."})
	CustomerNotFound = define(Code{Name: "customer_not_found", Status: http.StatusNotFound,
		Retry: Never, On: []string{"/customers/{id}", "getInternalCustomer", "createOrder", "quoteOrder",
			"createAndConfirmOrder", "getOrchestration", "findOrchestration"},
		Sentence: "There is no customer %d.", Args: []any{99},
		When: "The customer does not exist, or was deleted.",
		Do:   "Check the id."})
	ProductNotFound = define(Code{Name: "product_not_found", Status: http.StatusNotFound,
		Retry: Never, On: []string{"/products/{id}"},
		Sentence: "There is no product %d.", Args: []any{77},
		When: "The product does not exist.",
		Do:   "Check the id."})
	OrderedProductNotFound = define(Code{Name: "product_not_found", Status: http.StatusNotFound,
		Retry: Never, On: []string{"createOrder", "quoteOrder", "createAndConfirmOrder"},
		Sentence: "A product of this order does not exist.",
		Example:  Detail{"/items/0/product_id", "there is no product 77", Params{"product_id": 77}},
		When:     "At least one product of the order does not exist. `details` names every missing product.",
		Do:       "Check the ids and skus."})
	OrderNotFound = define(Code{Name: "order_not_found", Status: http.StatusNotFound,
		Retry: Never, On: []string{"/orders/{id}", "createAndConfirmOrder", "getOrchestration",
			"findOrchestration"},
		Sentence: "There is no order %d.", Args: []any{77},
		When: "The order does not exist.",
		Do:   "Check the id."})
	WebhookEndpointNotFound = define(Code{Name: "webhook_endpoint_not_found", Status: http.StatusNotFound,
		Retry: Never, On: []string{"/webhook-endpoints/{id}"},
		Sentence: "There is no webhook endpoint %d.", Args: []any{99},
		When: "The endpoint does not exist, was deleted, or belongs to another customer.",
		Do:   "Check the id."})
	IdempotencyKeyUnknown = define(Code{Name: "idempotency_key_unknown", Status: http.StatusNotFound,
		Retry: AfterThat, On: []string{"getIdempotencyKey", "findIdempotencyKey", "getCustomerIdempotencyKey",
			"findCustomerIdempotencyKey", "getOrchestration", "findOrchestration"},
		Sentence: "Nothing has been done with this key.",
		When:     "No call with this key has had an effect, or the key has expired.",
		Do:       "Repeat the call with the key, if you still want its effect."})
	OrderIncomplete = define(Code{Name: "order_incomplete", Status: http.StatusNotFound,
		Retry: AfterThat, On: []string{"getOrchestration", "findOrchestration"},
		Sentence: "The order was placed with this key, and was not confirmed with it.",
		Example: Detail{"/path/idempotency_key", "order 5 is CREATED: repeat the call to complete it",
			Params{"order_id": 5, "order_status": "CREATED"}},
		When: "The call has placed the order, and has not confirmed it. `details` has the state of the order.",
		Do: "Repeat the POST with the same key to complete a CREATED order. " +
			"A CANCELED order stays as it is: use a new key."})
	MethodNotAllowed = define(Code{Name: "method_not_allowed", Status: http.StatusMethodNotAllowed,
		Retry: Never, On: []string{Unrouted},
		Sentence: "%s is not possible here.", Args: []any{"DELETE"},
		When: "The path exists, with other methods (`Allow`).",
		Do:   "Use a method of `Allow`."})
	RequestTimeout = define(Code{Name: "request_timeout", Status: http.StatusRequestTimeout,
		Retry: Later, On: []string{WithBody, WithRows},
		Unprovoked: "needs a connection on which a body takes ten seconds.",
		Sentence:   "The body did not arrive in time.",
		When: "The body took longer than ten seconds to arrive, " +
			"or less than 64 KiB of an import came in ten seconds. Nothing was changed.",
		Do: "Send the request again over a better connection."})
	EmailTaken = define(Code{Name: "email_taken", Status: http.StatusConflict,
		Retry: Never, On: []string{"createCustomer", "updateCustomer"},
		Sentence: "Another customer has this email.",
		Example:  Detail{"/email", "belongs to another customer", Params{"rule": "unique", "customer_id": 1}},
		When:     "Another customer that is not deleted has the email, in any case.",
		Do: "`params` names that customer, unless your token acts for one customer: " +
			"use the existing customer, or another email."})
	ExternalRefTaken = define(Code{Name: "external_ref_taken", Status: http.StatusConflict,
		Retry: AfterThat, On: []string{"createCustomer", "updateCustomer"},
		Sentence: "Another customer has this external_ref.",
		Example: Detail{"/external_ref", "belongs to another customer",
			Params{"rule": "unique", "customer_id": 1}},
		When: "Another customer that is not deleted has the external_ref.",
		Do: "`params` names that customer, unless your token acts for one customer: " +
			"use the existing customer, or another number."})
	OrderExternalRefTaken = define(Code{Name: "external_ref_taken", Status: http.StatusConflict,
		Retry: AfterThat, On: []string{"createOrder", "createAndConfirmOrder"},
		Sentence: "The customer has order %d with this external_ref already.", Args: []any{3},
		Example: Detail{"/external_ref", "belongs to order 3", Params{"rule": "unique", "order_id": 3}},
		When:    "An order of this customer that is not CANCELED has the external_ref. Nothing was taken.",
		Do: "Look at that order before you order again: it is probably the one that you want. " +
			"Canceling it frees the number."})
	TotalChanged = define(Code{Name: "total_changed", Status: http.StatusConflict,
		Retry: Never, On: []string{"createOrder", "createAndConfirmOrder"},
		Sentence: "The order costs %d cents now, not %d.", Args: []any{259800, 239800},
		Example: Detail{"/expected_total_cents", "is 239800, and the total is 259800",
			Params{"expected_total_cents": 239800, "total_cents": 259800}},
		When: "The total of the order is not its `expected_total_cents`: prices have changed. The first detail " +
			"has both totals, and one detail for each line has its price (`unit_price_cents`). Nothing was taken.",
		Do: "Decide again, and send the new total, or ask for a quote. The key is still free."})
	SKUTaken = define(Code{Name: "sku_taken", Status: http.StatusConflict,
		Retry: Never, On: []string{"createProduct"},
		Sentence: "Another product has this sku.",
		Example:  Detail{"/sku", "belongs to another product", Params{"rule": "unique", "product_id": 2}},
		When:     "Another product has the sku.",
		Do:       "`params` names that product: use the existing product, or another sku."})
	TooManyWebhookEndpoints = define(Code{Name: "too_many_webhook_endpoints", Status: http.StatusConflict,
		Retry: AfterThat, On: []string{"createWebhookEndpoint"},
		Unprovoked: "needs a token of a customer that has twenty endpoints.",
		Sentence:   "A customer has at most %d webhook endpoints.", Args: []any{20},
		When: "The customer has as many endpoints as a customer may have.",
		Do:   "Delete an endpoint that nobody needs, or change its `url`."})
	EventsExpired = define(Code{Name: "events_expired", Status: http.StatusGone,
		Retry: Never, On: []string{"listEvents", "replayWebhookEvents"},
		Sentence: "The events after position %d are no longer all there: read everything again by the exports, " +
			"and go on from the smallest X-Event-Position that they name.", Args: []any{17},
		Example: Detail{"/query/after", "is 17, and must be from 4711 to 5813",
			Params{"after": 17, "first_after": 4711, "last_position": 5813}},
		When: "The next event after `after` was deleted, because the deployment keeps events for a limited time " +
			"(90 days by default). Or no event has had the position: the position is of another token's " +
			"feed, or the database was restored from an earlier backup.",
		Do: "Make the copy anew from the exports, then go on from the smallest `X-Event-Position` of their " +
			"answers. `params` has the smallest `after` that still works, for programs that need no copy."})
	PreconditionFailed = define(Code{Name: "precondition_failed", Status: http.StatusPreconditionFailed,
		Retry: Never, On: []string{WithIfMatch},
		Sentence: "It has changed since you read it; read it again.",
		When:     "The thing no longer has the state that `If-Match` names. Nothing was changed.",
		Do:       "Read the thing again, decide again, and send the new `ETag`."})
	PayloadTooLarge = define(Code{Name: "payload_too_large", Status: http.StatusRequestEntityTooLarge,
		Retry: Never, On: []string{WithBody},
		Sentence: "The body is larger than 1 MiB.",
		When:     "The body is larger than 1 MiB.",
		Do:       "Send less at once."})
	TooManyRows = define(Code{Name: "payload_too_large", Status: http.StatusRequestEntityTooLarge,
		Retry: Never, On: []string{WithRows},
		Sentence: "The file is too large: %s.",
		Args:     []any{"the row on line 17 is longer than 64 KiB; a quote is probably missing"},
		When: "An import has more than 64 MiB or more than 100 000 rows, or a row has more than 64 KiB. " +
			"`row` of the last line of the answer says how far the file was read.",
		Do: "Send the file in parts. A long row of CSV is often several rows, the first of which lacks a quote."})
	UnsupportedMediaType = define(Code{Name: "unsupported_media_type",
		Status: http.StatusUnsupportedMediaType, Retry: Never, On: []string{WithBody},
		Sentence: "Send the body with Content-Type: application/json.",
		When: "The body is not declared as JSON, once and in UTF-8, or has a Content-Encoding. " +
			"`details` names a wrong charset.",
		Do: "Send `Content-Type: application/json`, and the body as it is."})
	NoRows = define(Code{Name: "unsupported_media_type", Status: http.StatusUnsupportedMediaType,
		Retry: Never, On: []string{WithRows},
		Sentence: "Send the rows with Content-Type: text/csv or application/x-ndjson.",
		When:     "The rows are declared neither as CSV nor as NDJSON, or in a charset that `encoding` does not list.",
		Do:       "Send `Content-Type: text/csv` or `application/x-ndjson`."})
	IdempotencyKeyReused = define(Code{Name: "idempotency_key_reused", Status: http.StatusUnprocessableEntity,
		Retry: Never, On: []string{WithKey, "createAndConfirmOrder"},
		Sentence: "This idempotency key was used for another request.",
		When:     "The key was used for another request: another body, or another id.",
		Do:       "Use a new key for a new effect; repeat a call with exactly the same request."})
	RateLimited = define(Code{Name: "rate_limited", Status: http.StatusTooManyRequests,
		Retry: Later, On: []string{Business},
		Unprovoked: "needs more calls in a second than the deployment takes.",
		Sentence:   "Too many requests; %s.", Args: []any{"try again"},
		When: "You send more calls than this deployment takes from one caller (`RateLimit` has the number that is " +
			"left), or you use your share of its simultaneous requests, searches, imports, exports or readers " +
			"of events.",
		Do: "Wait as long as `Retry-After` says; send fewer calls at once."})
	Internal = define(Code{Name: "internal", Status: http.StatusInternalServerError,
		Retry: Again, On: []string{Always},
		Unprovoked: "would be a defect.",
		Sentence:   "Something went wrong on our side.",
		When:       "A defect of the service.",
		Do:         "Report it with the correlation id."})
	CustomersUnavailable = define(Code{Name: "customers_unavailable", Status: http.StatusServiceUnavailable,
		Retry: Later, On: []string{"createOrder", "quoteOrder"},
		Unprovoked: "needs the Customers API to be down.",
		Sentence:   "The customer cannot be checked right now; try again.",
		When:       "The Customers API does not answer. Nothing was changed.",
		Do:         "Repeat the call with the same key."})
	UpstreamUnavailable = define(Code{Name: "upstream_unavailable", Status: http.StatusServiceUnavailable,
		Retry: Later, On: []string{WithPeers},
		Unprovoked: "needs a service behind the orchestrator to be down or slow.",
		Sentence:   "The %s does not answer right now; repeat the call with the same idempotency key.",
		Args:       []any{"Orders API"},
		When:       "A service behind the orchestrator does not answer, or its answer was lost.",
		Do:         "Repeat the call with the same key; it can never make a second order."})
	Unavailable = define(Code{Name: "unavailable", Status: http.StatusServiceUnavailable,
		Retry: Later, On: []string{WithDatabase, WithPeers},
		Unprovoked: "needs the database to be away, or more work than the service takes.",
		Sentence:   "The service cannot do this right now; try again.",
		When:       "The database does not answer or takes no changes, or the service has too much to do.",
		Do:         "Repeat the call with the same key."})
	UpstreamTimeout = define(Code{Name: "upstream_unavailable", Status: http.StatusGatewayTimeout,
		Retry: Later, On: []string{WithPeers},
		Sentence: "The %s did not answer in time; repeat the call with the same idempotency key.",
		Args:     []any{"Orders API"},
		When:     "Time ran out while a service behind the orchestrator was asked.",
		Do:       "Repeat the call with the same key; it can never make a second order."})
	Timeout = define(Code{Name: "timeout", Status: http.StatusGatewayTimeout,
		Retry: Later, On: []string{Business},
		Unprovoked: "needs a call that takes longer than REQUEST_TIMEOUT_SECONDS.",
		Sentence:   "The service could not finish in time; try again.",
		When:       "Time ran out.",
		Do:         "A read may always be repeated; repeat a write with its idempotency key."})
)
