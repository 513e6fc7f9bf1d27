package customers

import (
	"context"
	"slices"
	"strings"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/bulk"
	"example.com/b2b/openapi/contract"
)

// A row of an import is what is to become of the customer with its email, which each has.

func (ch change) emailKey() string { return key(*ch.Email) }

// key is the email as the unique index has it.
func key(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func (ch change) names() []bulk.Name {
	all := []bulk.Name{{Field: "/email", Value: ch.emailKey()}}
	if ref, err := ch.ExternalRef.Get(); err == nil {
		all = append(all, bulk.Name{Field: "/external_ref", Value: ref})
	}
	return all
}

// importCustomers creates and changes customers in one transaction. It refuses a row for a new customer
// without a name, and one whose external_ref another customer has.
func (s *Service) importCustomers(ctx context.Context, rows []*bulk.Row[change], dryRun bool) error {
	if dryRun {
		return s.read(ctx).importCustomers(rows, dryRun)
	}
	err := s.change(ctx, func(tx store) error {
		err := tx.importCustomers(rows, dryRun)
		if duplicate(err) && len(rows) == 1 {
			return db.ErrConflict // somebody has just taken it
		}
		return err
	})
	if duplicate(err) {
		return bulk.ErrApart // so it may be, and a statement may meet what it only then makes free
	}
	return err
}

func (s store) importCustomers(rows []*bulk.Row[change], dryRun bool) error {
	byEmail, byRef, err := s.named(rows, !dryRun)
	if err != nil {
		return err
	}
	var made, changed []*customer
	var makers []*bulk.Row[change]
	for _, r := range rows {
		before, there := byEmail[r.Value.emailKey()]
		c := r.Value.of(before)
		holder := customer{}
		if c.ExternalRef != nil {
			holder = byRef[*c.ExternalRef]
		}
		switch {
		case there && c.is(before):
			r.Is(contract.Unchanged, c.ID)
			continue
		case !there && r.Value.Name == nil:
			r.Refuse(apperr.ValidationFailed.New().With("/name", apperr.Params{"rule": "required"}, "is required: no customer has this email yet"))
			continue
		case holder.Email != "" && key(holder.Email) != key(c.Email):
			params := apperr.Params{"rule": "unique"}
			if holder.ID != 0 { // a dry run would create it
				params["customer_id"] = holder.ID
			}
			r.Refuse(apperr.ExternalRefTaken.New().With("/external_ref", params, "belongs to another customer"))
			continue
		case there:
			r.Is(contract.Updated, c.ID)
			changed = append(changed, &c)
		default:
			r.Is(contract.Created, 0)
			made, makers = append(made, &c), append(makers, r)
		}
		if before.ExternalRef != nil {
			delete(byRef, *before.ExternalRef)
		}
		if c.ExternalRef != nil {
			byRef[*c.ExternalRef] = c
		}
	}
	if !dryRun && changed != nil {
		if err := s.putAll(changed); err != nil {
			return err
		}
	}
	if !dryRun && made != nil {
		if err := s.createAll(made); err != nil {
			return err
		}
		for i, r := range makers {
			r.Is(contract.Created, made[i].ID)
		}
	}
	return nil
}

// named reads the customers with an email or an external_ref of the rows. With locking, nobody else can
// change them until the transaction ends; they are locked in ascending id.
func (s store) named(rows []*bulk.Row[change], locking bool) (byEmail, byRef map[string]customer, err error) {
	var emails, refs []string
	for _, r := range rows {
		emails = append(emails, r.Value.emailKey())
		if ref, err := r.Value.ExternalRef.Get(); err == nil {
			refs = append(refs, ref)
		}
	}
	var ids, more []int64
	if err := s.customers().Where("active_email IN ?", emails).Pluck("id", &ids).Error; err != nil {
		return nil, nil, err
	}
	if refs != nil {
		if err := s.customers().Where("active_external_ref IN ?", refs).Pluck("id", &more).Error; err != nil {
			return nil, nil, err
		}
	}
	byEmail, byRef = map[string]customer{}, map[string]customer{}
	if ids = slices.Concat(ids, more); ids == nil {
		return byEmail, byRef, nil
	}
	if locking {
		s = s.locking()
	}
	var found []customer
	err = db.ByID(s.customers()).Where("id IN ?", ids).Order("id").Find(&found).Error
	for _, c := range found {
		byEmail[key(c.Email)] = c
		if c.ExternalRef != nil {
			byRef[*c.ExternalRef] = c
		}
	}
	return byEmail, byRef, err
}
