package orders

import (
	"regexp"
	"time"
	_ "time/tzdata" // so that the time zones do not depend on the machine

	"example.com/b2b/v2/db"
	"example.com/b2b/v2/internal/apperr"
)

// maxDays is the highest number of days in a summary.
const maxDays = 92

// calendar has the days of a summary, in a time zone.
type calendar struct {
	zone *time.Location
	days []daySummary
}

// daySummary has the totals of the orders that were created, confirmed and canceled on a day.
type daySummary struct {
	date                         time.Time // the day, as midnight in UTC
	created, confirmed, canceled orderTotals
}

// orderTotals has the sums of some orders. The sums are floating-point numbers, because the amounts of a
// malicious caller may add up to more than 2^63. Sums up to 2^53 are exact.
type orderTotals struct {
	Orders            int64
	Units, TotalCents float64
}

// newCalendar returns the days from one date to another, both included, without orders. The texts from and to
// have the format day, and zone has the format time-zone. Error: 400 validation_failed for an unknown time
// zone, and for more than maxDays.
func newCalendar(from, to, zone string) (*calendar, error) {
	location, err := time.LoadLocation(zone)
	if err != nil || ofMachine.MatchString(zone) {
		return nil, apperr.ValidationFailed.New().With("/query/tz", apperr.Params{"rule": "time_zone"},
			"is not a time zone of the IANA database")
	}
	first, err := time.Parse(time.DateOnly, from)
	if err != nil {
		return nil, err
	}
	last, err := time.Parse(time.DateOnly, to)
	if err != nil {
		return nil, err
	}
	if last.After(first.AddDate(0, 0, maxDays-1)) {
		return nil, apperr.ValidationFailed.New().With("/query/to", apperr.Params{"rule": "max_days", "limit": maxDays},
			"is more than %d days from the first day on", maxDays)
	}
	c := &calendar{zone: location}
	for date := first; !date.After(last); date = date.AddDate(0, 0, 1) {
		c.days = append(c.days, daySummary{date: date})
	}
	return c, nil
}

// ofMachine matches names that are no time zones of the IANA database, but that time.LoadLocation finds in
// the folders of some machines.
var ofMachine = regexp.MustCompile(`^(Local|localtime|posixrules|(posix|right)/.*)$`)

// period returns a period in UTC that contains all days. The period is up to 3 hours longer at each end,
// because a clock that is set back at midnight shows midnight twice.
func (c *calendar) period() db.Period {
	const longer = 3 * time.Hour
	midnight := func(date time.Time) time.Time {
		return time.Date(date.Year(), date.Month(), date.Day(), 0, 0, 0, 0, c.zone).UTC()
	}
	first := midnight(c.days[0].date).Add(-longer)
	last := midnight(c.days[len(c.days)-1].date.AddDate(0, 0, 1)).Add(longer)
	if last.Year() > 9999 { // MySQL has no time after the year 9999
		last = time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)
	}
	return db.Period{From: &first, To: &last}
}

// day returns the day of a moment, or nil when the day is not in the calendar.
func (c *calendar) day(moment time.Time) *daySummary {
	year, month, day := moment.In(c.zone).Date()
	date := time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
	i := int(date.Sub(c.days[0].date) / (24 * time.Hour))
	if date.Before(c.days[0].date) || i >= len(c.days) {
		return nil
	}
	return &c.days[i]
}

// quarter has the totals of the orders of a quarter of an hour. The field Quarter is the number of quarters
// of an hour since 1970.
type quarter struct {
	Quarter, Orders   int64
	Units, TotalCents float64
}

// add adds the quarters to the days of the calendar. The function of selects the totals of a day to which a
// quarter is added: those of the created, the confirmed or the canceled orders.
func (c *calendar) add(quarters []quarter, of func(*daySummary) *orderTotals) {
	for _, q := range quarters {
		if d := c.day(time.Unix(q.Quarter*900, 0)); d != nil {
			totals := of(d)
			totals.Orders += q.Orders
			totals.Units += q.Units
			totals.TotalCents += q.TotalCents
		}
	}
}

// summarize sets the totals of the orders in the days of the calendar. It first clears the totals, because an
// earlier try on the replica may have failed half-way. Each query finds the orders of the period by an index.
func (s store) summarize(c *calendar) error {
	if len(c.days) == 0 {
		return nil
	}
	for i := range c.days {
		c.days[i] = daySummary{date: c.days[i].date}
	}
	period := c.period()
	spans, err := s.idRanges(period)
	if err != nil {
		return err
	}
	for _, ids := range spans {
		q := period.Within(s.orders(), "created_at %s ?").Where("id BETWEEN ? AND ?", ids.First, ids.Last)
		created, err := quarters(q, "created_at")
		if err != nil {
			return err
		}
		c.add(created, func(d *daySummary) *orderTotals { return &d.created })
	}
	q := s.orders()
	confirmed, err := quarters(period.Within(q, db.Rarely(q, "confirmed_at %s ?")), "confirmed_at")
	if err != nil {
		return err
	}
	c.add(confirmed, func(d *daySummary) *orderTotals { return &d.confirmed })
	// A CANCELED order does not change again, so its updated_at, which has an index, is its canceled_at.
	q = s.orders()
	q = period.Within(period.Within(q, db.Rarely(q, "updated_at %s ?")), "canceled_at %s ?")
	canceled, err := quarters(q, "canceled_at")
	c.add(canceled, func(d *daySummary) *orderTotals { return &d.canceled })
	return err
}
