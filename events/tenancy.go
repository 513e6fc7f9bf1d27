package events

import (
	"strings"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/openapi/contract"
)

// Tenancy: a caller bound to a customer reads only the events of this customer and its orders. A caller with a
// token reads only the events of subjects for which the token has the scope. Other files must not implement
// these rules, and must begin their queries with the functions of this file: see TestTenancy and
// TestOnlyStoreUsesDatabase.

// kind is a kind of events, by the word before the dot in their types.
type kind struct {
	word, subject string
	scope         string // the scope that reads the subject in the other services
	allCustomers  bool   // concerns all customers, so no caller bound to a customer sees it
}

var kinds = []kind{
	{word: "order", subject: "order", scope: "orders:read"},
	{word: "customer", subject: "customer", scope: "customers:read"},
	{word: "product", subject: "product", scope: "products:read", allCustomers: true},
	{word: "stock", subject: "product", scope: "products:read", allCustomers: true},
}

// feed returns the customer whose events are the caller's feed; 0 for all events.
func (s store) feed() int64 { return s.Caller.Customer }

// events begins a query for the events that the caller may read, with positions from after, excluded, to upTo,
// included, in the order of their positions. The positions are those of the caller's feed.
func (s store) events(after, upTo int64) *gorm.DB {
	q, column := s.DB.Model(&event{}), "position"
	if own := s.feed(); own != 0 {
		q, column = q.Where("customer_id = ?", own), "customer_position"
	}
	var subjects []string
	for _, k := range kinds {
		if s.refusal(k) == nil {
			subjects = append(subjects, k.subject)
		}
	}
	return q.Select("*, "+column+" AS place").Where(db.Likely(q, "subject IN ?"), subjects).
		Where(column+" > ? AND "+column+" <= ?", after, upTo).Order(column)
}

// positions returns the counter of the caller's feed.
func (s store) positions() (counter, error) {
	var c counter // stays empty before the first event
	err := s.DB.Where("customer_id = ?", s.feed()).Limit(1).Find(&c).Error
	return c, err
}

// refusal returns why the caller may not read a kind of events, or nil.
func (s store) refusal(k kind) *apperr.Error {
	const field = "/header/Authorization"
	switch own := s.Caller.Customer; {
	case s.Caller.Known() && s.Caller.Lacks([]string{k.scope}) != nil:
		return apperr.Forbidden.New().With(field, apperr.Params{"scope": k.scope}, "lacks the scope %s", k.scope)
	case k.allCustomers && own != 0:
		return apperr.Forbidden.New().
			With(field, apperr.Params{"customer_id": own}, "acts for customer %d alone", own)
	}
	return nil
}

// types parses the parameter types. Errors: 400 validation_failed for an unknown type, 403 forbidden for a type
// that the caller may not read.
func (s store) types(list *string) (types []string, err error) {
	if list == nil {
		return nil, nil
	}
	for word := range strings.SplitSeq(*list, ",") {
		if !contract.EventType(word).Valid() {
			return nil, apperr.ValidationFailed.New().With("/query/types",
				apperr.Params{"rule": "enum"}, "must be types of events, separated by commas, and %q is none", word)
		}
		for _, k := range kinds {
			if refusal := s.refusal(k); strings.HasPrefix(word, k.word+".") && refusal != nil {
				return nil, refusal
			}
		}
		types = append(types, word)
	}
	return types, nil
}
