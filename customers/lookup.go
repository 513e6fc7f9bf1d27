package customers

import (
	"context"
	"slices"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/batch"
)

// lookup is a command that reads a customer for another service. Concurrent lookups share a query.
type lookup struct {
	id       int64
	customer *customer // nil for a missing or deleted customer
}

// ConflictKeys implements batch.Command. A lookup changes nothing, so it conflicts with no other lookup.
func (*lookup) ConflictKeys() []string { return nil }

// Cost implements batch.Command.
func (*lookup) Cost() int { return 1 }

// Caller implements batch.Command. The batcher needs it only for a command that waits for a locked row. A
// lookup never waits.
func (*lookup) Caller() string { return "" }

// runLookups implements batch.Batcher.Run. The lookups share a single query.
func (s *Service) runLookups(ctx context.Context, lookups []*lookup) (_ []batch.Held, rolledBack bool, _ error) {
	ids := make([]int64, len(lookups))
	for i, l := range lookups {
		ids[i] = l.id
	}
	var customers []customer
	err := s.db.Read(asSystem(ctx)).customers().Where("id IN ?", ids).Find(&customers).Error
	for _, l := range lookups {
		if i := slices.IndexFunc(customers, func(c customer) bool { return c.ID == l.id }); i >= 0 {
			l.customer = &customers[i]
		}
	}
	return nil, false, err
}

// lookUp returns a customer, by a query that concurrent calls share. Errors: 403 forbidden when the caller is
// bound to another customer, 404 customer_not_found.
func (s *Service) lookUp(ctx context.Context, id int64) (customer, error) {
	if err := mayRead(ctx, id); err != nil {
		return customer{}, err
	}
	l := &lookup{id: id}
	if err := s.lookups.Submit(ctx, l); err != nil {
		return customer{}, err
	}
	if l.customer == nil {
		return customer{}, apperr.CustomerNotFound.New(id)
	}
	return *l.customer, nil
}
