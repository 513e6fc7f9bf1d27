package orders

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/tidwall/gjson"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/formats"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/service"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/ordersapi"
	"example.com/b2b/v2/openapi/ordersapi/server"
)

const name = "orders-api"

var _ server.StrictServerInterface = (*Service)(nil)

// Handler returns the service as an HTTP handler. Package web refuses requests that break the contract before
// they reach s.
func (s *Service) Handler(o web.Options) http.Handler {
	o.Document = api.Document
	e := web.New(o)
	middlewares := []server.StrictMiddlewareFunc{web.CopyContext[server.StrictHandlerFunc]}
	strict := server.NewStrictHandlerWithOptions(s, middlewares, server.StrictGinServerOptions{
		RequestErrorHandlerFunc: web.FailBinding, HandlerErrorFunc: web.Fail, ResponseErrorHandlerFunc: web.Fail,
	})
	server.RegisterHandlersWithOptions(e, strict, server.GinServerOptions{ErrorHandler: web.FailParameter})
	return e
}

// GetHealth answers with success as long as the process runs.
func (s *Service) GetHealth(context.Context, server.GetHealthRequestObject) (server.GetHealthResponseObject, error) {
	return server.GetHealth200JSONResponse{Body: web.Health(name)}, nil
}

// GetReady answers with success, or returns 503 unavailable when the database is not ready: see db.Ready.
func (s *Service) GetReady(ctx context.Context, _ server.GetReadyRequestObject) (server.GetReadyResponseObject, error) {
	body := web.Health(name)
	body.Replica = s.db.Replica()
	return server.GetReady200JSONResponse{Body: body}, s.db.Ready(ctx)
}

// CreateOrder places an order. Errors: see mayOrderFor, checkCustomer, Service.submit and
// createCommand.decide.
func (s *Service) CreateOrder(ctx context.Context, r server.CreateOrderRequestObject,
) (server.CreateOrderResponseObject, error) {
	if err := mayOrderFor(ctx, r.Body.CustomerID); err != nil {
		return nil, err
	}
	request := createOrder.Request(ctx, r.Params.XIdempotencyKey, r.Body)
	if err := s.checkCustomer(ctx, r.Body.CustomerID); err != nil {
		// A repeated request gets the first answer, even when the customer no longer exists or the Customers
		// API does not answer.
		if first, stored := s.db.Keys.StoredAnswer(ctx, request); stored {
			return s.orderAnswer(ctx, first, nil)
		}
		return nil, err
	}
	n := newOrder{
		order{CustomerID: r.Body.CustomerID, ExternalRef: r.Body.ExternalRef}, lines(r.Body.Items),
		r.Body.ExpectedTotalCents,
	}
	if r.Body.Metadata != nil {
		n.Metadata = *r.Body.Metadata
	}
	a, err := s.submit(ctx, &createCommand{submission{request: request}, n})
	return s.orderAnswer(ctx, a, err)
}

func lines(items []contract.OrderItemRequest) []line {
	return service.Views(items, func(i contract.OrderItemRequest) line { return line{i.ProductID, i.Sku, i.Qty} })
}

// QuoteOrder returns an order's price and shortages. Errors: see mayOrderFor, checkCustomer and store.quote.
func (s *Service) QuoteOrder(ctx context.Context, r server.QuoteOrderRequestObject,
) (server.QuoteOrderResponseObject, error) {
	if err := mayOrderFor(ctx, r.Body.CustomerID); err != nil {
		return nil, err
	}
	if err := s.checkCustomer(ctx, r.Body.CustomerID); err != nil {
		return nil, err
	}
	q, err := s.db.Read(ctx).quote(lines(r.Body.Items))
	response := api.QuoteResponse{Success: true, Data: quoteView(q, *r.Body)}
	return server.QuoteOrder200JSONResponse{Body: response}, err
}

// ConfirmOrder confirms an order. Errors: see Service.submit and confirmCommand.decide.
func (s *Service) ConfirmOrder(ctx context.Context, r server.ConfirmOrderRequestObject,
) (server.ConfirmOrderResponseObject, error) {
	request := confirmOrder.Request(ctx, &r.Params.XIdempotencyKey, r.ID)
	c := &confirmCommand{submission{request: request, orderID: r.ID, ifMatch: r.Params.IfMatch}}
	a, err := s.submit(ctx, c)
	return s.orderAnswer(ctx, a, err)
}

// CancelOrder cancels an order. Errors: see mayCompensate, Service.submit and cancelCommand.decide.
func (s *Service) CancelOrder(ctx context.Context, r server.CancelOrderRequestObject,
) (server.CancelOrderResponseObject, error) {
	c := &cancelCommand{submission{orderID: r.ID, ifMatch: r.Params.IfMatch}, requested, nil}
	if r.Body != nil {
		c.note = r.Body.Reason
		if r.Body.Cause != nil {
			c.reason = cancelReason(*r.Body.Cause)
		}
	}
	if c.reason == compensation {
		if err := mayCompensate(ctx); err != nil {
			return nil, err
		}
	}
	content := []any{r.ID, c.reason}
	if c.note != nil {
		content = append(content, *c.note)
	}
	c.request = cancelOrder.Request(ctx, r.Params.XIdempotencyKey, content)
	a, err := s.submit(ctx, c)
	return s.orderAnswer(ctx, a, err)
}

// GetOrder returns an order. Error: 404 order_not_found.
func (s *Service) GetOrder(ctx context.Context, r server.GetOrderRequestObject) (server.GetOrderResponseObject, error) {
	o, err := s.db.Read(ctx).find(r.ID)
	return server.GetOrder200JSONResponse{Body: s.orderResponse(o)}, err
}

// ListOrderHistory returns a page of the events of an order. Error: 404 order_not_found.
func (s *Service) ListOrderHistory(ctx context.Context, r server.ListOrderHistoryRequestObject,
) (server.ListOrderHistoryResponseObject, error) {
	page := db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit)
	events, next, err := service.ReadPage(ctx, s.db, false, func(q store) ([]history.Event, *int64, error) {
		return q.orderHistory(r.ID, page)
	})
	return server.ListOrderHistory200JSONResponse{Body: history.Response(events, next)}, err
}

// ListOrders returns a page of the orders that match the filters.
func (s *Service) ListOrders(ctx context.Context, r server.ListOrdersRequestObject,
) (server.ListOrdersResponseObject, error) {
	f, err := orderFilter{
		CustomerID: r.Params.CustomerID, ExternalRef: r.Params.ExternalRef, Status: (*status)(r.Params.Status),
		CancelReason: (*cancelReason)(r.Params.CancelReason), IDs: formats.IDs(r.Params.Ids),
	}.within(moments{
		r.Params.From, r.Params.To, r.Params.ConfirmedFrom, r.Params.ConfirmedTo, r.Params.UpdatedSince,
	})
	if err != nil {
		return nil, err
	}
	rows, next, err := service.ReadPage(ctx, s.db, f.mustBeCurrent(), func(q store) ([]order, *int64, error) {
		return q.list(f, db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit))
	})
	return server.ListOrders200JSONResponse{Body: api.OrderListResponse{
		Success: true, Data: service.Views(rows, s.summary), Meta: contract.Meta{NextCursor: next},
	}}, err
}

// SummarizeOrders returns the totals of the orders of each day. Error: 400 validation_failed for an unknown
// time zone, and for too many days.
func (s *Service) SummarizeOrders(ctx context.Context, r server.SummarizeOrdersRequestObject,
) (server.SummarizeOrdersResponseObject, error) {
	c, err := newCalendar(r.Params.From, r.Params.To, *r.Params.Tz)
	if err != nil {
		return nil, err
	}
	err = s.db.ReadLagging(ctx, func(q store) error { return q.summarize(c) })
	response := api.OrdersSummaryResponse{Success: true, Data: summaryView(c)}
	return server.SummarizeOrders200JSONResponse{Body: response}, err
}

// moments are the times that an order list or export may filter by, as texts of the query; nil sets no limit.
type moments struct{ from, to, confirmedFrom, confirmedTo, updatedSince *string }

// within returns the filter with the times m. Package web has already validated the times.
func (f orderFilter) within(m moments) (orderFilter, error) {
	var errs [5]error
	f.Created.From, errs[0] = formats.FirstMoment(m.from)
	f.Created.To, errs[1] = formats.LastMoment(m.to)
	f.Confirmed.From, errs[2] = formats.FirstMoment(m.confirmedFrom)
	f.Confirmed.To, errs[3] = formats.LastMoment(m.confirmedTo)
	f.Updated.From, errs[4] = formats.FirstMoment(m.updatedSince)
	return f, errors.Join(errs[:]...)
}

// ExportOrders returns a file of the orders that match the filters.
func (s *Service) ExportOrders(ctx context.Context, r server.ExportOrdersRequestObject,
) (server.ExportOrdersResponseObject, error) {
	f, err := orderFilter{
		CustomerID: r.Params.CustomerID, ExternalRef: r.Params.ExternalRef, Status: (*status)(r.Params.Status),
		CancelReason: (*cancelReason)(r.Params.CancelReason), IDs: formats.IDs(r.Params.Ids),
	}.within(moments{
		r.Params.From, r.Params.To, r.Params.ConfirmedFrom, r.Params.ConfirmedTo, r.Params.UpdatedSince,
	})
	if err != nil {
		return nil, err
	}
	header, err := service.ExportHeader(ctx, s.db, f.mustBeCurrent())
	if err != nil {
		return nil, err
	}
	layout := bulk.Layout{
		Format: *r.Params.Format, BOM: r.Params.Bom, Delimiter: r.Params.Delimiter, Lines: r.Params.Lines,
	}
	if layout.Lines != nil && *layout.Lines {
		layout.Columns = api.OrderLineRow{}
		file, err := bulk.Export("order-lines", layout, func(cursor *int64) ([]lineRow, *int64, error) {
			rows, next, err := s.exportPage(ctx, f, cursor)
			return slices.Concat(service.Views(rows, s.lineRows)...), next, err
		})
		file.Header = header
		return server.Answer(file.Respond), err
	}
	file, err := bulk.Export("orders", layout, func(cursor *int64) ([]api.Order, *int64, error) {
		rows, next, err := s.exportPage(ctx, f, cursor)
		return service.Views(rows, s.orderView), next, err
	})
	file.Header = header
	return server.Answer(file.Respond), err
}

func (s *Service) exportPage(ctx context.Context, f orderFilter, cursor *int64) ([]order, *int64, error) {
	return service.ReadPage(ctx, s.db, f.mustBeCurrent(), func(q store) ([]order, *int64, error) {
		return q.exportOrders(f, cursor)
	})
}

// GetIdempotencyKey returns the effects of the caller's idempotency key. Error: 404 idempotency_key_unknown.
func (s *Service) GetIdempotencyKey(ctx context.Context, r server.GetIdempotencyKeyRequestObject,
) (server.GetIdempotencyKeyResponseObject, error) {
	report, err := s.keyReport(ctx, r.Key)
	return server.GetIdempotencyKey200JSONResponse{Body: report}, err
}

// FindIdempotencyKey is GetIdempotencyKey with the key as a query parameter.
func (s *Service) FindIdempotencyKey(ctx context.Context, r server.FindIdempotencyKeyRequestObject,
) (server.FindIdempotencyKeyResponseObject, error) {
	report, err := s.keyReport(ctx, r.Params.Key)
	return server.FindIdempotencyKey200JSONResponse{Body: report}, err
}

func (s *Service) keyReport(ctx context.Context, key string) (api.KeyReportResponse, error) {
	effects, statuses, err := s.reportKey(ctx, key)
	report := api.KeyReport{IdempotencyKey: key}
	for _, e := range effects {
		operation := api.KeyedOperation{
			Operation: api.KeyedOperationOperation(e.Name), ExpiresAt: timestamp(e.ExpiresAt),
		}
		switch e.Target {
		case orderSubject:
			operation.OrderID, operation.OrderStatus = &e.TargetID, statuses[e.TargetID]
		case productSubject:
			operation.ProductID = &e.TargetID
		}
		report.Operations = append(report.Operations, operation)
	}
	return api.KeyReportResponse{Success: true, Data: report}, err
}

// CreateProduct creates a product. Errors: 422 idempotency_key_reused, and the error of store.createProduct.
func (s *Service) CreateProduct(ctx context.Context, r server.CreateProductRequestObject,
) (server.CreateProductResponseObject, error) {
	request := createProduct.Request(ctx, r.Params.XIdempotencyKey, r.Body)
	return answer(s.db.Once(ctx, request, func(tx store) (int64, any, error) {
		p := product{
			SKU: r.Body.Sku, Name: r.Body.Name, PriceCents: r.Body.PriceCents, Stock: r.Body.Stock,
			Active: r.Body.Active == nil || *r.Body.Active,
		}
		err := tx.createProduct(&p)
		return p.ID, productResponse(p), err
	}, "sku "+r.Body.Sku))
}

// ListProducts returns a page of the products that match the filters.
func (s *Service) ListProducts(ctx context.Context, r server.ListProductsRequestObject,
) (server.ListProductsResponseObject, error) {
	f, err := productFilter{
		SKU: r.Params.Sku, Active: r.Params.Active, StockBelow: r.Params.StockBelow,
	}.from(r.Params.Search, r.Params.Ids, r.Params.UpdatedSince)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.productPage(ctx, f, db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit))
	return server.ListProducts200JSONResponse{Body: api.ProductListResponse{
		Success: true, Data: service.Views(rows, productView), Meta: contract.Meta{NextCursor: next},
	}}, err
}

func (s *Service) productPage(
	ctx context.Context, f productFilter, page db.PageRequest,
) ([]product, *int64, error) {
	return service.ReadPage(ctx, s.db, f.mustBeCurrent(), func(q store) ([]product, *int64, error) {
		return q.listProducts(f, page)
	})
}

// from returns f with the filters that every list has: see service.Filter. Package web has already validated
// the values.
func (f productFilter) from(search, ids, updatedSince *string) (productFilter, error) {
	since, err := formats.FirstMoment(updatedSince)
	f.Filter = service.Filter{Search: search, IDs: formats.IDs(ids), UpdatedSince: since}
	return f, err
}

// GetProduct returns a product. Error: 404 product_not_found.
func (s *Service) GetProduct(ctx context.Context, r server.GetProductRequestObject,
) (server.GetProductResponseObject, error) {
	p, err := s.db.Read(ctx).findProduct(r.ID)
	return server.GetProduct200JSONResponse{Body: productResponse(p)}, err
}

// UpdateProduct changes the given fields of a product. Errors: 404 product_not_found, 412
// precondition_failed.
func (s *Service) UpdateProduct(ctx context.Context, r server.UpdateProductRequestObject,
) (server.UpdateProductResponseObject, error) {
	var p product
	err := s.db.ChangeRow(ctx, rowOf(r.ID), func(tx store) (err error) {
		if p, err = tx.lockProduct(r.ID, r.Params.IfMatch); err != nil {
			return err
		}
		return tx.updateProduct(&p, productChange{r.Body.Name, r.Body.PriceCents, r.Body.Stock, r.Body.Active})
	})
	return server.UpdateProduct200JSONResponse{Body: productResponse(p)}, err
}

// ImportProducts creates or changes a product for each row of a file. Errors: see bulk.Import.
func (s *Service) ImportProducts(ctx context.Context, r server.ImportProductsRequestObject,
) (server.ImportProductsResponseObject, error) {
	file, err := bulk.Import[api.ProductImportRow, productRow]{
		DryRun: *r.Params.DryRun,
		Value: func(row api.ProductImportRow) productRow {
			return productRow{row.Sku, productChange{row.Name, row.PriceCents, row.Stock, row.Active}}
		},
		Names: func(row productRow) []bulk.Name { return []bulk.Name{{Field: "/sku", Value: row.SKU}} },
		Apply: func(ctx context.Context, rows []*bulk.Row[productRow]) error {
			return s.importProducts(ctx, rows, *r.Params.DryRun)
		},
	}.File(ctx, r.Body)
	return server.Answer(file.Respond), err
}

// ExportProducts returns a file of the products that match the filters.
func (s *Service) ExportProducts(ctx context.Context, r server.ExportProductsRequestObject,
) (server.ExportProductsResponseObject, error) {
	f, err := productFilter{
		SKU: r.Params.Sku, Active: r.Params.Active, StockBelow: r.Params.StockBelow,
	}.from(r.Params.Search, r.Params.Ids, r.Params.UpdatedSince)
	if err != nil {
		return nil, err
	}
	header, err := service.ExportHeader(ctx, s.db, f.mustBeCurrent())
	if err != nil {
		return nil, err
	}
	layout := bulk.Layout{Format: *r.Params.Format, BOM: r.Params.Bom, Delimiter: r.Params.Delimiter}
	file, err := bulk.Export("products", layout, func(cursor *int64) ([]api.Product, *int64, error) {
		rows, next, err := s.productPage(ctx, f, db.PageRequest{Cursor: cursor, Limit: bulk.PageSize})
		return service.Views(rows, productView), next, err
	})
	file.Header = header
	return server.Answer(file.Respond), err
}

// AdjustStock adds pieces to the stock of a product or removes pieces. Errors: 404 product_not_found, 422
// idempotency_key_reused, and the errors of store.adjustStock.
func (s *Service) AdjustStock(ctx context.Context, r server.AdjustStockRequestObject,
) (server.AdjustStockResponseObject, error) {
	request := adjustStock.Request(ctx, r.Params.XIdempotencyKey, []any{r.ID, r.Body})
	a, err := s.db.OnceOnRow(ctx, rowOf(r.ID), request, func(tx store) (int64, any, error) {
		p, err := tx.lockProduct(r.ID, nil)
		if err != nil {
			return 0, nil, err
		}
		a, err := tx.adjustStock(&p, r.Body.Delta, r.Body.Reason)
		return p.ID, api.StockAdjustmentResponse{Success: true, Data: adjustmentView(a)}, err
	})
	// An answer that version 2.0.0 has stored lacks the field actor: add the field.
	return answer(idempotency.Complete[api.StockAdjustmentResponse](a, "data.actor"), err)
}

// ListStockAdjustments returns a page of the stock adjustments of a product. Error: 404 product_not_found.
func (s *Service) ListStockAdjustments(ctx context.Context, r server.ListStockAdjustmentsRequestObject,
) (server.ListStockAdjustmentsResponseObject, error) {
	page := db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit)
	rows, next, err := service.ReadPage(ctx, s.db, false, func(q store) ([]stockAdjustment, *int64, error) {
		if _, err := q.findProduct(r.ID); err != nil {
			return nil, nil, err
		}
		return q.listAdjustments(r.ID, page)
	})
	return server.ListStockAdjustments200JSONResponse{Body: api.StockAdjustmentListResponse{
		Success: true, Data: service.Views(rows, adjustmentView), Meta: contract.Meta{NextCursor: next},
	}}, err
}

// ListProductHistory returns a page of the events of a product; a caller bound to a customer gets an empty
// page. Error: 404 product_not_found.
func (s *Service) ListProductHistory(ctx context.Context, r server.ListProductHistoryRequestObject,
) (server.ListProductHistoryResponseObject, error) {
	page := db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit)
	events, next, err := service.ReadPage(ctx, s.db, false, func(q store) ([]history.Event, *int64, error) {
		return q.productHistory(r.ID, page)
	})
	return server.ListProductHistory200JSONResponse{Body: history.Response(events, next)}, err
}

func answer(a idempotency.Answer, err error) (server.Answer, error) { return a.Respond, err }

// orderAnswer is like the function answer, for operations that return an order. It also adds the names that
// an answer stored by an earlier version lacks: see withNames.
func (s *Service) orderAnswer(ctx context.Context, a idempotency.Answer, err error) (server.Answer, error) {
	if err == nil {
		web.LogOrder(ctx, gjson.GetBytes(a.Body, "data.id").Int())
		a, err = s.withNames(ctx, a)
	}
	return a.Respond, err
}
