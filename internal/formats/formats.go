// Package formats holds the string formats of the documents. A format has a pattern, for the documents and
// for the validation of requests, and a sentence for a person.
package formats

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Format is a rule for a string.
type Format struct {
	Pattern  string // a regular expression for ECMA-262 and RE2; "" for numbers, and for times in answers
	Sentence string // "must be …"

	accepted *regexp.Regexp // Pattern; or a wider pattern, where a standard asks recipients to be lenient
}

// Valid reports whether s has the format. A format without a pattern accepts every string.
func (f Format) Valid(s string) bool { return f.accepted == nil || f.accepted.MatchString(s) }

// Character classes, without brackets.
var (
	control   = `\x00-\x1f\x7f-\x9f\x{2028}\x{2029}` // also the line and the paragraph separator
	space     = class(unicode.White_Space) + `\x{200B}\x{2060}\x{FEFF}`
	invisible = class(unicode.White_Space, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point,
		unicode.Variation_Selector)
)

// Parts of patterns. No part matches a line end.
const (
	atom      = "[!#-'*+\\-\\/-9=?A-Z^-~]+" // RFC 5322, section 3.2.3
	label     = `[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?`
	years     = `(?:19[7-9]\d|[2-9]\d{3})`
	leapYears = `(?:19(?:72|76|8[048]|9[26])|[2-9]\d(?:0[48]|[2468][048]|[13579][26])` +
		`|(?:2[048]|[3579][26]|[468][048])00)`
	date = `(?:` + years + `-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)` +
		`-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))|` + leapYears + `-02-29)`
	// RFC 3339; time.Parse also accepts a comma before the fraction, and offsets of a whole day.
	timeOfDay = `T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+\-](?:[01]\d|2[0-3]):[0-5]\d)`
)

// All holds the formats by name.
var All = map[string]Format{
	"not-blank": format(` *[^`+invisible+`][^`+control+`]*`,
		"must begin with a visible character, and have no control characters"),
	"trimmed": format(`[^`+invisible+`](?:[^`+control+`]*[^`+control+space+`])?`,
		"must begin with a visible character, must not end with a space, "+
			"and must have no control characters"),
	"text": format(`[^`+control+`]*`, "must have no control characters"),
	// Generators and validators know the format "email", so the documents show no pattern. Services trim
	// spaces.
	"email": {Sentence: "must be an email address, such as name@example.com",
		accepted: anchored(`\s*` + atom + `(?:\.` + atom + `)*@` + label + `(?:\.` + label + `)+\s*`)},
	// Clients resolve . and .. in a path (RFC 3986, section 5.2.4), and the key is part of a path.
	"idempotency-key": format(`\.{0,2}[!-\-\/-~][!-~]*|\.{3}[!-~]*`,
		"must be 1 to 255 visible ASCII characters without spaces, and neither . nor .."),
	// No characters to forge a log line or a header with.
	"correlation-id": format(`[A-Za-z0-9._:\/+=@\-]{1,128}`,
		"must be 1 to 128 of the characters A-Z a-z 0-9 . _ : / + = @ -"),
	// An empty parameter counts as omitted.
	"date-or-date-time": format(`|`+date+`(?:`+timeOfDay+`)?`, "must be a date, such as 2024-01-31, "+
		"or an RFC 3339 time, such as 2024-01-31T12:00:00Z (write a + as %2B), in the years 1970 to 9999"),
	"date-time": {Sentence: "must be an RFC 3339 time, such as 2024-01-31T12:00:00Z"},
	"int32":     {Sentence: "must be a whole number of 32 bits"},
	"int64":     {Sentence: "must be a whole number of 64 bits"},
}

func format(pattern, sentence string) Format {
	accepted := anchored(pattern)
	return Format{Pattern: ecma(accepted.String()), Sentence: sentence, accepted: accepted}
}

func anchored(pattern string) *regexp.Regexp { return regexp.MustCompile(`^(?:` + pattern + `)$`) }

// ecma replaces code points in RE2's notation, \x{200B}, by ECMA-262's, \u200B.
func ecma(pattern string) string { return codePoint.ReplaceAllString(pattern, `\u$1`) }

var codePoint = regexp.MustCompile(`\\x\{([0-9A-F]{4})\}`)

// class returns the characters of the tables as ranges, up to U+FFFF: code points beyond do not work in the
// patterns of all tools.
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
	for r := 0; r < len(in); r++ {
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

// IsCorrelationID reports whether s is in the format correlation-id.
func IsCorrelationID(s string) bool { return All["correlation-id"].Valid(s) }

// The range of times in filters: MySQL's DATETIME and SQLite's string comparison need years of four digits.
var (
	firstMoment = time.Unix(0, 0).UTC()
	lastMoment  = time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)
)

// ParseDateFilter parses a value of the format date-or-date-time: a date such as 2024-01-31 for the whole day
// in UTC, or an RFC 3339 time. It returns the first and the last millisecond of the value, in UTC and limited
// to the years 1970 to 9999. The error says that s has another format.
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

// FirstMoment parses an optional filter with ParseDateFilter and returns the first moment; nil for nil.
func FirstMoment(s *string) (*time.Time, error) {
	if s == nil {
		return nil, nil
	}
	first, _, err := ParseDateFilter(*s)
	return &first, err
}
