package orders

// quote is what an order would be if it were placed now.
type quote struct {
	Items      []item
	TotalCents int64
	Short      []item // of which less is there than they ask for
	Fillable   []line // what is asked for and there; nil when nothing is
}

// quote reads prices and stock, once, and holds nothing. Errors: 404 product_not_found, 400 product_inactive,
// 400 validation_failed for a total above maxCents.
func (s store) quote(lines []line) (q quote, err error) {
	stock, err := s.loadProducts(lines)
	if err != nil {
		return q, err
	}
	if q.Items, err = stock.price(lines); err != nil {
		return q, err
	}
	if q.TotalCents, err = total(q.Items); err != nil {
		return q, err
	}
	q.Short = shortages(q.Items)
	asked := map[*product]int64{}
	for _, l := range lines { // the first come first
		p := stock.find(l)
		l.Qty = min(l.Qty, p.Stock-asked[p])
		if asked[p] += l.Qty; l.Qty > 0 {
			q.Fillable = append(q.Fillable, l)
		}
	}
	return q, nil
}
