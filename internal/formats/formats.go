// Package formats holds the values of `format` that a document may use. Each is a pattern, which the
// documents show and requests are held to, and a sentence for a person.
package formats

import (
	"fmt"
	"regexp"
	"strings"
	"time"
	"unicode"
)

// Format is what a string must be.
type Format struct {
	Pattern  string // as ECMA-262 and RE2 both read it; "" for numbers and times in answers, which others check
	Sentence string // "must be …"

	accepted *regexp.Regexp // the same; or more, where a standard wants a recipient to be lenient
}

// Valid reports whether a string is in the format.
func (f Format) Valid(s string) bool { return f.accepted == nil || f.accepted.MatchString(s) }

// Classes of characters, without the brackets.
var (
	control   = `\x00-\x1f\x7f-\x9f\x{2028}\x{2029}` // and what ends a line or a paragraph
	space     = class(unicode.White_Space) + `\x{200B}\x{2060}\x{FEFF}`
	invisible = class(unicode.White_Space, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
)

// What patterns are made of. A line end in the middle of a pattern is not possible: control characters are in
// no class.
const (
	atom      = "[!#-'*+\\-\\/-9=?A-Z^-~]+" // RFC 5322, section 3.2.3
	label     = `[A-Za-z0-9](?:[A-Za-z0-9\-]*[A-Za-z0-9])?`
	years     = `(?:19[7-9]\d|[2-9]\d{3})`
	leapYears = `(?:19(?:72|76|8[048]|9[26])|[2-9]\d(?:0[48]|[2468][048]|[13579][26])|(?:2[048]|[3579][26]|[468][048])00)`
	date      = `(?:` + years + `-(?:(?:0[13578]|1[02])-(?:0[1-9]|[12]\d|3[01])|(?:0[469]|11)-(?:0[1-9]|[12]\d|30)|02-(?:0[1-9]|1\d|2[0-8]))|` + leapYears + `-02-29)`
	// RFC 3339; time.Parse would take a comma before the fraction and offsets of a whole day.
	timeOfDay = `T(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,9})?(?:Z|[+\-](?:[01]\d|2[0-3]):[0-5]\d)`
)

// All are the formats, by their names.
var All = map[string]Format{
	"not-blank": format(` *[^`+invisible+`][^`+control+`]*`, "must begin with a visible character, and have no control characters"),
	"trimmed": format(`[^`+invisible+`](?:[^`+control+`]*[^`+control+space+`])?`,
		"must begin with a visible character, must not end with a space, and must have no control characters"),
	"text": format(`[^`+control+`]*`, "must have no control characters"),
	"email": Format{Sentence: "must be an email address, such as name@example.com"}. // which every generator and validator knows
												accepting(`\s*` + atom + `(?:\.` + atom + `)*@` + label + `(?:\.` + label + `)+\s*`), // services trim it
	// A client resolves . and .. when the key stands in a path: RFC 3986, section 5.2.4.
	"idempotency-key": format(`\.{0,2}[!-\-\/-~][!-~]*|\.{3}[!-~]*`, "must be 1 to 255 visible ASCII characters without spaces, and neither . nor .."),
	// Nothing that could forge a line of the log, or a header.
	"correlation-id": format(`[A-Za-z0-9._:\/+=@\-]{1,128}`, "must be 1 to 128 of the characters A-Z a-z 0-9 . _ : / + = @ -"),
	// An empty parameter counts as not given.
	"date-or-date-time": format(`|`+date+`(?:`+timeOfDay+`)?`,
		"must be a date, such as 2024-01-31, or an RFC 3339 time, such as 2024-01-31T12:00:00Z (write a + as %2B), in the years 1970 to 9999"),
	"date-time": {Sentence: "must be an RFC 3339 time, such as 2024-01-31T12:00:00Z"},
	"int32":     {Sentence: "must be a whole number of 32 bits"},
	"int64":     {Sentence: "must be a whole number of 64 bits"},
}

func format(pattern, sentence string) Format {
	pattern = `^(?:` + pattern + `)$`
	return Format{Pattern: ecma(pattern), Sentence: sentence, accepted: regexp.MustCompile(pattern)}
}

func (f Format) accepting(pattern string) Format {
	f.accepted = regexp.MustCompile(`^(?:` + pattern + `)$`)
	return f
}

// ecma writes characters that RE2 takes by number as ECMA-262 reads them.
func ecma(pattern string) string { return codePoint.ReplaceAllString(pattern, `\u$1`) }

var codePoint = regexp.MustCompile(`\\x\{([0-9A-F]{4})\}`)

// class lists the characters of tables up to U+FFFF: what tools make of a pattern does not always go further.
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

// What a filter may ask for, which every database knows: a DATETIME of MySQL in years of four digits, by
// which SQLite compares.
var (
	firstMoment = time.Unix(0, 0).UTC()
	lastMoment  = time.Date(9999, 12, 31, 23, 59, 59, 999e6, time.UTC)
)

// ParseDateFilter reads a value of the format date-or-date-time: a date such as 2024-01-31, which is the
// whole day in UTC, or an RFC 3339 time. It returns the first and the last millisecond that the value stands
// for, in UTC and in the years 1970 to 9999, even where the offset leads out of them. The error is for
// another value.
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

// FirstMoment reads a filter that may be nil, as ParseDateFilter does, and returns the first moment.
func FirstMoment(s *string) (*time.Time, error) {
	if s == nil {
		return nil, nil
	}
	first, _, err := ParseDateFilter(*s)
	return &first, err
}
