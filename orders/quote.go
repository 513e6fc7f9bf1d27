package orders

// quote is the price of an order, and the shortages, if the order were placed now.
type quote struct {
	Items      []item
	TotalCents int64
	Shortages  []item // the items that ask for more than the stock
	Fillable   []line // the lines as far as the stock goes; nil without any stock
}

// quote reads prices and stock once, and reserves nothing. Errors: see price and total.
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
	for _, l := range lines { // first come, first served
		p := stock.find(l)
		l.Qty = min(l.Qty, p.Stock-asked[p])
		if asked[p] += l.Qty; l.Qty > 0 {
			q.Fillable = append(q.Fillable, l)
		}
	}
	return q, nil
}
