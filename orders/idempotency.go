package orders

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"gorm.io/gorm"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	api "example.com/b2b/openapi/ordersapi"
)

// idempotencyKey is a row of the table idempotency_keys: what one key of one caller has done with one operation.
type idempotencyKey struct {
	Caller         string `gorm:"primaryKey"`
	Operation      string `gorm:"primaryKey"`
	IdempotencyKey string `gorm:"primaryKey"`
	RequestHash    []byte
	TargetID       *int64  // the order, or the product whose stock was adjusted
	Status         *int    // the HTTP status of the first answer
	ResponseBody   *string // its body
	ExpiresAt      time.Time

	Expired bool `gorm:"->"` // on the database's clock, where a query selects it
}

// anyone is the caller of every key as long as the API does not ask who calls.
const anyone = "public"

// The operations that take a key, as the contract calls them.
const (
	createOrder  = "createOrder"
	confirmOrder = "confirmOrder"
	cancelOrder  = "cancelOrder"
	adjustStock  = "adjustStock"
)

var operations = []string{createOrder, confirmOrder, cancelOrder, adjustStock}

// request is what a key stands for.
type request struct {
	operation string
	key       *string // nil: the caller wants no idempotency
	content   any     // what must be the same in a repeat
	status    int     // of the answer when it succeeds
}

func (r request) hash() []byte {
	content, err := json.Marshal(r.content)
	if err != nil {
		panic(err) // bound from JSON just now
	}
	sum := sha256.Sum256(content)
	return sum[:]
}

// row finds the key's row.
func (r request) row(q *gorm.DB) *gorm.DB {
	return q.Model(&idempotencyKey{}).Where("caller = ? AND operation = ? AND idempotency_key = ?", anyone, r.operation, *r.key)
}

// answer is a success as it is stored under its key, so that every repeat gets the first one byte for byte.
type answer struct {
	status   int
	body     []byte
	replayed bool
}

// effect changes something in tx and returns its id and the body of the answer.
type effect func(tx *gorm.DB) (target int64, body any, err error)

// once runs effect in a transaction and answers with the body that it returns. With a key, the key's row commits in the same
// transaction as the effect, so effect happens at most once for the key: a repeat gets the first answer, a repeat while the
// first still runs waits for it, and the key with another request is 422 idempotency_key_reused. When effect refuses, nothing
// is remembered.
func (s *Service) once(ctx context.Context, r request, effect effect) (answer, error) {
	var a answer
	err := db.InTx(ctx, s.db, func(tx *gorm.DB) error {
		if r.key != nil {
			first, err := s.claim(tx, r)
			if err != nil {
				return err
			}
			if first != nil {
				a = *first
				return nil
			}
		}
		target, body, err := effect(tx)
		if err != nil {
			return err
		}
		encoded, err := json.Marshal(body)
		if err != nil {
			return err
		}
		a = answer{status: r.status, body: encoded}
		if r.key == nil {
			return nil
		}
		return r.row(tx).Updates(map[string]any{"target_id": target, "status": a.status, "response_body": string(encoded)}).Error
	})
	return a, err
}

// claim inserts the key's row, which makes every other request with the key wait until this transaction ends. It returns the
// first answer instead when the key has one, and takes an expired key over.
func (s *Service) claim(tx *gorm.DB, r request) (*answer, error) {
	expires := db.Now(tx, s.KeyLifetime)
	err := tx.Model(&idempotencyKey{}).Create(map[string]any{
		"caller": anyone, "operation": r.operation, "idempotency_key": *r.key, "request_hash": r.hash(), "expires_at": expires,
	}).Error
	if !errors.Is(err, gorm.ErrDuplicatedKey) {
		return nil, err
	}
	first, err := s.read(tx, r)
	if err != nil || first != nil {
		return first, err
	}
	res := r.row(tx).Where("expires_at <= ?", db.Now(tx, 0)).Updates(map[string]any{"request_hash": r.hash(), "expires_at": expires})
	if res.Error == nil && res.RowsAffected == 0 {
		return nil, db.ErrConflict // another request took it over, or it was purged: look again
	}
	return nil, res.Error
}

// read returns the first answer to the key, nil when there is none that still counts, and 422 when it answers another request.
func (s *Service) read(q *gorm.DB, r request) (*answer, error) {
	var row idempotencyKey
	err := r.row(q).Select("*, expires_at <= ? AS expired", db.Now(q, 0)).Take(&row).Error
	if errors.Is(err, gorm.ErrRecordNotFound) || err == nil && row.Expired {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if string(row.RequestHash) != string(r.hash()) {
		return nil, apperr.IdempotencyKeyReused.New()
	}
	return &answer{status: *row.Status, body: []byte(*row.ResponseBody), replayed: true}, nil
}

// remembered returns the first answer to the key, outside of any transaction.
func (s *Service) remembered(ctx context.Context, r request) (answer, bool) {
	if r.key == nil {
		return answer{}, false
	}
	first, err := s.read(s.db.WithContext(ctx), r)
	if err != nil || first == nil {
		return answer{}, false
	}
	return *first, true
}

// GetIdempotencyKey tells what a key has done, and returns 404 idempotency_key_unknown when that is nothing, or has expired.
func (s *Service) GetIdempotencyKey(ctx context.Context, r api.GetIdempotencyKeyRequestObject) (api.GetIdempotencyKeyResponseObject, error) {
	q := s.db.WithContext(ctx)
	var rows []struct {
		Operation   string
		TargetID    *int64
		ExpiresAt   time.Time
		OrderStatus *api.OrderStatus
	}
	err := q.Model(&idempotencyKey{}).Select("operation, target_id, expires_at, orders.status AS order_status").
		Joins("LEFT JOIN orders ON orders.id = target_id AND operation <> ?", adjustStock).
		Where("caller = ? AND operation IN ? AND idempotency_key = ? AND expires_at > ?", anyone, operations, r.Key, db.Now(q, 0)).
		Order("operation").Find(&rows).Error
	if err != nil {
		return nil, err
	}
	if len(rows) == 0 {
		return nil, apperr.IdempotencyKeyUnknown.New()
	}
	report := api.KeyReport{IdempotencyKey: r.Key}
	for _, row := range rows {
		done := api.KeyedOperation{Operation: api.KeyedOperationOperation(row.Operation), ExpiresAt: api.Time{Time: row.ExpiresAt}}
		if row.Operation == adjustStock {
			done.ProductID = row.TargetID
		} else {
			done.OrderID, done.OrderStatus = row.TargetID, row.OrderStatus
		}
		report.Operations = append(report.Operations, done)
	}
	return api.GetIdempotencyKey200JSONResponse{Body: api.KeyReportResponse{Success: true, Data: report}}, nil
}

// PurgeKeys deletes the keys that have expired, in small steps, and returns how many it deleted.
func (s *Service) PurgeKeys(ctx context.Context) (int64, error) {
	for total := int64(0); ; {
		q := s.db.WithContext(ctx)
		var expired []idempotencyKey
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

func (a answer) write(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", "application/json")
	if a.replayed {
		w.Header().Set("Idempotency-Replayed", "true")
	}
	w.WriteHeader(a.status)
	_, err := w.Write(append(a.body, '\n')) // as the generated responses end
	return err
}

// VisitCreateOrderResponse and the next three make answer a response of the generated strict server.
func (a answer) VisitCreateOrderResponse(w http.ResponseWriter) error  { return a.write(w) }
func (a answer) VisitConfirmOrderResponse(w http.ResponseWriter) error { return a.write(w) }
func (a answer) VisitCancelOrderResponse(w http.ResponseWriter) error  { return a.write(w) }
func (a answer) VisitAdjustStockResponse(w http.ResponseWriter) error  { return a.write(w) }
