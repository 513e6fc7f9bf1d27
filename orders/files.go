package orders

import (
	"context"
	"slices"

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/service"
	"example.com/b2b/v2/openapi/contract"
)

// productRow is a row of an import: the new values of the product with the sku.
type productRow struct {
	SKU string
	productChange
}

// importProducts creates or changes a product for each row, in one transaction. It refuses a row for a new
// product without name, price or stock. A dry run changes nothing.
func (s *Service) importProducts(ctx context.Context, rows []*bulk.Row[productRow], dryRun bool) error {
	if dryRun {
		return s.db.Read(ctx).importProducts(rows, dryRun)
	}
	return s.db.Change(ctx, func(tx store) error { return tx.importProducts(rows, dryRun) })
}

func (s store) importProducts(rows []*bulk.Row[productRow], dryRun bool) error {
	bySKU, err := s.productsOfRows(rows, !dryRun)
	if err != nil {
		return err
	}
	var before []product
	var updated, created []*product
	var createdRows []*bulk.Row[productRow]
	for _, r := range rows {
		old, exists := bySKU[r.Value.SKU]
		p := r.Value.apply(old)
		switch {
		case exists && p == old:
			r.Is(contract.Unchanged, p.ID)
		case exists:
			r.Is(contract.Updated, p.ID)
			before, updated = append(before, old), append(updated, &p)
		default:
			p, refusal := r.Value.newProduct()
			if refusal != nil {
				r.Refuse(refusal)
				continue
			}
			r.Is(contract.Created, 0)
			created, createdRows = append(created, &p), append(createdRows, r)
		}
	}
	if dryRun {
		return nil
	}
	if updated != nil {
		if err := s.updateProducts(before, updated); err != nil {
			return err
		}
	}
	if created != nil {
		if err := s.createProducts(created); service.IsDuplicate(err) {
			return db.ErrConflict // another transaction has just created a product with a sku of these rows
		} else if err != nil {
			return err
		}
	}
	for i, r := range createdRows {
		r.Is(contract.Created, created[i].ID)
	}
	return nil
}

// newProduct returns the row's new product. Error: 400 validation_failed with a detail for each missing
// field.
func (r productRow) newProduct() (product, *apperr.Error) {
	refusal := apperr.ValidationFailed.New()
	require := func(field string, given bool) {
		if !given {
			refusal.With(field, apperr.Params{"rule": "required"}, "is required: no product has this sku yet")
		}
	}
	require("/name", r.Name != nil)
	require("/price_cents", r.PriceCents != nil)
	require("/stock", r.Stock != nil)
	if refusal.Details != nil {
		return product{}, refusal
	}
	return r.apply(product{SKU: r.SKU, Active: true}), nil
}

// productsOfRows returns the products that have the skus of the rows, in a map by sku. If the parameter
// locking is true, the products are locked until the transaction ends, in ascending id as in every
// transaction.
func (s store) productsOfRows(rows []*bulk.Row[productRow], locking bool) (map[string]product, error) {
	skus := service.Views(rows, func(r *bulk.Row[productRow]) string { return r.Value.SKU })
	var ids []int64
	if err := s.products().Where("sku IN ?", skus).Pluck("id", &ids).Error; err != nil || len(ids) == 0 {
		return nil, err
	}
	if locking {
		s = s.locking()
	}
	var products []product
	err := db.ByID(s.products()).Select("*, ? AS now", s.Now()).
		Where("id IN ?", ids).Order("id").Find(&products).Error
	bySKU := make(map[string]product, len(products))
	for _, p := range products {
		bySKU[p.SKU] = p
	}
	return bySKU, err
}

// exportOrders reads a page of orders with their items. An order may have 100 items of more than 1 KB, so the
// page ends before the order whose items exceed db.PageBytes.
func (s store) exportOrders(f orderFilter, cursor *int64) ([]order, *int64, error) {
	orders, next, err := s.list(f, db.PageRequest{Cursor: cursor, Limit: bulk.PageSize})
	if err != nil || len(orders) == 0 {
		return nil, nil, err
	}
	pointers := make([]*order, len(orders))
	for i := range orders {
		pointers[i] = &orders[i]
	}
	left := db.PageBytes
	items, cut, err := db.FindWithin[item](s.itemsOf(pointers), &left)
	if err != nil {
		return nil, nil, err
	}
	if cut {
		last := items[len(items)-1].OrderID // id of an order some of whose items may be missing
		n := slices.IndexFunc(orders, func(o order) bool { return o.ID == last })
		if n == 0 {
			return orders[:1], &orders[0].ID, s.readItems(pointers[0])
		}
		items = slices.DeleteFunc(items, func(i item) bool { return i.OrderID == last })
		orders, pointers, next = orders[:n], pointers[:n], &orders[n-1].ID
	}
	return orders, next, s.attachItems(pointers, items)
}
