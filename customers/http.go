package customers

import (
	"context"
	"fmt"
	"net/http"
	"strings"

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
	api "example.com/b2b/openapi/customersapi"
	"example.com/b2b/openapi/customersapi/server"
)

const name = "customers-api"

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

// CreateCustomer returns the errors of create, and 422 idempotency_key_reused.
func (s *Service) CreateCustomer(ctx context.Context, r server.CreateCustomerRequestObject) (server.CreateCustomerResponseObject, error) {
	a, err := s.once(ctx, createCustomer.Request(ctx, r.Params.XIdempotencyKey, r.Body), func(tx store) (int64, any, error) {
		c := customer{Name: r.Body.Name, Email: strings.TrimSpace(r.Body.Email), Phone: r.Body.Phone, ExternalRef: r.Body.ExternalRef}
		err := tx.create(&c)
		return c.ID, response(c), err
	})
	return answer(a), err
}

// answer is a response of the generated strict server for every operation that takes a key.
type answer idempotency.Answer

func (a answer) VisitCreateCustomerResponse(w http.ResponseWriter) error {
	return idempotency.Answer(a).Respond(w)
}

// GetCustomerIdempotencyKey tells what a key has done. Error: 404 idempotency_key_unknown.
func (s *Service) GetCustomerIdempotencyKey(ctx context.Context, r server.GetCustomerIdempotencyKeyRequestObject) (server.GetCustomerIdempotencyKeyResponseObject, error) {
	effects, err := s.keys.Report(ctx, r.Key, keyedOperations)
	if err != nil {
		return nil, err
	}
	report := api.CustomerKeyReport{IdempotencyKey: r.Key}
	for _, e := range effects {
		report.Operations = append(report.Operations, api.CustomerKeyedOperation{
			Operation: api.CustomerKeyedOperationOperation(e.Name), CustomerID: e.TargetID, ExpiresAt: contract.Time{Time: e.ExpiresAt}})
	}
	return server.GetCustomerIdempotencyKey200JSONResponse{Body: api.CustomerKeyReportResponse{Success: true, Data: report}}, nil
}

// ListCustomers pages by id.
func (s *Service) ListCustomers(ctx context.Context, r server.ListCustomersRequestObject) (server.ListCustomersResponseObject, error) {
	f, err := chosen(r.Params.Search, r.Params.Email, r.Params.ExternalRef, r.Params.UpdatedSince)
	if err != nil {
		return nil, err
	}
	rows, next, err := s.read(ctx).list(f, db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	data := make([]api.Customer, len(rows))
	for i, c := range rows {
		data[i] = view(c)
	}
	return server.ListCustomers200JSONResponse{Body: api.CustomerListResponse{Success: true, Data: data, Meta: contract.Meta{NextCursor: next}}}, nil
}

// chosen reads the parameters by which the list and the export choose; web has validated them.
func chosen(search, email, externalRef, updatedSince *string) (filter, error) {
	f := filter{Search: search, ExternalRef: externalRef}
	if email != nil {
		f.Email = new(strings.TrimSpace(*email))
	}
	var err error
	f.Since, err = formats.FirstMoment(updatedSince)
	return f, err
}

// ImportCustomers creates and changes customers, row by row. Errors: those of bulk.Import.
func (s *Service) ImportCustomers(ctx context.Context, r server.ImportCustomersRequestObject) (server.ImportCustomersResponseObject, error) {
	f, err := bulk.Import[api.CustomerImportRow, change]{
		DryRun: *r.Params.DryRun,
		Value: func(row api.CustomerImportRow) change {
			return change{row.Name, &row.Email, row.Phone, row.ExternalRef}
		},
		Names: change.names,
		Apply: func(ctx context.Context, rows []*bulk.Row[change]) error {
			return s.importCustomers(ctx, rows, *r.Params.DryRun)
		},
	}.File(ctx, r.Body)
	return file(f), err
}

// ExportCustomers makes a file of customers.
func (s *Service) ExportCustomers(ctx context.Context, r server.ExportCustomersRequestObject) (server.ExportCustomersResponseObject, error) {
	f, err := chosen(r.Params.Search, r.Params.Email, r.Params.ExternalRef, r.Params.UpdatedSince)
	if err != nil {
		return nil, err
	}
	return file(bulk.Export(*r.Params.Format == contract.Csv, func(cursor *int64) ([]api.Customer, *int64, error) {
		rows, next, err := s.read(ctx).list(f, db.PageRequest{Cursor: cursor, Limit: bulk.PageSize})
		all := make([]api.Customer, len(rows))
		for i, c := range rows {
			all[i] = view(c)
		}
		return all, next, err
	})), nil
}

// file is a response of the generated strict server for every operation that answers with a file.
type file bulk.File

func (f file) VisitImportCustomersResponse(w http.ResponseWriter) error { return f.respond(w) }
func (f file) VisitExportCustomersResponse(w http.ResponseWriter) error { return f.respond(w) }

func (f file) respond(w http.ResponseWriter) error { return bulk.File(f).Respond(w) }

// GetCustomer returns 404 customer_not_found for a customer that is not there or was deleted, as do all that
// follow.
func (s *Service) GetCustomer(ctx context.Context, r server.GetCustomerRequestObject) (server.GetCustomerResponseObject, error) {
	c, err := s.read(ctx).find(r.ID)
	if err != nil {
		return nil, err
	}
	return server.GetCustomer200JSONResponse{Body: response(c)}, nil
}

// GetInternalCustomer is GetCustomer for the other services; web has checked the service token. It returns
// 403 forbidden when the service acts for a caller who is bound to another customer.
func (s *Service) GetInternalCustomer(ctx context.Context, r server.GetInternalCustomerRequestObject) (server.GetInternalCustomerResponseObject, error) {
	if !auth.From(ctx).ActsFor(r.ID) {
		return nil, apperr.Forbidden.New()
	}
	c, err := s.findBatched(ctx, r.ID)
	if err != nil {
		return nil, err
	}
	return server.GetInternalCustomer200JSONResponse{Body: response(c)}, nil
}

// UpdateCustomer changes the fields that are given. Errors: those of put, 412 precondition_failed.
func (s *Service) UpdateCustomer(ctx context.Context, r server.UpdateCustomerRequestObject) (server.UpdateCustomerResponseObject, error) {
	var c customer
	err := s.changeOne(ctx, r.ID, func(tx store) (err error) {
		if c, err = lock(tx, r.ID, r.Params.IfMatch); err != nil {
			return err
		}
		before := c
		c = change{r.Body.Name, r.Body.Email, r.Body.Phone, r.Body.ExternalRef}.of(before)
		return tx.put(&c, before)
	})
	if err != nil {
		return nil, err
	}
	return server.UpdateCustomer200JSONResponse{Body: response(c)}, nil
}

// DeleteCustomer deletes softly, or returns 412 precondition_failed.
func (s *Service) DeleteCustomer(ctx context.Context, r server.DeleteCustomerRequestObject) (server.DeleteCustomerResponseObject, error) {
	err := s.changeOne(ctx, r.ID, func(tx store) error {
		c, err := lock(tx, r.ID, r.Params.IfMatch)
		if err != nil {
			return err
		}
		return tx.delete(c)
	})
	if err != nil {
		return nil, err
	}
	return server.DeleteCustomer200JSONResponse{Body: api.DeletedResponse{Success: true, Message: fmt.Sprintf("Customer %d was deleted.", r.ID)}}, nil
}

// ListCustomerHistory pages by id, or returns 404 customer_not_found.
func (s *Service) ListCustomerHistory(ctx context.Context, r server.ListCustomerHistoryRequestObject) (server.ListCustomerHistoryResponseObject, error) {
	events, next, err := s.read(ctx).history(r.ID, db.PageFrom(r.Params.Sort, r.Params.Cursor, r.Params.Limit))
	if err != nil {
		return nil, err
	}
	return server.ListCustomerHistory200JSONResponse{Body: history.Response(events, next)}, nil
}

// lock reads a customer whom nobody else can change until tx ends. Errors: 404 customer_not_found, 412
// precondition_failed.
func lock(tx store, id int64, ifMatch *string) (customer, error) {
	c, err := tx.locking().find(id)
	if err == nil {
		err = etag.Precondition(ifMatch, response(c))
	}
	return c, err
}

func response(c customer) api.CustomerResponse {
	return api.CustomerResponse{Success: true, Data: view(c)}
}

func view(c customer) api.Customer {
	return api.Customer{ID: c.ID, Name: c.Name, Email: c.Email, Phone: c.Phone, ExternalRef: c.ExternalRef,
		CreatedAt: contract.Time{Time: c.CreatedAt}, UpdatedAt: contract.Time{Time: c.UpdatedAt}}
}
