package web

import (
	"errors"
	"fmt"
	"net/mail"
	"regexp"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/getkin/kin-openapi/openapi3"
)

// formats are the values of `format` that a document may use: what a value must be, and how that is said to a person. Those of
// numbers are checked by kin-openapi.
var formats = map[string]struct {
	valid    func(string) bool
	sentence string
}{
	"not-blank":       {notBlank, "must have a visible character, and no control characters"},
	"trimmed":         {trimmed, "must not begin or end with a space, and must have no control characters"},
	"text":            {oneLine, "must have no control characters"},
	"email":           {validEmail, "must be an email address, such as name@example.com"},
	"idempotency-key": {validKey, "must be 1 to 255 visible ASCII characters without spaces, and neither . nor .."},
	"correlation-id":  {saneCorrelationID.MatchString, "must be 1 to 128 of the characters A-Z a-z 0-9 . _ : / + = @ -"},
	"entity-tags":     {validTags, `must be * or a list of entity tags in double quotes, such as "5f2b8e0c9a7d4e61"`},
	"date-or-date-time": {func(s string) bool { _, _, err := ParseDateFilter(s); return err == nil },
		"must be a date, such as 2024-01-31, or an RFC 3339 time, such as 2024-01-31T12:00:00Z (write a + as %2B), in the years 1970 to 9999 in UTC"},
	"date-time": {rfc3339.MatchString, "must be an RFC 3339 time, such as 2024-01-31T12:00:00Z"},
	"int32":     {nil, "must be a whole number of 32 bits"},
	"int64":     {nil, "must be a whole number of 64 bits"},
}

// formatValidators holds strings to the formats.
func formatValidators() openapi3.SchemaValidationOption {
	validators := map[string]openapi3.StringFormatValidator{}
	for name, f := range formats {
		validators[name] = openapi3.NewCallbackValidator(func(s string) error {
			if f.valid != nil && !f.valid(s) {
				return errors.New(f.sentence)
			}
			return nil
		})
	}
	return openapi3.WithStringFormatValidators(validators)
}

// oneLine reports whether s has neither control characters nor what ends a line or a paragraph.
func oneLine(s string) bool {
	return strings.IndexFunc(s, func(r rune) bool { return unicode.In(r, unicode.Cc, unicode.Zl, unicode.Zp) }) < 0
}

func notBlank(s string) bool { return oneLine(s) && strings.IndexFunc(s, visible) >= 0 }

func trimmed(s string) bool { return notBlank(s) && strings.TrimFunc(s, space) == s }

// space reports whether r is White_Space or one of the spaces without a width. Other characters without a glyph may end a word: an
// emoji's variation selector does.
func space(r rune) bool { return unicode.IsSpace(r) || strings.ContainsRune("\u200b\u2060\ufeff", r) }

// visible reports whether r shows by itself: it is neither White_Space nor, as Default_Ignorable_Code_Point says, without a glyph.
// Unicode Standard Annex 44, property lists.
func visible(r rune) bool {
	return !unicode.In(r, unicode.White_Space, unicode.Cc, unicode.Cf, unicode.Other_Default_Ignorable_Code_Point, unicode.Variation_Selector)
}

// validKey refuses . and .. because a client resolves them when the key stands in a path: RFC 3986, section 5.2.4.
func validKey(s string) bool { return visibleASCII.MatchString(s) && s != "." && s != ".." }

var visibleASCII = regexp.MustCompile(`^[!-~]{1,255}$`)

// validEmail accepts one bare ASCII address with a domain; spaces around it do not count.
func validEmail(s string) bool {
	s = strings.TrimSpace(s)
	address, err := mail.ParseAddress(s)
	return err == nil && address.Address == s && strings.IndexFunc(s, func(r rune) bool { return r <= ' ' || r > '~' }) < 0
}

// A list of entity tags: RFC 9110, sections 8.8.3 and 5.6.1.2. An opaque tag may hold commas.
const entityTag = `(?:W/)?"[!#-~\x80-\x{10ffff}]*"`

var (
	oneTag = regexp.MustCompile(entityTag)
	tags   = regexp.MustCompile(`^[ \t,]*` + entityTag + `(?:[ \t]*,(?:[ \t]*` + entityTag + `)?)*[ \t]*$`)
)

func validTags(s string) bool { return strings.TrimSpace(s) == "*" || tags.MatchString(s) }

// names reports whether the list of entity tags has this one, or is *. A weak tag (W/) never names a strong one.
func names(list, tag string) bool {
	return strings.TrimSpace(list) == "*" || slices.Contains(oneTag.FindAllString(list, -1), tag)
}

// rfc3339 is stricter than time.Parse, which takes a comma before the fraction and offsets of a whole day.
var rfc3339 = regexp.MustCompile(`^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{1,9})?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$`)

// lastMoment ends what a filter may name, from 1970 on: what a DATETIME of MySQL can be, in years of four digits, by which SQLite
// compares.
var lastMoment = time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC)

// ParseDateFilter reads a value of the format date-or-date-time: a date such as 2024-01-31, which is the whole day in UTC, or an
// RFC 3339 time. It returns the first and the last millisecond that the value stands for, in UTC; an error when it is neither or
// outside of the years 1970 to 9999.
func ParseDateFilter(s string) (first, last time.Time, err error) {
	if first, err = time.Parse(time.DateOnly, s); err == nil {
		last = first.AddDate(0, 0, 1).Add(-time.Millisecond)
	} else if rfc3339.MatchString(s) {
		first, err = time.Parse(time.RFC3339, s)
		first = first.UTC()
		last = first
	}
	if err == nil && (first.Unix() < 0 || first.After(lastMoment)) {
		err = fmt.Errorf("%s is not in the years 1970 to 9999 in UTC", s)
	}
	return first, last, err
}
