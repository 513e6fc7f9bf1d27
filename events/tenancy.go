package events

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"gorm.io/gorm"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/idempotency"
	"example.com/b2b/v2/internal/service"
	"example.com/b2b/v2/openapi/contract"
)

// Tenancy: a caller bound to a customer reads only the events of this customer and its orders. A caller with
// a token reads only the events of subjects for which the token has the scope. Other files must not implement
// these rules, and must begin their queries with the functions of this file: see TestTenancy and
// TestOnlyStoreUsesDatabase.

// kind is a kind of events: all types with the same word before the dot.
type kind struct {
	word, subject string
	scope         string // the scope that a caller needs to read the subject
	ofNoCustomer  bool   // events of no single customer, which a caller bound to a customer must not see
}

var kinds = []kind{
	{word: "order", subject: "order", scope: "orders:read"},
	{word: "customer", subject: "customer", scope: "customers:read"},
	{word: "product", subject: "product", scope: "products:read", ofNoCustomer: true},
	{word: "stock", subject: "product", scope: "products:read", ofNoCustomer: true},
	{word: endpointSubject, subject: endpointSubject, scope: "webhooks:read"},
}

// feed returns the customer whose events are the caller's feed; 0 for all events.
func (s store) feed() int64 { return s.Caller.Customer }

// shown is the condition under which readers see an event: its position is at most the last position in the
// counter of the feed. Later positions may not be on the disk yet: see SequenceBatch.
const shown = "%s <= (SELECT last_position FROM event_positions p WHERE p.customer_id = %s)"

// events begins a query for the events that the caller may read, from the position after (excluded) to the
// position upTo (included), in the order of their positions. All positions are positions in the caller's
// feed.
func (s store) events(after, upTo int64) *gorm.DB {
	q, column := s.ownEvents()
	return q.Select("*, "+column+" AS place").Where(db.Likely(q, "subject IN ?"), s.subjects()).
		Where(column+" > ? AND "+column+" <= ?", after, upTo).Where(fmt.Sprintf(shown, column, "?"), s.feed()).
		Order(column)
}

// ownEvents begins a query for the events of the caller's feed, of every kind, and returns the name of the
// column with the positions in this feed.
func (s store) ownEvents() (q *gorm.DB, column string) {
	q = s.DB.Model(&event{})
	if own := s.feed(); own != 0 {
		return q.Where("customer_id = ?", own), "customer_position"
	}
	return q, "position"
}

// subjects returns the kinds of subjects whose events the caller may read.
func (s store) subjects() (all []string) {
	for _, k := range kinds {
		if s.refusal(k) == nil {
			all = append(all, k.subject)
		}
	}
	return all
}

// positions returns the counter of the caller's feed.
func (s store) positions() (counter, error) {
	var c counter // stays zero before the first event
	err := s.DB.Where("customer_id = ?", s.feed()).Limit(1).Find(&c).Error
	return c, err
}

// lastGiven returns the highest position in the caller's feed, or 0 for an empty feed. It also counts events
// that readers do not see yet.
func (s store) lastGiven() (last int64, err error) {
	q, column := s.ownEvents()
	err = q.Select("COALESCE(MAX(" + column + "), 0)").Scan(&last).Error
	return last, err
}

// refusal returns why the caller may not read a kind of events, or nil.
func (s store) refusal(k kind) *apperr.Error {
	const field = "/header/Authorization"
	switch own := s.Caller.Customer; {
	case s.Caller.Known() && s.Caller.Lacks([]string{k.scope}) != nil:
		return apperr.Forbidden.New().With(field, apperr.Params{"scope": k.scope}, "lacks the scope %s", k.scope)
	case k.ofNoCustomer && own != 0:
		return apperr.Forbidden.New().
			With(field, apperr.Params{"customer_id": own}, "acts for customer %d alone", own)
	}
	return nil
}

// types parses the parameter types. Errors: 400 validation_failed for an unknown type, 403 forbidden for a
// type that the caller may not read.
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

// endpoints begins a query for the webhook endpoints that the caller may see. The method deliveries does not
// check the caller, so call findEndpoint before it.
func (s store) endpoints() *gorm.DB {
	q := s.DB.Model(&endpoint{})
	if own := s.Caller.Customer; own != 0 {
		q = q.Where("customer_id = ?", own)
	}
	return q
}

// owner returns the customer to whom an endpoint of the caller belongs, or nil for none.
func (s store) owner() *int64 {
	if own := s.Caller.Customer; own != 0 {
		return &own
	}
	return nil
}

// createOnce runs the creation of an endpoint: see service.Database.OnceOnRow. A creation for a customer
// locks the customer's row, and any other creation locks no row: see countEndpoints.
func (s *Service) createOnce(
	ctx context.Context, r idempotency.Request, effect service.Effect[store],
) (idempotency.Answer, error) {
	own := auth.From(ctx).Customer
	if own == 0 {
		return s.db.Once(ctx, r, effect)
	}
	return s.db.OnceOnRow(ctx, service.Row[store]{Name: fmt.Sprint("owner ", own)}, r, effect)
}

// granted returns the kinds of subjects whose events an endpoint of the caller gets: the same kinds that GET
// /events shows to the caller. Error: 403 forbidden without any kind.
func (s store) granted() ([]string, error) {
	reader := kind{scope: "events:read"} // the scope of GET /events
	if refusal := s.refusal(reader); refusal != nil {
		return nil, refusal
	}
	all := s.subjects()
	if len(all) == 0 {
		return nil, s.refusal(kinds[0])
	}
	return all, nil
}

// mayRead returns 403 forbidden unless the caller may read every kind of event that the endpoint gets.
func (s store) mayRead(e endpoint) error {
	all, err := s.granted()
	if err != nil {
		return err
	}
	for _, k := range kinds {
		if slices.Contains(e.Subjects.names(), k.subject) && !slices.Contains(all, k.subject) {
			return s.refusal(k)
		}
	}
	return nil
}

// kindOf returns the kind of an event's type, or the zero kind for an unknown type.
func kindOf(eventType string) kind {
	word, _, _ := strings.Cut(eventType, ".")
	i := slices.IndexFunc(kinds, func(k kind) bool { return k.word == word })
	if i < 0 {
		return kind{}
	}
	return kinds[i]
}

// ofOwner returns a store that reads the feed from which the endpoint gets its events. The caller of ofOwner
// must skip the events that the endpoint does not want: see endpoint.wants.
func (s store) ofOwner(e endpoint) store {
	s.Caller = auth.System
	if e.CustomerID != nil {
		s.Caller.Customer = *e.CustomerID
	}
	return s
}

// eventsOfCustomers begins a query for the next events of several customers' feeds, in the order of their
// positions. From each feed it reads the given number of positions. It does not check the caller: use it only
// to send webhooks.
func (s store) eventsOfCustomers(feeds []feed, each int64) *gorm.DB {
	q := s.DB.Model(&event{}).Select("*, customer_position AS place")
	ofAny := s.DB
	for _, at := range feeds {
		ofAny = ofAny.Or("customer_id = ? AND customer_position > ? AND customer_position <= ?",
			at.customer, at.position, at.position+each)
	}
	return q.Where(ofAny).Where(fmt.Sprintf(shown, "customer_position", "events.customer_id")).
		Order("customer_id, customer_position")
}

// asSystem returns a context for stores that see all endpoints. Use it only to send webhooks.
func asSystem(ctx context.Context) context.Context { return auth.With(ctx, auth.System) }
