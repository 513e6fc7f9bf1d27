package orders

import (
	"context"
	"net/http"
	"time"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/bulk"
	"example.com/b2b/internal/etag"
	"example.com/b2b/internal/formats"
	"example.com/b2b/internal/history"
	"example.com/b2b/internal/idempotency"
	"example.com/b2b/internal/web"
	"example.com/b2b/openapi/contract"
	api "example.com/b2b/openapi/ordersapi"
	"example.com/b2b/openapi/ordersapi/server"
)

const name = "orders-api"

var _ server.StrictServerInterface = (*Service)(nil)

// Handler returns the service's HTTP side: its contract, held by package web, with s behind it.
func (s *Service) Handler(o web.Options) http.Handler {
	o.Document = api.Document
	e := web.New(o)
	strict := server.NewStrictHandlerWithOptions(s, []server.StrictMiddlewareFunc{web.CopyContext[server.StrictHandlerFunc]}, server.StrictGinServerOptions{
		RequestErrorHandlerFunc: web.FailBinding, HandlerErrorFunc: web.Fail, ResponseErrorHandlerFunc: web.Fail,
	})
	server.RegisterHandlersWithOptions(e, strict, server.GinServerOptions{ErrorHandler: web.FailParameter})
	return e
}

// GetHealth answers while the process lives.
func (s *Service) GetHealth(context.Context, server.GetHealthRequestObject) (server.GetHealthResponseObject, error) {
	return server.GetHealth200JSONResponse{Body: web.Health(name)}, nil
}

// GetReady returns 503 unavailable while the database does not answer.
func (s *Service) GetReady(ctx context.Context, _ server.GetReadyRequestObject) (server.GetReadyResponseObject, error) {
	if err := s.ready(ctx); err != nil {
		return nil, err
	}
	return server.GetReady200JSONResponse{Body: web.Health(name)}, nil
}

// CreateOrder takes the stock of every line or of none. Errors: those of decide, 403 forbidden for another
// customer than the caller's, 404 customer_not_found, 422 idempotency_key_reused, 503 customers_unavailable.
func (s *Service) CreateOrder(ctx context.Context, r server.CreateOrderRequestObject) (server.CreateOrderResponseObject, error) {
	if err := mayOrder(ctx, r.Body.CustomerID); err != nil {
		return nil, err
	}
	request := createOrder.Request(ctx, r.Params.XIdempotencyKey, r.Body)
	if err := s.checkCustomer(ctx, r.Body.CustomerID); err != nil {
		// A retry gets its first answer, whatever became of the customer or the Customers API since.
		if first, found := s.keys.StoredAnswer(ctx, request); found {
			return answer(first), nil
		}
		return nil, err
	}
	n := newOrder{CustomerID: r.Body.CustomerID, ExternalRef: r.Body.ExternalRef, Lines: lines(r.Body.Items)}
	if r.Body.Metadata != nil {
		n.Metadata = *r.Body.Metadata
	}
	return s.submit(ctx, &command{to: created, request: request, new: n})
}

// mayOrder returns 403 forbidden for another customer than the caller's.
func mayOrder(ctx context.Context, customer int64) error {
	if caller := auth.From(ctx); !caller.ActsFor(customer) {
		return apperr.Forbidden.New().With("/customer_id", apperr.Params{"customer_id": caller.Customer}, "is not %d, for whom alone you act", caller.Customer)
	}
	return nil
}

func lines(items []contract.NewOrderItem) []line {
	return mapped(items, func(item contract.NewOrderItem) line { return line{item.ProductID, item.Sku, item.Qty} })
}

// QuoteOrder changes nothing. Errors: those of quote, and for the customer those of CreateOrder.
func (s *Service) QuoteOrder(ctx context.Context, r server.QuoteOrderRequestObject) (server.QuoteOrderResponseObject, error) {
	if err := mayOrder(ctx, r.Body.CustomerID); err != nil {
		return nil, err
	}
	if err := s.checkCustomer(ctx, r.Body.CustomerID); err != nil {
		return nil, err
	}
	q, err := s.read(ctx).quote(lines(r.Body.Items))
	if err != nil {
		return nil, err
	}
	shown := api.Quote{Items: mapped(q.Items, quotedItem), TotalCents: q.TotalCents, Shortages: mapped(q.Short, shortageView)}
	if q.Fillable != nil {
		fillable := *r.Body
		fillable.Items = mapped(q.Fillable, func(l line) contract.NewOrderItem {
			return contract.NewOrderItem{ProductID: l.ProductID, Sku: l.SKU, Qty: l.Qty}
		})
		shown.Fillable = &fillable
	}
	return server.QuoteOrder200JSONResponse{Body: api.QuoteResponse{Success: true, Data: shown}}, nil
}

// ConfirmOrder makes a CREATED order CONFIRMED. Errors: those of decide, 422
// idempotency_key_reused.
func (s *Service) ConfirmOrder(ctx context.Context, r server.ConfirmOrderRequestObject) (server.ConfirmOrderResponseObject, error) {
	request := confirmOrder.Request(ctx, &r.Params.XIdempotencyKey, r.ID)
	return s.submit(ctx, &command{to: confirmed, request: request, id: r.ID, ifMatch: r.Params.IfMatch})
}

// CancelOrder gives the stock of an order back. Errors: those of decide, 403 forbidden for a cause that the
// caller may not give, 422 idempotency_key_reused.
func (s *Service) CancelOrder(ctx context.Context, r server.CancelOrderRequestObject) (server.CancelOrderResponseObject, error) {
	why := cancellation{Reason: requested}
	if r.Body != nil {
		why.Note = r.Body.Reason
		if r.Body.Cause != nil {
			why.Reason = cancelReason(*r.Body.Cause)
		}
	}
	if why.Reason == compensation && !auth.From(ctx).ByService {
		return nil, apperr.Forbidden.New().With("/cause", apperr.Params{"rule": "service_token"}, "may be %s only when a service of this system says so", compensation)
	}
	content := []any{r.ID, why.Reason}
	if why.Note != nil {
		content = append(content, *why.Note)
	}
	request := cancelOrder.Request(ctx, r.Params.XIdempotencyKey, content)
	return s.submit(ctx, &command{to: canceled, request: request, id: r.ID, ifMatch: r.Params.IfMatch, why: why})
}

// GetOrder returns 404 order_not_found when there is none.
func (s *Service) GetOrder(ctx context.Context, r server.GetOrderRequestObject) (server.GetOrderResponseObject, error) {
	o, err := s.read(ctx).find(r.ID)
	if err != nil {
		return nil, err
	}
	return server.GetOrder200JSONResponse{Body: s.orderResponse(o)}, nil
}

// ListOrderHistory pages by id, or returns 404 order_not_found.
func (s *Service) ListOrderHistory(ctx context.Context, r server.ListOrderHistoryRequestObject) (server.ListOrderHistoryResponseObject, error) {
	events, next, err := s.read(ctx).orderHistory(r.ID, db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return server.ListOrderHistory200JSONResponse{Body: history.Response(events, next)}, nil
}

// ListOrders pages by id.
func (s *Service) ListOrders(ctx context.Context, r server.ListOrdersRequestObject) (server.ListOrdersResponseObject, error) {
	f := orderFilter{CustomerID: r.Params.CustomerID, ExternalRef: r.Params.ExternalRef, Status: (*status)(r.Params.Status)}
	if err := f.read(r.Params.From, r.Params.To, r.Params.UpdatedSince); err != nil {
		return nil, err
	}
	rows, next, err := s.read(ctx).list(f, db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	data := make([]api.OrderSummary, len(rows))
	for i, o := range rows {
		data[i] = s.summary(o)
	}
	return server.ListOrders200JSONResponse{Body: api.OrderListResponse{Success: true, Data: data, Meta: contract.Meta{NextCursor: next}}}, nil
}

// read reads moments, which web has validated.
func (f *orderFilter) read(from, to, since *string) (err error) {
	if f.From, err = formats.FirstMoment(from); err != nil {
		return err
	}
	if f.Since, err = formats.FirstMoment(since); err != nil {
		return err
	}
	if to != nil {
		_, last, err := formats.ParseDateFilter(*to)
		if err != nil {
			return err
		}
		f.To = &last
	}
	return nil
}

// ExportOrders makes a file of orders.
func (s *Service) ExportOrders(ctx context.Context, r server.ExportOrdersRequestObject) (server.ExportOrdersResponseObject, error) {
	f := orderFilter{CustomerID: r.Params.CustomerID, ExternalRef: r.Params.ExternalRef, Status: (*status)(r.Params.Status)}
	if err := f.read(r.Params.From, r.Params.To, r.Params.UpdatedSince); err != nil {
		return nil, err
	}
	return file(bulk.Export(*r.Params.Format == contract.Csv, func(cursor *int64) ([]api.Order, *int64, error) {
		rows, next, err := s.read(ctx).exportOrders(f, cursor)
		return mapped(rows, func(o order) api.Order { return s.orderResponse(o).Data }), next, err
	})), nil
}

func mapped[T, V any](rows []T, view func(T) V) []V {
	all := make([]V, len(rows))
	for i, row := range rows {
		all[i] = view(row)
	}
	return all
}

// GetIdempotencyKey tells what a key has done. Error: 404 idempotency_key_unknown.
func (s *Service) GetIdempotencyKey(ctx context.Context, r server.GetIdempotencyKeyRequestObject) (server.GetIdempotencyKeyResponseObject, error) {
	effects, err := s.reportKey(ctx, r.Key)
	if err != nil {
		return nil, err
	}
	report := api.KeyReport{IdempotencyKey: r.Key}
	for _, e := range effects {
		done := api.KeyedOperation{Operation: api.KeyedOperationOperation(e.Name), ExpiresAt: contract.Time{Time: e.ExpiresAt}}
		switch e.Target {
		case orderSubject:
			done.OrderID, done.OrderStatus = &e.TargetID, (*contract.OrderStatus)(e.order)
		case productSubject:
			done.ProductID = &e.TargetID
		}
		report.Operations = append(report.Operations, done)
	}
	return server.GetIdempotencyKey200JSONResponse{Body: api.KeyReportResponse{Success: true, Data: report}}, nil
}

// CreateProduct returns 409 sku_taken when another product has the sku, and 422 idempotency_key_reused.
func (s *Service) CreateProduct(ctx context.Context, r server.CreateProductRequestObject) (server.CreateProductResponseObject, error) {
	n := newProduct{SKU: r.Body.Sku, Name: r.Body.Name, PriceCents: r.Body.PriceCents, Stock: r.Body.Stock, Active: r.Body.Active == nil || *r.Body.Active}
	return s.answerOnce(ctx, createProduct.Request(ctx, r.Params.XIdempotencyKey, r.Body), func(tx store) (int64, any, error) {
		p, err := tx.createProduct(n)
		return p.ID, productResponse(p), err
	})
}

// ListProducts pages by id.
func (s *Service) ListProducts(ctx context.Context, r server.ListProductsRequestObject) (server.ListProductsResponseObject, error) {
	since, err := formats.FirstMoment(r.Params.UpdatedSince)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.read(ctx).listProducts(productFilter{r.Params.Search, r.Params.Sku, r.Params.Active, since}, db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	data := make([]api.Product, len(rows))
	for i, p := range rows {
		data[i] = productView(p)
	}
	return server.ListProducts200JSONResponse{Body: api.ProductListResponse{Success: true, Data: data, Meta: contract.Meta{NextCursor: next}}}, nil
}

// GetProduct returns 404 product_not_found when there is none.
func (s *Service) GetProduct(ctx context.Context, r server.GetProductRequestObject) (server.GetProductResponseObject, error) {
	p, err := s.read(ctx).findProduct(r.ID)
	if err != nil {
		return nil, err
	}
	return server.GetProduct200JSONResponse{Body: productResponse(p)}, nil
}

// UpdateProduct changes the fields that are given. Errors: 404 product_not_found, 412 precondition_failed.
func (s *Service) UpdateProduct(ctx context.Context, r server.UpdateProductRequestObject) (server.UpdateProductResponseObject, error) {
	done, err := s.turns.Take(ctx, rowOf("products", r.ID))
	if err != nil {
		return nil, err
	}
	defer done()
	var p product
	err = s.change(ctx, func(tx store) (err error) {
		if p, err = tx.locking().findProduct(r.ID); err == nil {
			err = etag.Precondition(r.Params.IfMatch, productResponse(p))
		}
		if err != nil {
			return err
		}
		return tx.updateProduct(&p, productChange{r.Body.Name, r.Body.PriceCents, r.Body.Stock, r.Body.Active})
	})
	if err != nil {
		return nil, err
	}
	return server.UpdateProduct200JSONResponse{Body: productResponse(p)}, nil
}

// ImportProducts creates and changes products, row by row. Errors: those of bulk.Import.
func (s *Service) ImportProducts(ctx context.Context, r server.ImportProductsRequestObject) (server.ImportProductsResponseObject, error) {
	f, err := bulk.Import[api.ProductImportRow, productRow]{
		DryRun: *r.Params.DryRun,
		Value: func(row api.ProductImportRow) productRow {
			return productRow{row.Sku, productChange{row.Name, row.PriceCents, row.Stock, row.Active}}
		},
		Names: func(row productRow) []bulk.Name { return []bulk.Name{{Field: "/sku", Value: row.SKU}} },
		Apply: func(ctx context.Context, rows []*bulk.Row[productRow]) error {
			return s.importProducts(ctx, rows, *r.Params.DryRun)
		},
	}.File(ctx, r.Body)
	return file(f), err
}

// ExportProducts makes a file of products.
func (s *Service) ExportProducts(ctx context.Context, r server.ExportProductsRequestObject) (server.ExportProductsResponseObject, error) {
	since, err := formats.FirstMoment(r.Params.UpdatedSince)
	if err != nil {
		return nil, err
	}
	return file(bulk.Export(*r.Params.Format == contract.Csv, func(cursor *int64) ([]api.Product, *int64, error) {
		rows, next, err := s.read(ctx).listProducts(productFilter{r.Params.Search, r.Params.Sku, r.Params.Active, since}, db.PageRequest{Cursor: cursor, Limit: bulk.PageSize})
		return mapped(rows, productView), next, err
	})), nil
}

// file is a response of the generated strict server for every operation that answers with a file.
type file bulk.File

func (f file) VisitImportProductsResponse(w http.ResponseWriter) error { return f.respond(w) }
func (f file) VisitExportProductsResponse(w http.ResponseWriter) error { return f.respond(w) }
func (f file) VisitExportOrdersResponse(w http.ResponseWriter) error   { return f.respond(w) }

func (f file) respond(w http.ResponseWriter) error { return bulk.File(f).Respond(w) }

// AdjustStock changes the stock by a number of pieces. Errors: those of adjustStock, 404 product_not_found,
// 422 idempotency_key_reused.
func (s *Service) AdjustStock(ctx context.Context, r server.AdjustStockRequestObject) (server.AdjustStockResponseObject, error) {
	done, err := s.turns.Take(ctx, rowOf("products", r.ID))
	if err != nil {
		return nil, err
	}
	defer done()
	return s.answerOnce(ctx, adjustStock.Request(ctx, r.Params.XIdempotencyKey, []any{r.ID, r.Body}), func(tx store) (int64, any, error) {
		p, err := tx.locking().findProduct(r.ID)
		if err != nil {
			return 0, nil, err
		}
		a, err := tx.adjustStock(&p, r.Body.Delta, r.Body.Reason)
		return p.ID, api.StockAdjustmentResponse{Success: true, Data: adjustmentView(a)}, err
	})
}

// ListStockAdjustments pages by id, or returns 404 product_not_found.
func (s *Service) ListStockAdjustments(ctx context.Context, r server.ListStockAdjustmentsRequestObject) (server.ListStockAdjustmentsResponseObject, error) {
	if _, err := s.read(ctx).findProduct(r.ID); err != nil {
		return nil, err
	}
	rows, next, err := s.read(ctx).listAdjustments(r.ID, db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	data := make([]api.StockAdjustment, len(rows))
	for i, a := range rows {
		data[i] = adjustmentView(a)
	}
	return server.ListStockAdjustments200JSONResponse{Body: api.StockAdjustmentListResponse{Success: true, Data: data, Meta: contract.Meta{NextCursor: next}}}, nil
}

// ListProductHistory pages by id, or returns 404 product_not_found.
func (s *Service) ListProductHistory(ctx context.Context, r server.ListProductHistoryRequestObject) (server.ListProductHistoryResponseObject, error) {
	events, next, err := s.read(ctx).productHistory(r.ID, db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return server.ListProductHistory200JSONResponse{Body: history.Response(events, next)}, nil
}

func (s *Service) orderResponse(o order) api.OrderResponse {
	items := make([]contract.OrderItem, len(o.Items))
	for i, item := range o.Items {
		items[i] = contract.OrderItem{ProductID: item.ProductID, Qty: item.Qty, UnitPriceCents: item.UnitPriceCents, SubtotalCents: item.SubtotalCents}
	}
	return api.OrderResponse{Success: true, Data: api.Order{OrderSummary: s.summary(o), Items: items}}
}

// summary shows the order as it is at o.Now, and what may be done with it then.
func (s *Service) summary(o order) api.OrderSummary {
	next := s.allowedActions(o)
	actions := make([]api.OrderAction, len(next.Actions))
	for i, a := range next.Actions {
		actions[i] = api.OrderAction(a)
	}
	return api.OrderSummary{
		ID: o.ID, CustomerID: o.CustomerID, ExternalRef: o.ExternalRef, Metadata: metadata(o.Metadata), Status: contract.OrderStatus(o.Status), TotalCents: o.TotalCents,
		CreatedAt: contract.Time{Time: o.CreatedAt}, ConfirmedAt: timestamp(o.ConfirmedAt), CanceledAt: timestamp(o.CanceledAt),
		CancelReason: (*api.CancelReason)(o.CancelReason), CancelNote: o.CancelNote,
		ReservationExpiresAt: timestamp(next.ReservationExpiresAt), CancelableUntil: timestamp(next.CancelableUntil), AllowedActions: actions,
		UpdatedAt: contract.Time{Time: o.UpdatedAt},
	}
}

func quotedItem(i item) api.QuotedItem {
	return api.QuotedItem{ProductID: i.ProductID, Sku: i.of.SKU, Qty: i.Qty, UnitPriceCents: i.UnitPriceCents, SubtotalCents: i.SubtotalCents}
}

func shortageView(i item) api.Shortage {
	return api.Shortage{ProductID: i.ProductID, Sku: i.of.SKU, Requested: i.Qty, Available: i.of.Stock}
}

func productResponse(p product) api.ProductResponse {
	return api.ProductResponse{Success: true, Data: productView(p)}
}

func productView(p product) api.Product {
	return api.Product{ID: p.ID, Sku: p.SKU, Name: p.Name, PriceCents: p.PriceCents, Stock: p.Stock, Active: p.Active,
		CreatedAt: contract.Time{Time: p.CreatedAt}, UpdatedAt: contract.Time{Time: p.UpdatedAt}}
}

func adjustmentView(a stockAdjustment) api.StockAdjustment {
	return api.StockAdjustment{ID: a.ID, ProductID: a.ProductID, Delta: a.Delta, Level: a.Level, Reason: a.Reason, CreatedAt: contract.Time{Time: a.CreatedAt}}
}

// metadata is null where there is none.
func metadata(texts map[string]string) *contract.OrderMetadata {
	if texts == nil {
		return nil
	}
	return (*contract.OrderMetadata)(&texts)
}

func timestamp(t *time.Time) *contract.Time {
	if t == nil {
		return nil
	}
	return &contract.Time{Time: *t}
}

// answerOnce is once, with an answer for the generated server.
func (s *Service) answerOnce(ctx context.Context, r idempotency.Request, effect func(tx store) (int64, any, error)) (answer, error) {
	a, err := s.once(ctx, r, effect)
	return answer(a), err
}

// answer is a response of the generated strict server for every operation that takes a key.
type answer idempotency.Answer

func (a answer) VisitCreateOrderResponse(w http.ResponseWriter) error   { return a.respond(w) }
func (a answer) VisitConfirmOrderResponse(w http.ResponseWriter) error  { return a.respond(w) }
func (a answer) VisitCancelOrderResponse(w http.ResponseWriter) error   { return a.respond(w) }
func (a answer) VisitCreateProductResponse(w http.ResponseWriter) error { return a.respond(w) }
func (a answer) VisitAdjustStockResponse(w http.ResponseWriter) error   { return a.respond(w) }

func (a answer) respond(w http.ResponseWriter) error { return idempotency.Answer(a).Respond(w) }
