package orders

import (
	"context"

	"example.com/b2b/db"
	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/bulk"
	"example.com/b2b/openapi/contract"
)

// productRow is one of an import: what is to become of the product with a sku.
type productRow struct {
	SKU string
	productChange
}

// importProducts creates and changes products in one transaction. It refuses a row for a new product that
// lacks what one needs.
func (s *Service) importProducts(ctx context.Context, rows []*bulk.Row[productRow], dryRun bool) error {
	if dryRun {
		return s.read(ctx).importProducts(rows, dryRun)
	}
	return s.change(ctx, func(tx store) error { return tx.importProducts(rows, dryRun) })
}

func (s store) importProducts(rows []*bulk.Row[productRow], dryRun bool) error {
	known, err := s.withSKUs(rows, !dryRun)
	if err != nil {
		return err
	}
	var before []product
	var changed, made []*product
	var makers []*bulk.Row[productRow]
	for _, r := range rows {
		b, there := known[r.Value.SKU]
		p := r.Value.of(b)
		switch {
		case there && p == b:
			r.Is(contract.Unchanged, p.ID)
		case there:
			r.Is(contract.Updated, p.ID)
			before, changed = append(before, b), append(changed, &p)
		default:
			n, refused := r.Value.product()
			if refused != nil {
				r.Refuse(refused)
				continue
			}
			r.Is(contract.Created, 0)
			made, makers = append(made, &n), append(makers, r)
		}
	}
	if !dryRun && changed != nil {
		if err := s.updateProducts(before, changed); err != nil {
			return err
		}
	}
	if !dryRun && made != nil {
		if err := s.createProducts(made); duplicate(err) {
			return db.ErrConflict // somebody has just created one
		} else if err != nil {
			return err
		}
		for i, r := range makers {
			r.Is(contract.Created, made[i].ID)
		}
	}
	return nil
}

// product is a new one as the row gives it.
func (r productRow) product() (product, *apperr.Error) {
	refused := apperr.ValidationFailed.New()
	for _, needed := range []struct {
		field   string
		missing bool
	}{{"/name", r.Name == nil}, {"/price_cents", r.PriceCents == nil}, {"/stock", r.Stock == nil}} {
		if needed.missing {
			refused.With(needed.field, apperr.Params{"rule": "required"}, "is required: no product has this sku yet")
		}
	}
	if refused.Details != nil {
		return product{}, refused
	}
	return r.of(newProduct{SKU: r.SKU, Active: true}.product()), nil
}

// withSKUs reads the products that rows name, by sku. With locking, nobody else can change them until the
// transaction ends; like orders, it locks them in ascending id.
func (s store) withSKUs(rows []*bulk.Row[productRow], locking bool) (map[string]product, error) {
	skus := make([]string, len(rows))
	for i, r := range rows {
		skus[i] = r.Value.SKU
	}
	var ids []int64
	if err := s.products().Where("sku IN ?", skus).Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
		return nil, err
	}
	if locking {
		s = s.locking()
	}
	var found []product
	err := db.ByID(s.products()).Select("*, ? AS now", s.now()).Where("id IN ?", ids).Order("id").Find(&found).Error
	known := make(map[string]product, len(found))
	for _, p := range found {
		known[p.SKU] = p
	}
	return known, err
}

// exportOrders reads a page of orders for a file, with their items.
func (s store) exportOrders(f orderFilter, cursor *int64) ([]order, *int64, error) {
	rows, next, err := s.list(f, db.PageRequest{Cursor: cursor, Limit: bulk.PageSize})
	if err != nil || len(rows) == 0 {
		return nil, nil, err
	}
	read := make([]*order, len(rows))
	for i := range rows {
		read[i] = &rows[i]
	}
	return rows, next, s.readItems(read...)
}
