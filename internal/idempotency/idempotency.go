// Package idempotency makes the effect of a request happen at most once for an idempotency key. It stores a
// hash of the request, and the answer, in a row for the key. The transaction of the effect inserts this row.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"slices"
	"strings"
	"time"

	"github.com/tidwall/gjson"
	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/openapi/contract"
)

// Keys stores the idempotency keys of a service.
type Keys struct {
	DB         *gorm.DB
	Lifetime   time.Duration // time from the first answer until the key expires
	Operations Operations    // the operations of the service that take a key
}

// Operation is an operation of a service that takes an idempotency key.
type Operation struct {
	Name   string // operationId in the OpenAPI document
	Status int    // HTTP status of a success
	Target string // the kind of thing that the operation creates or changes

	// Follows is the name of the operation that creates the target, or "". A client may use one key for both
	// operations. The results of both are then deleted at the same time. Otherwise the key could create a
	// second target while its result for the first target still exists, and then the change of the second
	// target would fail with 422 idempotency_key_reused.
	Follows string
}

// Request returns a request of the operation, by the caller in ctx. The key may be nil. Two requests are the
// same when their contents are the same JSON. So a later version of the program must make the same JSON of
// the same request.
func (o Operation) Request(ctx context.Context, key *string, content any) Request {
	return Request{
		Caller: auth.From(ctx).KeySpace(), Operation: o.Name, Key: key, Content: content, Status: o.Status,
	}
}

// Operations lists the operations of a service that take an idempotency key.
type Operations []Operation

// Find returns the operation with a name, and whether there is such an operation.
func (all Operations) Find(name string) (Operation, bool) {
	i := slices.IndexFunc(all, func(o Operation) bool { return o.Name == name })
	if i < 0 {
		return Operation{}, false
	}
	return all[i], true
}

// Rows is an SQL condition on row k of the table idempotency_keys: its key is for one of the operations.
func (all Operations) Rows() string {
	return "k.operation IN ('" + strings.Join(all.names(), "', '") + "')"
}

func (all Operations) names() []string {
	names := make([]string, len(all))
	for i, o := range all {
		names[i] = o.Name
	}
	return names
}

// Request is a request, with or without a key.
type Request struct {
	Caller    string  // the owner of the key: see auth.Principal.KeySpace
	Operation string  // the name of an Operation
	Key       *string // nil for a request without a key, whose result is not stored
	Content   any     // see Operation.Request
	Status    int     // HTTP status of a success
}

// KeyName names the request's key among all keys. The request must have a key.
func (r Request) KeyName() string { return "key " + r.Caller + " " + r.Operation + " " + *r.Key }

// Answer is the answer to a successful request. Every repeat gets the first answer, byte for byte.
type Answer struct {
	Status   int
	Body     []byte
	Replayed bool // true for a stored answer
}

// Complete updates an answer that an earlier version of the program has stored: it adds the fields that the
// type T has and the answer lacks, with null or the zero value. The parameter newest is the path of the
// newest field, in the syntax of package gjson. An answer with this field is complete, and stays unchanged.
func Complete[T any](a Answer, newest string) Answer {
	var stored T
	if a.Replayed && !gjson.GetBytes(a.Body, newest).Exists() && contract.Unmarshal(a.Body, &stored) == nil {
		a.Body, _ = json.Marshal(stored)
	}
	return a
}

// Respond writes the answer as the generated servers write theirs.
func (a Answer) Respond(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	if a.Replayed {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	w.WriteHeader(a.Status)
	_, err := w.Write(append(a.Body, '\n')) // generated responses end with a newline
	return err
}

// Effect changes something in tx, and returns the id of the changed thing and the body of the answer. Execute
// may run an effect several times, but commits only one run.
type Effect func(tx *gorm.DB) (target int64, body any, err error)

// Execute runs an effect in a transaction, and returns the answer with the body that the effect returned.
// With a key, the effect takes place at most once. A repeat of the request with the same key gets the first
// answer, and waits while the first request still runs. A different request with the same key gets 422
// idempotency_key_reused. When the effect refuses the request, nothing is stored.
func (k Keys) Execute(ctx context.Context, r Request, effect Effect) (Answer, error) {
	var a Answer
	err := db.InTx(ctx, k.DB, func(tx *gorm.DB) error {
		existing, err := k.lookupOne(tx, r)
		if err != nil {
			return err
		}
		if !existing.Found() {
			var refused error
			if a, refused = k.run(tx, r, existing, effect); refused == nil || apperr.From(refused).IsFault() {
				return refused
			}
			// A request with the same key may have committed since the lookup, and its effect may be the
			// reason of the refusal: then this request gets the stored answer.
			if existing, err = k.lookupOne(tx, r); err != nil {
				return err
			}
			if !existing.Found() {
				return refused
			}
		}
		a = existing.Answer
		return existing.Reused
	})
	return a, err
}

func (k Keys) run(tx *gorm.DB, r Request, existing Existing, effect Effect) (Answer, error) {
	target, body, err := effect(tx)
	if err != nil {
		return Answer{}, err
	}
	a, err := r.Answer(body)
	if err != nil {
		return Answer{}, err
	}
	return a, k.Save(tx, Record{r, existing, target, a})
}

// StoredAnswer reads the answer to an earlier copy of r with the same key, outside of transactions. The
// second result reports whether an answer was found.
func (k Keys) StoredAnswer(ctx context.Context, r Request) (Answer, bool) {
	existing, err := k.lookupOne(k.DB.WithContext(ctx), r)
	return existing.Answer, err == nil && existing.Answer.Replayed
}

// Existing is the stored result of a key; the zero value means that there is no result. Every further request
// with the key gets this answer or this error.
type Existing struct {
	Answer Answer // the first answer
	Reused error  // 422 idempotency_key_reused when the result belongs to another request

	expired *row // the row of an expired result, which counts as no result
}

// Found reports whether there is a stored result that has not expired.
func (e Existing) Found() bool { return e.Answer.Replayed || e.Reused != nil }

func (k Keys) lookupOne(q *gorm.DB, r Request) (Existing, error) {
	all, err := k.Lookup(q, []Request{r})
	return all[0], err
}

// Lookup reads the stored results of the requests' keys in one statement, and returns a result for each
// request. It misses the results of transactions that still run. So the caller must first lock a row that a
// repeat of the request would also lock, or call Lookup again before it refuses a request.
func (k Keys) Lookup(q *gorm.DB, requests []Request) ([]Existing, error) {
	all := make([]Existing, len(requests))
	var callers, operations, keys []string
	for _, r := range requests {
		if r.Key != nil {
			callers, operations = append(callers, r.Caller), append(operations, r.Operation)
			keys = append(keys, *r.Key)
		}
	}
	if keys == nil {
		return all, nil
	}
	var rows []row
	err := q.Select("*, expires_at <= ? AS expired", db.Now(q, 0)).
		Where("caller IN ? AND operation IN ?", distinct(callers), distinct(operations)).
		Where("idempotency_key IN ?", keys).
		Find(&rows).Error
	for _, stored := range rows {
		for i, r := range requests {
			switch {
			case r.Key == nil, stored.IdempotencyKey != *r.Key, stored.Caller != r.Caller,
				stored.Operation != r.Operation:
			case stored.Expired:
				all[i].expired = &stored
			case string(stored.RequestHash) != string(r.hash()):
				all[i].Reused = apperr.IdempotencyKeyReused.New()
			default:
				all[i].Answer = Answer{*stored.Status, []byte(*stored.ResponseBody), true}
			}
		}
	}
	return all, err
}

func distinct(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}

// Record is a request without a stored result, and the result to store.
type Record struct {
	Request
	Existing Existing // the result of Lookup
	Target   int64
	Answer   Answer
}

// Save stores the results of the records that have a key. tx is the transaction of the effects. Error:
// db.ErrConflict when another transaction has stored a result for a key of the records since Lookup.
func (k Keys) Save(tx *gorm.DB, records ...Record) error {
	expires := db.Now(tx, k.Lifetime)
	var expired []row
	var rows [][]any
	for _, r := range records {
		if r.Existing.expired != nil {
			expired = append(expired, *r.Existing.expired)
		}
		if r.Key != nil {
			rows = append(rows, []any{
				r.Caller, r.Operation, *r.Key, r.hash(), r.Target, r.Answer.Status, string(r.Answer.Body),
				expires,
			})
		}
	}
	if expired != nil {
		if _, err := k.deleteExpired(tx, expired); err != nil {
			return err
		}
	}
	const columns = "caller, operation, idempotency_key, request_hash, target_id, status, response_body, " +
		"expires_at"
	err := db.Insert(tx, "idempotency_keys", columns, rows)
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return db.ErrConflict // InTx runs the transaction again, which finds the row
	}
	return err
}

// deleteExpired deletes the rows that are still expired, and the results of the operations that follow the
// operations of the rows: see Operation.Follows. It returns the number of deleted rows. It keeps a row that
// is no longer expired, because a request has used the key again.
func (k Keys) deleteExpired(q *gorm.DB, rows []row) (n int, err error) {
	byCaller := map[string][]row{}
	for _, r := range rows {
		byCaller[r.Caller] = append(byCaller[r.Caller], r)
	}
	for _, caller := range slices.Sorted(maps.Keys(byCaller)) {
		following, err := k.deleteFollowing(q, caller, byCaller[caller])
		if n += following; err != nil {
			return n, err
		}
	}
	res := q.Where("expires_at <= ?", db.Now(q, 0)).Delete(&rows)
	return n + int(res.RowsAffected), res.Error
}

// deleteFollowing deletes the results of the operations that follow the operations of a caller's rows, and
// returns the number of deleted rows.
func (k Keys) deleteFollowing(q *gorm.DB, caller string, rows []row) (n int, err error) {
	type effect struct {
		operation, key string
		target         int64
	}
	wanted := map[effect]bool{}
	var keys []string
	var targets []int64
	for _, r := range rows {
		for _, o := range k.Operations {
			if o.Follows == r.Operation && r.TargetID != nil {
				wanted[effect{o.Name, r.IdempotencyKey, *r.TargetID}] = true
				keys, targets = append(keys, r.IdempotencyKey), append(targets, *r.TargetID)
			}
		}
	}
	if len(wanted) == 0 {
		return 0, nil
	}
	// near finds the rows with any of the keys and any of the targets. Some of these rows have the key of one
	// row and the target of another, and must stay: DeleteFunc below removes them from the list.
	near := func() *gorm.DB {
		return q.Where("caller = ? AND operation IN ?", caller, k.Operations.names()).
			Where("idempotency_key IN ? AND target_id IN ?", distinct(keys), targets)
	}
	var following []row
	err = near().Select("caller, operation, idempotency_key, target_id").Find(&following).Error
	following = slices.DeleteFunc(following, func(r row) bool {
		return !wanted[effect{r.Operation, r.IdempotencyKey, *r.TargetID}]
	})
	if err != nil || len(following) == 0 {
		return 0, err
	}
	// SQLite uses no index for the primary keys of following, which Delete has as its condition. So the
	// statement also has the conditions of near.
	res := near().Delete(&following)
	return int(res.RowsAffected), res.Error
}

// Use is an effect that a key has had: the operation, and the id of what it created or changed.
type Use struct {
	Operation
	TargetID  int64
	ExpiresAt time.Time
}

// Report returns the effects of the caller's key in the operations of the service, sorted by the name of the
// operation. Error: 404 idempotency_key_unknown when the key has no effects, or all effects have expired.
func (k Keys) Report(ctx context.Context, key string) ([]Use, error) {
	q := k.DB.WithContext(ctx)
	var rows []row
	err := q.Select("operation, target_id, expires_at").
		Where("caller = ? AND operation IN ?", auth.From(ctx).KeySpace(), k.Operations.names()).
		Where("idempotency_key = ? AND expires_at > ?", key, db.Now(q, 0)).
		Order("operation").Find(&rows).Error
	if err == nil && len(rows) == 0 {
		err = apperr.IdempotencyKeyUnknown.New()
	}
	all := make([]Use, len(rows))
	for i, r := range rows {
		all[i] = Use{TargetID: *r.TargetID, ExpiresAt: r.ExpiresAt}
		all[i].Operation, _ = k.Operations.Find(r.Operation)
	}
	return all, err
}

// Purge deletes the expired keys of the service's operations, at most 500 keys in a step, and returns the
// number of deleted rows. It keeps a key whose operation no service has any more.
func (k Keys) Purge(ctx context.Context) (total int, err error) {
	for {
		q := k.DB.WithContext(ctx)
		var expired []row
		err := q.Select("caller", "operation", "idempotency_key", "target_id").
			Where("operation IN ? AND expires_at <= ?", k.Operations.names(), db.Now(q, 0)).
			Limit(500).Find(&expired).Error
		if err != nil || len(expired) == 0 {
			return total, err
		}
		n, err := k.deleteExpired(q, expired)
		if err != nil {
			return total, err
		}
		total += n
	}
}

// Lag returns how long ago the oldest expired key of the service's operations has expired.
func (k Keys) Lag(ctx context.Context) (time.Duration, error) {
	q := k.DB.WithContext(ctx)
	return db.Age(q.Model(&row{}).
		Where("operation IN ? AND expires_at <= ?", k.Operations.names(), db.Now(q, 0)), "expires_at")
}

// EstimateRows returns about how many keys all services store: see db.EstimateRows.
func (k Keys) EstimateRows(ctx context.Context) (int64, error) {
	return db.EstimateRows(k.DB.WithContext(ctx), row{}.TableName())
}

// row is a row of the table idempotency_keys: the result of a caller's key in an operation.
type row struct {
	Caller         string `gorm:"primaryKey"`
	Operation      string `gorm:"primaryKey"`
	IdempotencyKey string `gorm:"primaryKey"`
	RequestHash    []byte
	TargetID       *int64
	Status         *int    // HTTP status of the first answer
	ResponseBody   *string // body of the first answer
	ExpiresAt      time.Time

	Expired bool `gorm:"->"` // true for an expired key; set by queries that select a column named `expired`
}

// TableName implements gorm's Tabler.
func (row) TableName() string { return "idempotency_keys" }

// Answer returns the answer to a success of the request. It encodes the parameter body as JSON.
func (r Request) Answer(body any) (Answer, error) {
	encoded, err := json.Marshal(body)
	return Answer{Status: r.Status, Body: encoded}, err
}

func (r Request) hash() []byte {
	content, err := json.Marshal(r.Content)
	if err != nil {
		panic(err) // impossible: the content comes from a decoded request
	}
	sum := sha256.Sum256(content)
	return sum[:]
}
