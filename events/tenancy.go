package events

import "gorm.io/gorm"

// Tenancy: a caller bound to a customer reads only the events of this customer and its orders, and a caller
// with a token reads only the events of subjects for which the token has the scope. Other files must not
// implement this rule, and must begin their queries with the functions of this file: see TestTenancy and
// TestOnlyStoreUsesDatabase.

// scopes has the scope that reads the events of a subject, as the other services want it for the subject.
var scopes = map[string]string{"order": "orders:read", "customer": "customers:read", "product": "products:read"}

// events begins a query for the sequenced events that the caller may read, with a position above after and up
// to the parameter upTo, in the order of positions. It sets the field Place to the caller's position.
func (s store) events(after, upTo int64) *gorm.DB {
	q, column := s.DB.Model(&event{}), "position"
	if own := s.Caller.Customer; own != 0 {
		q, column = q.Where("customer_id = ?", own), "customer_position"
	}
	return q.Select("*, "+column+" AS place").Where(column+" > ? AND "+column+" <= ?", after, upTo).
		Where("subject IN ?", s.subjects()).Order(column)
}

// subjects returns the kinds of subjects whose events the caller may read.
func (s store) subjects() []string {
	var all []string
	for subject, scope := range scopes {
		if subject == "product" && s.Caller.Customer != 0 {
			continue
		}
		if !s.Caller.Known() || s.Caller.Lacks([]string{scope}) == nil {
			all = append(all, subject)
		}
	}
	return all
}

// positions returns the counter of the caller's positions.
func (s store) positions() (counter, error) {
	var c counter // stays empty before the first event of the customer
	err := s.DB.Where("customer_id = ?", s.Caller.Customer).Limit(1).Find(&c).Error
	return c, err
}
