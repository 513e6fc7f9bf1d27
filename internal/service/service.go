// Package service holds the parts that all services with a database share: the base of a store, connections
// and transactions for stores, and lists with a search.
package service

import (
	"context"
	"errors"
	"strconv"
	"time"

	"gorm.io/gorm"
	"gorm.io/gorm/clause"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/db/search"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/correlation"
	"example.com/b2b/v2/internal/history"
	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/timing"
	"example.com/b2b/v2/openapi/contract"
)

// Store is the base of a service's store. It uses a connection or a transaction on behalf of a caller. A
// service embeds Store in its own store, and limits each query to the rows that the caller may see.
type Store struct {
	DB     *gorm.DB
	Caller auth.Principal
	Origin history.Origin // caller and request that cause the recorded events
}

// Events reads a page of the history of a subject. It does not check whether the caller may see the subject.
func (s Store) Events(subject string, id int64, page db.PageRequest) ([]history.Event, *int64, error) {
	return history.Page(s.DB, subject, id, page)
}

// EventPosition returns the position of the newest event in the caller's feed.
func (s Store) EventPosition() (int64, error) { return history.Position(s.DB, s.Caller.Customer) }

// Record appends events in one statement. Each function that writes rows must call Record:
// TestEveryChangeIsRecorded checks this.
func (s Store) Record(events ...history.Event) error {
	return history.Append(s.DB, s.Origin, events...)
}

// Insert adds rows in one statement, and sets their ids. The rows are pointers to gorm models.
func Insert[T interface{ Key() int64 }](s Store, rows []T) error { return db.CreateAll(s.DB, rows) }

// Now is an SQL expression for the time of the database's clock. All times of rows come from that clock.
func (s Store) Now() clause.Expr { return db.Now(s.DB, 0) }

// ReadClock reads the database's clock. It is for rows that are inserted without an earlier query.
func (s Store) ReadClock() (now time.Time, err error) {
	err = s.DB.Raw("SELECT ?", s.Now()).Scan(&now).Error
	return now, err
}

// ChangedAt returns the time of a change to a locked row: see db.ChangedAt.
func (s Store) ChangedAt(last, now time.Time) time.Time { return db.ChangedAt(s.DB, last, now) }

// Database makes the stores of a service, for single queries and transactions. S is the type of a store.
type Database[S any] struct {
	DB   *gorm.DB
	Keys idempotency.Keys

	turns db.Turns // the requests that need a row or a unique value take turns: see ChangeRow and Once

	table    string
	newStore func(Store) S
}

// NewDatabase returns the Database on g. The schema of g must be up to date: see db.Migrate. The parameter
// table is the table that Ready checks. The function newStore makes the service's store.
func NewDatabase[S any](g *gorm.DB, table string, keys idempotency.Keys, newStore func(Store) S) *Database[S] {
	return &Database[S]{DB: g, Keys: keys, table: table, newStore: newStore}
}

func (d *Database[S]) store(ctx context.Context, q *gorm.DB) S {
	caller := auth.From(ctx)
	return d.newStore(Store{q, caller, history.By(caller, correlation.ID(ctx))})
}

// Read returns a store for queries outside of transactions. It sees every committed change.
func (d *Database[S]) Read(ctx context.Context) S { return d.store(ctx, d.DB.WithContext(ctx)) }

// ReadLagging runs fn on a store that may lack the latest changes: see db.ReadLagging. fn must only read. Use
// ReadLagging only for operations whose answers have the header Age in the OpenAPI document; TestReplica
// checks them. Use Read when the service or the caller bases a decision on the data.
func (d *Database[S]) ReadLagging(ctx context.Context, fn func(q S) error) error {
	times := timing.From(ctx)
	if times.Parts().Current {
		// After a read from the primary, the headers of a file may already be sent, without Age. So all later
		// reads of the request, such as the later pages of the file, come from the primary.
		return fn(d.Read(ctx))
	}
	age, err := db.ReadLagging(ctx, d.DB, func(q *gorm.DB) error { return fn(d.store(ctx, q)) })
	times.Read(age)
	return err
}

// ReadPage reads a page of rows by ReadLagging, or by Read when the page must be current. A page must be
// current in two cases. A caller that looks for an id or a unique value decides by the answer whether the
// thing exists. A caller that asks for the changes since a moment would miss the changes that have not
// reached the replica. The result next is the cursor of the next page.
func ReadPage[S, Row any](
	ctx context.Context, d *Database[S], mustBeCurrent bool, read func(q S) ([]Row, *int64, error),
) (rows []Row, next *int64, err error) {
	err = d.readList(ctx, mustBeCurrent, func(q S) error {
		rows, next, err = read(q)
		return err
	})
	return rows, next, err
}

func (d *Database[S]) readList(ctx context.Context, mustBeCurrent bool, fn func(q S) error) error {
	if mustBeCurrent {
		return fn(d.Read(ctx))
	}
	return d.ReadLagging(ctx, fn)
}

// ExportHeader returns the header X-Event-Position of an export: a position in the caller's feed. Changes
// that the export lacks have events after this position, even when the rows come from a replica. Call
// ExportHeader before the export reads its first row with ReadPage, and with the same mustBeCurrent.
func ExportHeader[S interface{ EventPosition() (int64, error) }](
	ctx context.Context, d *Database[S], mustBeCurrent bool,
) (map[string]string, error) {
	var position int64
	err := d.readList(ctx, mustBeCurrent, func(q S) (err error) {
		position, err = q.EventPosition()
		return err
	})
	return map[string]string{"X-Event-Position": strconv.FormatInt(position, 10)}, err
}

// Change runs fn in a transaction, and again after a conflict with another transaction: see db.InTx.
func (d *Database[S]) Change(ctx context.Context, fn func(tx S) error) error {
	return db.InTx(ctx, d.DB, func(tx *gorm.DB) error { return fn(d.store(ctx, tx)) })
}

// ChangeReserved is like Change, without the limit on connections. It is for batches: see db.InReservedTx.
func (d *Database[S]) ChangeReserved(ctx context.Context, fn func(tx S) error) error {
	return db.InReservedTx(ctx, d.DB, func(tx *gorm.DB) error { return fn(d.store(ctx, tx)) })
}

// Try runs fn once, in a transaction that is rolled back.
func (d *Database[S]) Try(ctx context.Context, fn func(tx S) error) error {
	return db.TryTx(ctx, d.DB, func(tx *gorm.DB) error { return fn(d.store(ctx, tx)) })
}

// Row is a row that requests change one after the other. A request takes its turn before it locks the row:
// see db.Turns.
type Row[S any] struct {
	Name string

	// See returns an error for a row that the caller may not see. It runs without a lock before the caller
	// takes a turn, and only for a caller bound to a customer. So a partner that names rows of other
	// customers does not make these customers wait.
	See func(q S) error
}

// ChangeRow is like Change, for fn that changes a single row. Errors: the error of row.See, and db.ErrLocked.
func (d *Database[S]) ChangeRow(ctx context.Context, row Row[S], fn func(tx S) error) error {
	if err := d.see(ctx, row); err != nil {
		return err
	}
	done, err := d.turns.Take(ctx, row.Name)
	if err != nil {
		return err
	}
	defer done()
	return d.Change(ctx, fn)
}

func (d *Database[S]) see(ctx context.Context, row Row[S]) error {
	if row.See == nil || auth.From(ctx).Customer == 0 {
		return nil
	}
	return row.See(d.Read(ctx))
}

// Effect changes something in a transaction: see idempotency.Effect.
type Effect[S any] func(tx S) (target int64, body any, err error)

// Once runs an effect in a transaction, at most once for the request's key: see idempotency.Keys.Execute.
// Requests with the same key take turns, and so do requests that insert the same unique value. The parameter
// unique lists these values, each after the name of its column: "sku 4711". Error: db.ErrLocked.
func (d *Database[S]) Once(
	ctx context.Context, r idempotency.Request, effect Effect[S], unique ...string,
) (idempotency.Answer, error) {
	if r.Key != nil {
		unique = append(unique, r.KeyName())
	}
	for _, value := range unique {
		done, err := d.turns.Take(ctx, value)
		if err != nil {
			if stored, found := d.Keys.StoredAnswer(ctx, r); found {
				return stored, nil
			}
			return idempotency.Answer{}, err
		}
		defer done()
	}
	return d.Keys.Execute(ctx, r, func(tx *gorm.DB) (int64, any, error) { return effect(d.store(ctx, tx)) })
}

// OnceOnRow is like Once, for an effect that changes a single row. Errors: db.ErrLocked, and the error of
// row.See, unless an answer is stored for the key.
func (d *Database[S]) OnceOnRow(
	ctx context.Context, row Row[S], r idempotency.Request, effect Effect[S],
) (idempotency.Answer, error) {
	if err := d.see(ctx, row); err != nil {
		return d.Once(ctx, r, func(S) (int64, any, error) { return 0, nil, err })
	}
	done, err := d.turns.Take(ctx, row.Name)
	if err != nil {
		return idempotency.Answer{}, err
	}
	defer done()
	return d.Once(ctx, r, effect)
}

// Ready returns 503 unavailable when the service cannot read and write the database, or the schema lacks
// migrations: see db.Ready and db.Migrated.
func (d *Database[S]) Ready(ctx context.Context) error {
	if err := db.Migrated(ctx, d.DB); err != nil {
		return err
	}
	return db.Ready(ctx, d.DB, d.table)
}

// Replica returns the state of the replica, for /ready, or nil without a replica. The service is ready even
// when the replica is away, because reads then come from the primary.
func (d *Database[S]) Replica() *contract.HealthReplica {
	state := db.StateOfReplica(d.DB)
	if state == db.NoReplica {
		return nil
	}
	return (*contract.HealthReplica)(&state)
}

// Filter has the common filters of lists with a search; a nil field filters nothing.
type Filter struct {
	Search       *string    // text that one of the columns of the index must contain
	IDs          []int64    // ids of the wanted rows; nil means all rows, and an empty slice means no row
	UpdatedSince *time.Time // rows changed at or after this moment
}

// List reads a page of the rows of q that match the filter. Set narrow when q has few rows: List then
// searches all these rows for f.Search, and does not use the search index.
func List[T search.Row](
	q *gorm.DB, index search.Index, f Filter, narrow bool, page db.PageRequest,
) ([]T, *int64, error) {
	if f.IDs != nil {
		q, narrow = q.Where("id IN ?", f.IDs), true
	}
	q, err := db.During(q, "updated_at", db.Period{From: f.UpdatedSince}, narrow, page)
	if err != nil {
		return nil, nil, err
	}
	switch {
	case f.Search == nil:
		return db.Page[T](q, page)
	case narrow, f.UpdatedSince != nil:
		return search.Scan[T](q, index, *f.Search, page)
	}
	return search.Page[T](q, index, *f.Search, page)
}

// Views calls the function view for each row, and returns the results.
func Views[Row, View any](rows []Row, view func(Row) View) []View {
	all := make([]View, len(rows))
	for i, row := range rows {
		all[i] = view(row)
	}
	return all
}

// IsNotFound reports whether a query for a single row has found no row.
func IsNotFound(err error) bool { return errors.Is(err, gorm.ErrRecordNotFound) }

// IsDuplicate reports whether a statement failed because another row has the same value in a unique column.
func IsDuplicate(err error) bool { return errors.Is(err, gorm.ErrDuplicatedKey) }
