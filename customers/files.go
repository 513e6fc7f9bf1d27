package customers

import (
	"context"
	"maps"
	"slices"
	"strings"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/service"
	"example.com/b2b/v2/openapi/contract"
)

// The import finds the customer of a row by its email. Every row has an email.

func (ch change) emailKey() string { return emailKey(*ch.Email) }

// emailKey returns the email in the form of the column active_email.
func emailKey(email string) string { return strings.ToLower(strings.TrimSpace(email)) }

func (ch change) names() []bulk.Name {
	if ch.Deleted {
		// importCustomers refuses this row. Another row may have the same email, for a customer that is not
		// deleted.
		return nil
	}
	names := []bulk.Name{{Field: "/email", Value: ch.emailKey()}}
	if ref, err := ch.ExternalRef.Get(); err == nil {
		names = append(names, bulk.Name{Field: "/external_ref", Value: ref})
	}
	return names
}

// dryRun is the state of a dry run over all batches of a file; it is nil when the import changes customers.
// Its keys are the ids of customers whose external_ref an earlier row would have changed. The old
// external_ref is still in the database, but a later row may take it. New values need no entry, because
// bulk.Import refuses a second row with the same external_ref.
type dryRun map[int64]bool

// importCustomers creates or changes a customer for each row, in one transaction. It refuses a new customer
// without a name, and an external_ref that another customer has. With a dryRun it changes nothing. The error
// is bulk.ErrApart when a statement for several rows violates a unique index: another request has just taken
// an email or an external_ref, or a row was written before the row that frees its external_ref.
func (s *Service) importCustomers(ctx context.Context, rows []*bulk.Row[change], dryRun dryRun) error {
	if dryRun != nil {
		return s.db.Read(ctx).importCustomers(rows, dryRun)
	}
	err := s.db.Change(ctx, func(tx store) error {
		err := tx.importCustomers(rows, nil)
		if service.IsDuplicate(err) && len(rows) == 1 {
			return db.ErrConflict // another request has just taken the email or the external_ref
		}
		return err
	})
	if service.IsDuplicate(err) {
		return bulk.ErrApart
	}
	return err
}

func (s store) importCustomers(rows []*bulk.Row[change], dryRun dryRun) error {
	byEmail, byRef, err := s.customersOfRows(rows, dryRun == nil)
	if err != nil {
		return err
	}
	maps.DeleteFunc(byRef, func(_ string, holder customer) bool { return dryRun[holder.ID] })
	var created, updated []*customer
	var createdRows []*bulk.Row[change]
	for _, r := range rows {
		before, exists := byEmail[r.Value.emailKey()]
		c := r.Value.apply(before)
		holder := customer{}
		if c.ExternalRef != nil {
			holder = byRef[*c.ExternalRef]
		}
		switch {
		case r.Value.Deleted:
			r.Refuse(apperr.ValidationFailed.New().With("/deleted_at",
				apperr.Params{"rule": "deleted"}, "says that the customer is deleted; leave the row out"))
			continue
		case exists && c.equals(before):
			r.Is(contract.Unchanged, c.ID)
			continue
		case !exists && r.Value.Name == nil:
			r.Refuse(apperr.ValidationFailed.New().With("/name",
				apperr.Params{"rule": "required"}, "is required: no customer has this email yet"))
			continue
		case holder.Email != "" && emailKey(holder.Email) != emailKey(c.Email):
			params := apperr.Params{"rule": "unique"}
			if holder.ID != 0 { // a new customer of an earlier row has no id yet
				params["customer_id"] = holder.ID
			}
			r.Refuse(apperr.ExternalRefTaken.New().With("/external_ref", params, "belongs to another customer"))
			continue
		case exists:
			r.Is(contract.Updated, c.ID)
			updated = append(updated, &c)
		default:
			r.Is(contract.Created, 0)
			created, createdRows = append(created, &c), append(createdRows, r)
		}
		if before.ExternalRef != nil {
			delete(byRef, *before.ExternalRef)
			if dryRun != nil && !equal(before.ExternalRef, c.ExternalRef) {
				dryRun[c.ID] = true
			}
		}
		if c.ExternalRef != nil {
			byRef[*c.ExternalRef] = c
		}
	}
	if dryRun != nil {
		return nil
	}
	if updated != nil {
		if err := s.updateAll(updated); err != nil {
			return err
		}
	}
	if created != nil {
		if err := s.createAll(created); err != nil {
			return err
		}
	}
	for i, r := range createdRows {
		r.Is(contract.Created, created[i].ID)
	}
	return nil
}

// customersOfRows returns the customers that have an email or an external_ref of the rows, in maps by
// emailKey and by external_ref. If the parameter locking is true, it locks the customers in ascending id.
func (s store) customersOfRows(rows []*bulk.Row[change], locking bool) (
	byEmail, byRef map[string]customer, err error,
) {
	var emails, refs []string
	for _, r := range rows {
		emails = append(emails, r.Value.emailKey())
		if ref, err := r.Value.ExternalRef.Get(); err == nil {
			refs = append(refs, ref)
		}
	}
	var ids, idsByRef []int64
	if err := s.customers().Where("active_email IN ?", emails).Pluck("id", &ids).Error; err != nil {
		return nil, nil, err
	}
	if refs != nil {
		if err := s.customers().Where("active_external_ref IN ?", refs).Pluck("id", &idsByRef).Error; err != nil {
			return nil, nil, err
		}
	}
	byEmail, byRef = map[string]customer{}, map[string]customer{}
	if ids = slices.Concat(ids, idsByRef); ids == nil {
		return byEmail, byRef, nil
	}
	if locking {
		s = s.locking()
	}
	var customers []customer
	err = db.ByID(s.customers()).Select("*, ? AS now", s.Now()).
		Where("id IN ?", ids).Order("id").Find(&customers).Error
	for _, c := range customers {
		byEmail[emailKey(c.Email)] = c
		if c.ExternalRef != nil {
			byRef[*c.ExternalRef] = c
		}
	}
	return byEmail, byRef, err
}
