// Package idempotency makes an effect happen at most once for a key: the key's row commits in the same
// transaction as the effect, with a hash of the request and the answer. It knows no service.
package idempotency

import (
	"cmp"
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

// Keys is what keys have done, in one database.
type Keys struct {
	DB       *gorm.DB
	Lifetime time.Duration // how long a key is remembered
}

// Operation is one that takes a key.
type Operation struct {
	Name   string // as the contract calls it
	Status int    // of its success
	Target string // what kind of thing its key stands for
}

// Request returns what a key of the caller stands for in the operation, nil for none. The JSON of content
// must be the same in a repeat, and must not change from one version of the program to the next.
func (o Operation) Request(ctx context.Context, key *string, content any) Request {
	return Request{Caller: auth.From(ctx).KeySpace(), Operation: o.Name, Key: key, Content: content, Status: o.Status}
}

// Operations are those of a service that take a key. Its report on a key, its rules for the doctor and its
// contract's list are held to them.
type Operations []Operation

// Find returns the operation with a name, and whether there is one.
func (all Operations) Find(name string) (Operation, bool) {
	i := slices.IndexFunc(all, func(o Operation) bool { return o.Name == name })
	if i < 0 {
		return Operation{}, false
	}
	return all[i], true
}

// Rows is an SQL condition for a doctor: the row k of the table idempotency_keys is of one of the operations.
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

// Request is what a key stands for.
type Request struct {
	Caller    string  // whose key it is
	Operation string  // as the contract calls it
	Key       *string // nil: the caller wants no idempotency, and the request is never remembered
	Content   any     // see Operation.Request
	Status    int     // of the answer when it succeeds
}

// Answer is a success as it is stored under its key, so that every repeat gets the first one byte for byte.
type Answer struct {
	Status   int
	Body     []byte
	Replayed bool
}

// Respond answers with it, as the generated servers do.
func (a Answer) Respond(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	if a.Replayed {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	w.WriteHeader(a.Status)
	_, err := w.Write(append(a.Body, '\n')) // as the generated responses end
	return err
}

// Effect changes something in tx and returns its id and the body of the answer, which JSON can hold. It may
// be run several times, of which one commits.
type Effect func(tx *gorm.DB) (target int64, body any, err error)

// Execute runs effect in a transaction and answers with the body that it returns. With a key, effect happens
// at most once: a repeat gets the first answer, a repeat while the first still runs waits for it, and the key
// with another request is 422 idempotency_key_reused. When effect refuses, nothing is remembered.
func (k Keys) Execute(ctx context.Context, r Request, effect Effect) (Answer, error) {
	var a Answer
	err := db.InTx(ctx, k.DB, func(tx *gorm.DB) error {
		earlier, err := k.lookupOne(tx, r)
		if err == nil && !earlier.Found() {
			var target int64
			var body any
			if target, body, err = effect(tx); err == nil {
				if a, err = r.Answer(body); err == nil {
					err = k.Save(tx, Record{r, earlier, target, a})
				}
				return err
			}
			if apperr.From(err).IsFault() {
				return err
			}
			// It may be refused for what another request with the key has done meanwhile.
			refused := err
			if earlier, err = k.lookupOne(tx, r); err == nil && !earlier.Found() {
				return refused
			}
		}
		a = earlier.Answer
		return cmp.Or(err, earlier.Reused)
	})
	return a, err
}

// StoredAnswer returns the first answer to the key, outside of any transaction, and whether there is one.
func (k Keys) StoredAnswer(ctx context.Context, r Request) (Answer, bool) {
	earlier, err := k.lookupOne(k.DB.WithContext(ctx), r)
	return earlier.Answer, err == nil && earlier.Answer.Replayed
}

// Existing is what a key has done before. It decides what a request with the key comes to, unless it is zero.
type Existing struct {
	Answer Answer // the first one
	Reused error  // 422 idempotency_key_reused: it was for another request

	expired *row // what it did too long ago to count
}

// Found reports whether the key has done something.
func (e Existing) Found() bool { return e.Answer.Replayed || e.Reused != nil }

func (k Keys) lookupOne(q *gorm.DB, r Request) (Existing, error) {
	all, err := k.Lookup(q, []Request{r})
	return all[0], err
}

// Lookup finds what the keys of requests have done, in one statement. It sees what has been committed, so a
// request looks when it holds the locks by which one with the same key would make it wait, or looks again
// before it is refused.
func (k Keys) Lookup(q *gorm.DB, requests []Request) ([]Existing, error) {
	all := make([]Existing, len(requests))
	var callers, operations, keys []string
	for _, r := range requests {
		if r.Key != nil {
			callers, operations, keys = append(callers, r.Caller), append(operations, r.Operation), append(keys, *r.Key)
		}
	}
	if keys == nil {
		return all, nil
	}
	var rows []row
	err := q.Select("*, expires_at <= ? AS expired", db.Now(q, 0)).Where("caller IN ? AND operation IN ? AND idempotency_key IN ?",
		distinct(callers), distinct(operations), keys).Find(&rows).Error
	for _, found := range rows {
		for i, r := range requests {
			switch {
			case r.Key == nil || found.Caller != r.Caller || found.Operation != r.Operation || found.IdempotencyKey != *r.Key:
			case found.Expired:
				all[i].expired = &found
			case string(found.RequestHash) != string(r.hash()):
				all[i].Reused = apperr.IdempotencyKeyReused.New()
			default:
				all[i].Answer = Answer{Status: *found.Status, Body: []byte(*found.ResponseBody), Replayed: true}
			}
		}
	}
	return all, err
}

func distinct(values []string) []string {
	slices.Sort(values)
	return slices.Compact(values)
}

// Record is a request that Look found free to be carried out, what it has made or changed, and its answer.
type Record struct {
	Request
	Existing Existing
	Target   int64
	Answer   Answer
}

// Save writes down, in the transaction that made the effects, what those with a key have done. It returns
// db.ErrConflict when one of the keys has done something since Look.
func (k Keys) Save(tx *gorm.DB, effects ...Record) error {
	expires := db.Now(tx, k.Lifetime)
	var expired []row
	var rows [][]any
	for _, e := range effects {
		if e.Existing.expired != nil {
			expired = append(expired, *e.Existing.expired)
		}
		if e.Key != nil {
			rows = append(rows, []any{e.Caller, e.Operation, *e.Key, e.hash(), e.Target, e.Answer.Status, string(e.Answer.Body), expires})
		}
	}
	if expired != nil {
		if err := tx.Where("expires_at <= ?", db.Now(tx, 0)).Delete(&expired).Error; err != nil { // not one that was taken over meanwhile
			return err
		}
	}
	err := db.Insert(tx, "idempotency_keys", "caller, operation, idempotency_key, request_hash, target_id, status, response_body, expires_at", rows)
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return db.ErrConflict // it will be found now
	}
	return err
}

// Done is what a key has done with one operation.
type Done struct {
	Operation
	TargetID  int64
	ExpiresAt time.Time
}

// Report returns what a key of the caller has done with these operations, in the order of their names, or 404
// idempotency_key_unknown when that is nothing, or has expired.
func (k Keys) Report(ctx context.Context, key string, operations Operations) ([]Done, error) {
	q := k.DB.WithContext(ctx)
	var rows []row
	err := q.Select("operation, target_id, expires_at").
		Where("caller = ? AND operation IN ? AND idempotency_key = ? AND expires_at > ?", auth.From(ctx).KeySpace(), operations.names(), key, db.Now(q, 0)).
		Order("operation").Find(&rows).Error
	if err == nil && len(rows) == 0 {
		err = apperr.IdempotencyKeyUnknown.New()
	}
	all := make([]Done, len(rows))
	for i, r := range rows {
		all[i] = Done{TargetID: *r.TargetID, ExpiresAt: r.ExpiresAt}
		all[i].Operation, _ = operations.Find(r.Operation)
	}
	return all, err
}

// Purge deletes the keys that have expired, of all services on the database, in small steps, and returns how
// many it deleted.
func (k Keys) Purge(ctx context.Context) (int64, error) {
	for total := int64(0); ; {
		q := k.DB.WithContext(ctx)
		var expired []row
		err := q.Select("caller", "operation", "idempotency_key").Where("expires_at <= ?", db.Now(q, 0)).Limit(500).Find(&expired).Error
		if err != nil || len(expired) == 0 {
			return total, err
		}
		res := q.Where("expires_at <= ?", db.Now(q, 0)).Delete(&expired) // not one that was taken over meanwhile
		if res.Error != nil {
			return total, res.Error
		}
		total += res.RowsAffected
	}
}

// row is one of the table idempotency_keys: what one key of one caller has done with one operation.
type row struct {
	Caller         string `gorm:"primaryKey"`
	Operation      string `gorm:"primaryKey"`
	IdempotencyKey string `gorm:"primaryKey"`
	RequestHash    []byte
	TargetID       *int64
	Status         *int    // of the first answer
	ResponseBody   *string // its body
	ExpiresAt      time.Time

	Expired bool `gorm:"->"` // on the database's clock, where a query selects it
}

// TableName implements gorm's Tabler.
func (row) TableName() string { return "idempotency_keys" }

// Answer is the one to the request when it succeeds, with a body that JSON can hold.
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
