// Package idempotency makes an effect happen at most once for a key. The row of a key, with a hash of the
// request and the answer, commits in the transaction of the effect.
package idempotency

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"slices"
	"strings"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
)

// Keys is the store of a service's keys.
type Keys struct {
	DB         *gorm.DB
	Lifetime   time.Duration // from the first answer until the key expires
	Operations Operations    // of the service
}

// Operation is an operation with keys.
type Operation struct {
	Name   string // the contract's operationId
	Status int    // of the success
	Target string // the kind of thing created or changed
}

// Request returns the request for which the caller uses key; key may be nil. The JSON of content must be the
// same in a repeat, and must not change from one version of the program to the next.
func (o Operation) Request(ctx context.Context, key *string, content any) Request {
	return Request{
		Caller: auth.From(ctx).KeySpace(), Operation: o.Name, Key: key, Content: content, Status: o.Status,
	}
}

// Operations are the operations of a service with keys.
type Operations []Operation

// Find returns the operation with a name, and whether there is one.
func (all Operations) Find(name string) (Operation, bool) {
	i := slices.IndexFunc(all, func(o Operation) bool { return o.Name == name })
	if i < 0 {
		return Operation{}, false
	}
	return all[i], true
}

// Rows is an SQL condition: row k of the table idempotency_keys belongs to the operations.
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
	Caller    string  // the owner of the key
	Operation string  // an Operation's name
	Key       *string // nil: the caller wants no idempotency, and the request is never stored
	Content   any     // see Operation.Request
	Status    int     // of the answer when the request succeeds
}

// Answer is a success as stored under its key: every repeat gets the first answer, byte for byte.
type Answer struct {
	Status   int
	Body     []byte
	Replayed bool // read from the store
}

// Respond writes the answer as the generated servers do.
func (a Answer) Respond(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	if a.Replayed {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	w.WriteHeader(a.Status)
	_, err := w.Write(append(a.Body, '\n')) // generated responses end with a newline
	return err
}

// Effect changes something in tx and returns the id of the changed thing and the body of the answer. Execute
// may run it several times; a single run commits.
type Effect func(tx *gorm.DB) (target int64, body any, err error)

// Execute runs effect in a transaction and answers with the body of effect. With a key, effect
// happens at most once: a repeat gets the first answer, a repeat while the first request still runs waits for
// it, and another request with the same key is 422 idempotency_key_reused. A refusal by effect is not stored.
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
			// A twin of the request, committed meanwhile, may be the reason for the refusal.
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

// StoredAnswer returns the first answer to the key, outside of any transaction, and whether there is one.
func (k Keys) StoredAnswer(ctx context.Context, r Request) (Answer, bool) {
	existing, err := k.lookupOne(k.DB.WithContext(ctx), r)
	return existing.Answer, err == nil && existing.Answer.Replayed
}

// Existing is the stored result of a key; the zero value means none. A stored result decides on every further
// request with the key.
type Existing struct {
	Answer Answer // the first answer
	Reused error  // 422 idempotency_key_reused: the stored result is of another request

	expired *row // a stored result, too old to count
}

// Found reports whether there is a stored result.
func (e Existing) Found() bool { return e.Answer.Replayed || e.Reused != nil }

func (k Keys) lookupOne(q *gorm.DB, r Request) (Existing, error) {
	all, err := k.Lookup(q, []Request{r})
	return all[0], err
}

// Lookup reads the stored results of the requests' keys, in one statement. Only committed rows are read: call
// Lookup behind the lock that would block a twin of the request, or again before refusing the request.
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

// Record is a request without a stored result, and the effect.
type Record struct {
	Request
	Existing Existing // from Lookup
	Target   int64
	Answer   Answer
}

// Save stores the results of records with a key, in the transaction of their effects. It returns
// db.ErrConflict when another transaction has stored a result for a key since Lookup.
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
		if err := deleteExpired(tx, expired).Error; err != nil {
			return err
		}
	}
	const columns = "caller, operation, idempotency_key, request_hash, target_id, status, response_body, " +
		"expires_at"
	err := db.Insert(tx, "idempotency_keys", columns, rows)
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return db.ErrConflict // so that the transaction runs again and finds the row
	}
	return err
}

// deleteExpired deletes rows, except where a request has used the key again meanwhile.
func deleteExpired(q *gorm.DB, rows []row) *gorm.DB {
	return q.Where("expires_at <= ?", db.Now(q, 0)).Delete(&rows)
}

// Use is an effect under a key.
type Use struct {
	Operation
	TargetID  int64
	ExpiresAt time.Time
}

// Report returns the caller's uses of a key in the service's operations, by the operations' names. Error: 404
// idempotency_key_unknown when there is none, or all have expired.
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

// Purge deletes the expired keys of the service's operations, in small steps, and returns how many. Keys of
// an operation without a service stay.
func (k Keys) Purge(ctx context.Context) (total int, err error) {
	for {
		q := k.DB.WithContext(ctx)
		var expired []row
		err := q.Select("caller", "operation", "idempotency_key").
			Where("operation IN ? AND expires_at <= ?", k.Operations.names(), db.Now(q, 0)).
			Limit(500).Find(&expired).Error
		if err != nil || len(expired) == 0 {
			return total, err
		}
		res := deleteExpired(q, expired)
		if res.Error != nil {
			return total, res.Error
		}
		total += int(res.RowsAffected)
	}
}

// row is a row of the table idempotency_keys: the result of a caller's key in an operation.
type row struct {
	Caller         string `gorm:"primaryKey"`
	Operation      string `gorm:"primaryKey"`
	IdempotencyKey string `gorm:"primaryKey"`
	RequestHash    []byte
	TargetID       *int64
	Status         *int    // of the first answer
	ResponseBody   *string // of the first answer
	ExpiresAt      time.Time

	Expired bool `gorm:"->"` // by the database's clock; set by queries that select expired
}

// TableName implements gorm's Tabler.
func (row) TableName() string { return "idempotency_keys" }

// Answer returns the answer to the request for a success. JSON must be able to hold body.
func (r Request) Answer(body any) (Answer, error) {
	encoded, err := json.Marshal(body)
	return Answer{Status: r.Status, Body: encoded}, err
}

func (r Request) hash() []byte {
	content, err := json.Marshal(r.Content)
	if err != nil {
		panic(err) // bound from JSON just now
	}
	sum := sha256.Sum256(content)
	return sum[:]
}
