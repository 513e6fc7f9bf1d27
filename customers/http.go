package customers

import (
	"context"
	"fmt"
	"net/http"
	"strings"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/formats"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/service"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/openapi/contract"
	api "example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/customersapi/server"
)

const name = "customers-api"

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

// CreateCustomer creates a customer. Errors: 422 idempotency_key_reused, and the errors of store.create.
func (s *Service) CreateCustomer(ctx context.Context, r server.CreateCustomerRequestObject,
) (server.CreateCustomerResponseObject, error) {
	request := createCustomer.Request(ctx, r.Params.XIdempotencyKey, r.Body)
	unique := []string{"email " + emailKey(r.Body.Email)}
	if r.Body.ExternalRef != nil {
		unique = append(unique, "external_ref "+*r.Body.ExternalRef)
	}
	a, err := s.db.Once(ctx, request, func(tx store) (int64, any, error) {
		c := customer{
			Name: r.Body.Name, Email: strings.TrimSpace(r.Body.Email),
			Phone: nonEmpty(r.Body.Phone), ExternalRef: r.Body.ExternalRef,
		}
		err := tx.create(&c)
		return c.ID, response(c), err
	}, unique...)
	// Version 2.0.0 stored answers without deleted_at. Complete adds the field.
	return answer(idempotency.Complete[api.CustomerResponse](a, "data.deleted_at"), err)
}

// GetCustomerIdempotencyKey returns the effects of an idempotency key. Error: 404 idempotency_key_unknown.
func (s *Service) GetCustomerIdempotencyKey(ctx context.Context, r server.GetCustomerIdempotencyKeyRequestObject,
) (server.GetCustomerIdempotencyKeyResponseObject, error) {
	report, err := s.keyReport(ctx, r.Key)
	return server.GetCustomerIdempotencyKey200JSONResponse{Body: report}, err
}

// FindCustomerIdempotencyKey is like GetCustomerIdempotencyKey, but takes the key as a query parameter.
func (s *Service) FindCustomerIdempotencyKey(ctx context.Context, r server.FindCustomerIdempotencyKeyRequestObject,
) (server.FindCustomerIdempotencyKeyResponseObject, error) {
	report, err := s.keyReport(ctx, r.Params.Key)
	return server.FindCustomerIdempotencyKey200JSONResponse{Body: report}, err
}

func (s *Service) keyReport(ctx context.Context, key string) (api.CustomerKeyReportResponse, error) {
	effects, err := s.db.Keys.Report(ctx, key)
	report := api.CustomerKeyReport{IdempotencyKey: key}
	for _, e := range effects {
		report.Operations = append(report.Operations, api.CustomerKeyedOperation{
			Operation: api.CustomerKeyedOperationOperation(e.Name), CustomerID: e.TargetID,
			ExpiresAt: contract.Time{Time: e.ExpiresAt},
		})
	}
	return api.CustomerKeyReportResponse{Success: true, Data: report}, err
}

// ListCustomers returns a page of the customers that match the filters.
func (s *Service) ListCustomers(ctx context.Context, r server.ListCustomersRequestObject,
) (server.ListCustomersResponseObject, error) {
	f, err := filterFrom(r.Params.Search, r.Params.Email, r.Params.ExternalRef, r.Params.UpdatedSince, r.Params.Ids)
	if err != nil {
		return nil, err
	}
	f.Deleted = r.Params.IncludeDeleted != nil && *r.Params.IncludeDeleted
	rows, next, err := s.page(ctx, f, db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit))
	return server.ListCustomers200JSONResponse{Body: api.CustomerListResponse{
		Success: true, Data: service.Views(rows, view), Meta: contract.Meta{NextCursor: next},
	}}, err
}

func (s *Service) page(ctx context.Context, f filter, page db.PageRequest) ([]customer, *int64, error) {
	return service.ReadPage(ctx, s.db, f.mustBeCurrent(), func(q store) ([]customer, *int64, error) {
		return q.list(f, page)
	})
}

// filterFrom returns the filter for query parameters that package web has already validated.
func filterFrom(search, email, externalRef, updatedSince, ids *string) (filter, error) {
	since, err := formats.FirstMoment(updatedSince)
	return filter{
		Filter: service.Filter{Search: search, IDs: formats.IDs(ids), UpdatedSince: since}, Email: email,
		ExternalRef: externalRef,
	}, err
}

// ImportCustomers creates or changes a customer for each row of a file. Errors: see bulk.Import.
func (s *Service) ImportCustomers(ctx context.Context, r server.ImportCustomersRequestObject,
) (server.ImportCustomersResponseObject, error) {
	var dry dryRun
	if *r.Params.DryRun {
		dry = dryRun{}
	}
	file, err := bulk.Import[api.CustomerImportRow, change]{
		DryRun: *r.Params.DryRun,
		Value: func(row api.CustomerImportRow) change {
			deleted := row.DeletedAt != nil && *row.DeletedAt != ""
			return change{row.Name, &row.Email, row.Phone, row.ExternalRef, deleted}
		},
		Names: change.names,
		Apply: func(ctx context.Context, rows []*bulk.Row[change]) error {
			return s.importCustomers(ctx, rows, dry)
		},
	}.File(ctx, r.Body)
	return server.Answer(file.Respond), err
}

// ExportCustomers returns a file of the customers that match the filters.
func (s *Service) ExportCustomers(ctx context.Context, r server.ExportCustomersRequestObject,
) (server.ExportCustomersResponseObject, error) {
	f, err := filterFrom(r.Params.Search, r.Params.Email, r.Params.ExternalRef, r.Params.UpdatedSince, r.Params.Ids)
	if err != nil {
		return nil, err
	}
	f.Deleted = r.Params.IncludeDeleted != nil && *r.Params.IncludeDeleted
	header, err := service.ExportHeader(ctx, s.db, f.mustBeCurrent())
	if err != nil {
		return nil, err
	}
	layout := bulk.Layout{Format: *r.Params.Format, BOM: r.Params.Bom, Delimiter: r.Params.Delimiter}
	file, err := bulk.Export("customers", layout, func(cursor *int64) ([]api.Customer, *int64, error) {
		rows, next, err := s.page(ctx, f, db.PageRequest{Cursor: cursor, Limit: bulk.PageSize})
		return service.Views(rows, view), next, err
	})
	file.Header = header
	return server.Answer(file.Respond), err
}

// GetCustomer returns a customer. Errors: see store.find.
func (s *Service) GetCustomer(ctx context.Context, r server.GetCustomerRequestObject,
) (server.GetCustomerResponseObject, error) {
	c, err := s.db.Read(ctx).find(r.ID)
	return server.GetCustomer200JSONResponse{Body: response(c)}, err
}

// GetInternalCustomer returns a customer to another service. Package web has already checked the service
// token. Errors: see lookUp.
func (s *Service) GetInternalCustomer(ctx context.Context, r server.GetInternalCustomerRequestObject,
) (server.GetInternalCustomerResponseObject, error) {
	c, err := s.lookUp(ctx, r.ID)
	return server.GetInternalCustomer200JSONResponse{Body: response(c)}, err
}

// UpdateCustomer changes the given fields of a customer. Errors: see store.lock and store.updateCustomer.
func (s *Service) UpdateCustomer(ctx context.Context, r server.UpdateCustomerRequestObject,
) (server.UpdateCustomerResponseObject, error) {
	var c customer
	err := s.db.ChangeRow(ctx, rowOf(r.ID), func(tx store) error {
		before, err := tx.lock(r.ID, r.Params.IfMatch)
		if err != nil {
			return err
		}
		c, err = tx.updateCustomer(before, change{Name: r.Body.Name, Email: r.Body.Email, Phone: r.Body.Phone,
			ExternalRef: r.Body.ExternalRef})
		return err
	})
	return server.UpdateCustomer200JSONResponse{Body: response(c)}, err
}

// DeleteCustomer marks a customer as deleted. Errors: see store.lock.
func (s *Service) DeleteCustomer(ctx context.Context, r server.DeleteCustomerRequestObject,
) (server.DeleteCustomerResponseObject, error) {
	err := s.db.ChangeRow(ctx, rowOf(r.ID), func(tx store) error {
		c, err := tx.lock(r.ID, r.Params.IfMatch)
		if err != nil {
			return err
		}
		return tx.delete(c)
	})
	message := fmt.Sprintf("Customer %d was deleted.", r.ID)
	return server.DeleteCustomer200JSONResponse{Body: api.DeletedResponse{Success: true, Message: message}}, err
}

// ListCustomerHistory returns a page of the events of a customer. Errors: see store.history.
func (s *Service) ListCustomerHistory(ctx context.Context, r server.ListCustomerHistoryRequestObject,
) (server.ListCustomerHistoryResponseObject, error) {
	events, next, err := service.ReadPage(ctx, s.db, false, func(q store) ([]history.Event, *int64, error) {
		return q.history(r.ID, db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit))
	})
	return server.ListCustomerHistory200JSONResponse{Body: history.Response(events, next)}, err
}

func answer(a idempotency.Answer, err error) (server.Answer, error) { return a.Respond, err }
