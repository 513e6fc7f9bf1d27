package orders

// quote has the price and the shortages of an order, as if the order were placed now.
type quote struct {
	Items      []item
	TotalCents int64
	Shortages  []item // the items that ask for more pieces than the product has in stock

	Fillable           []line // the lines, cut down to the pieces in stock; nil when no piece is in stock
	FillableTotalCents int64  // price of the fillable lines
}

// quote prices the lines, and reserves nothing. One statement reads all prices and stock. Errors: see
// stockView.price and the function total.
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
	q.Shortages = shortages(q.Items)
	asked := map[*product]int64{}
	for _, l := range lines { // earlier lines of a product get its stock before later lines
		p := stock.find(l)
		l.Qty = min(l.Qty, p.Stock-asked[p])
		if asked[p] += l.Qty; l.Qty > 0 {
			q.Fillable = append(q.Fillable, l)
			q.FillableTotalCents += l.Qty * p.PriceCents
		}
	}
	return q, nil
}
