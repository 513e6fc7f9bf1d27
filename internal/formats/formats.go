// Package formats holds the string formats of the OpenAPI documents. A format has a pattern for the
// documents, a regular expression for the validation of requests, and a sentence for error messages.
package formats

import (
	"fmt"
	"regexp"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Format is a rule for a string.
type Format struct {
	Pattern  string // regular expression for the documents; accepts more than Valid: see ascii; "" for none
	Sentence string // rule for people, such as "must be a date"

	accepted *regexp.Regexp // matches the valid strings; nil accepts every string
}

// Valid reports whether s has the format. A format without a regular expression accepts every string.
func (f Format) Valid(s string) bool { return f.accepted == nil || f.accepted.MatchString(s) }

// Contents of character classes, without the brackets. Characters beyond ASCII are written as \x{...}, so
// that the function ascii finds them.
var (
	control   = `\x00-\x1f\x7f` + class(unicode.Cc, unicode.Zl, unicode.Zp)
	edge      = `\x00-\x20\x7f` + class(unicode.White_Space, unicode.Cc) + `\x{200B}\x{2060}\x{FEFF}`
	invisible = `\x00-\x20\x7f` + class(unicode.White_Space, unicode.Cc, unicode.Cf,
		unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
)

// Parts of patterns. No part matches a line end.
const (
	atom      = "[!#-'*+\\-\\/-9=?A-Z^-~]+" // RFC 5322, section 3.2.3
	label     = `[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?`
	years     = `(?:19[7-9][0-9]|[2-9][0-9]{3})`
	leapYears = `(?:19(?:72|76|8[048]|9[26])|[2-9][0-9](?:0[48]|[2468][048]|[13579][26])` +
		`|(?:2[048]|[3579][26]|[468][048])00)`
	date = `(?:` + years + `-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)` +
		`-(?:0[1-9]|[12][0-9]|30)|02-(?:0[1-9]|1[0-9]|2[0-8]))|` + leapYears + `-02-29)`
	// RFC 3339. time.Parse accepts more: a comma before the fraction, and an offset of 24 hours.
	timeOfDay = `T(?:[01][0-9]|2[0-3]):[0-5][0-9]:[0-5][0-9](?:\.[0-9]{1,9})?` +
		`(?:Z|[+\-](?:[01][0-9]|2[0-3]):[0-5][0-9])`
)

// All holds the formats by name.
var All = map[string]Format{
	"not-blank": format(` *[^`+invisible+`][^`+control+`]*`,
		"must begin with a visible character, and have no control characters"),
	"trimmed": format(`[^`+invisible+`](?:[^`+control+`]*[^`+edge+`])?`,
		"must begin with a visible character, must not end with a space, "+
			"and must have no control characters"),
	"text": format(`[^`+control+`]*`, "must have no control characters"),
	// The documents show no pattern, because generators and validators know the format "email". Spaces around
	// the address are allowed; the services trim them.
	"email": {Sentence: "must be an email address, such as name@example.com",
		accepted: anchored(`\s*` + atom + `(?:\.` + atom + `)*@` + label + `(?:\.` + label + `)+\s*`)},
	// The keys . and .. are refused, because clients resolve them in a path (RFC 3986, section 5.2.4).
	"idempotency-key": format(`\.{0,2}[!-\-\/-~][!-~]*|\.{3}[!-~]*`,
		"must be 1 to 255 visible ASCII characters without spaces, and neither . nor .."),
	// The allowed characters cannot end a line, and so cannot forge a line of a log or a header.
	"correlation-id": format(`[A-Za-z0-9._:\/+=@\-]{1,128}`,
		"must be 1 to 128 of the characters A-Z a-z 0-9 . _ : / + = @ -"),
	// The empty string is allowed, because an empty parameter counts as omitted.
	"date-or-date-time": format(`|`+date+`(?:`+timeOfDay+`)?`, "must be a date, such as 2024-01-31, "+
		"or an RFC 3339 time, such as 2024-01-31T12:00:00Z (write a + as %2B), in the years 1970 to 9999"),
	"day": format(date, "must be a date, such as 2024-01-31, in the years 1970 to 9999"),
	"time-zone": format(`[A-Za-z][A-Za-z0-9_+\-]*(?:\/[A-Za-z0-9_+\-]+){0,2}`,
		"must be a time zone of the IANA database, such as Europe/Madrid, or UTC"),
	// regexp refuses a repetition of digits with a limit within the repetition of ids. So an id may have any
	// number of digits, and the function IDs drops large ids.
	"ids": format(`[1-9][0-9]*(?:,[1-9][0-9]*){0,99}`, "must be 1 to 100 ids with commas between them, such as 1,2"),
	// The empty string is allowed, because an empty parameter counts as omitted.
	"seconds": format(`|(?:[1-5]?[0-9]|60)s?`, "must be a number of seconds up to 60, such as 30 or 30s"),
	// The service also checks the host: see events/deliver.
	"webhook-url": format(`https?:\/\/[!-~]+`, "must be an address such as https://erp.example.com/webhooks"),
	"date-time":   {Sentence: "must be an RFC 3339 time, such as 2024-01-31T12:00:00Z"},
	"int32":       {Sentence: "must be a whole number of 32 bits"},
	"int64":       {Sentence: "must be a whole number of 64 bits"},
}

func format(pattern, sentence string) Format {
	accepted := anchored(pattern)
	return Format{Pattern: ascii(accepted.String()), Sentence: sentence, accepted: accepted}
}

func anchored(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// ascii removes the characters beyond ASCII from the negated classes of a pattern, so that all languages read
// the pattern alike. PHP reads it byte by byte (PCRE without /u), and the patterns of Ruby have neither \u
// nor bytes above \x7F. The result matches more texts than the pattern.
func ascii(pattern string) string { return beyond.ReplaceAllString(pattern, "") }

var beyond = regexp.MustCompile(`\\x\{[0-9A-F]{4}\}(?:-\\x\{[0-9A-F]{4}\})?`)

// class returns the characters of the tables, from U+0080 to U+FFFF, as the content of a character class.
func class(tables ...*unicode.RangeTable) string {
	var in [1 << 16]bool
	for _, table := range tables {
		for _, r := range table.R16 {
			for c := int(r.Lo); c <= int(r.Hi); c += int(r.Stride) {
				in[c] = true
			}
		}
	}
	var b strings.Builder
	for r := 0x80; r < len(in); r++ {
		first := r
		for r < len(in) && in[r] {
			r++
		}
		if r > first {
			fmt.Fprintf(&b, `\x{%04X}-\x{%04X}`, first, r-1)
		}
	}
	return b.String()
}

// IsCorrelationID reports whether s has the format correlation-id.
func IsCorrelationID(s string) bool { return All["correlation-id"].Valid(s) }

// The range of times in filters: the years 1970 to 9999, as in the format date-or-date-time. Years need four
// digits, because of the range of MySQL's DATETIME, and because SQLite compares times as strings.
var (
	firstMoment = time.Unix(0, 0).UTC()
	lastMoment  = time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)
)

// ParseDateFilter parses a value of the format date-or-date-time, and returns the first and the last moment
// of the value, in UTC. A date such as 2024-01-31 begins with the first and ends with the last millisecond of
// the day in UTC. An RFC 3339 time is a single moment, limited to the years 1970 to 9999. ParseDateFilter
// fails when s has another format.
func ParseDateFilter(s string) (first, last time.Time, err error) {
	if first, err = time.Parse(time.DateOnly, s); err == nil {
		return first, first.AddDate(0, 0, 1).Add(-time.Millisecond), nil
	}
	first, err = time.Parse(time.RFC3339, s)
	if first = first.UTC(); first.Before(firstMoment) {
		first = firstMoment
	} else if first.After(lastMoment) {
		first = lastMoment
	}
	return first, first, err
}

// IDs returns the ids in a value of the format ids, and nil for nil. It leaves out an id above 2^63 - 1,
// because no row has such an id. So the result may be empty.
func IDs(s *string) []int64 {
	if s == nil {
		return nil
	}
	ids := []int64{}
	for text := range strings.SplitSeq(*s, ",") {
		if id, err := strconv.ParseInt(text, 10, 64); err == nil {
			ids = append(ids, id)
		}
	}
	return ids
}

// FirstMoment returns the first moment of an optional filter, and nil for nil: see ParseDateFilter.
func FirstMoment(s *string) (*time.Time, error) {
	if s == nil {
		return nil, nil
	}
	first, _, err := ParseDateFilter(*s)
	return &first, err
}

// LastMoment returns the last moment of an optional filter, and nil for nil: see ParseDateFilter.
func LastMoment(s *string) (*time.Time, error) {
	if s == nil {
		return nil, nil
	}
	_, last, err := ParseDateFilter(*s)
	return &last, err
}
