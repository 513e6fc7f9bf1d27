package formats

import (
	"net/mail"
	"regexp"
	"strings"
	"testing"
	"time"
	"unicode/utf8"
)

// FuzzDateFilter parses every value of the format date-or-date-time, and checks the first and the last
// moment.
func FuzzDateFilter(f *testing.F) {
	for _, s := range []string{
		"2024-01-31", "2024-02-29", "2023-02-29", "2024-01-31T12:00:00Z",
		"2024-01-31T12:00:00.123456789+02:00", "1970-01-01T00:00:00+23:59", "9999-12-31",
		"9999-12-31T23:59:59.999999999-23:59", "2024-01-31T12:00:00,5Z", "2024-01-31T24:00:00Z", "0000-01-01",
		"2024-1-1", "٢٠٢٤-٠١-٣١", "2024-01-31\n", "",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		first, last, err := ParseDateFilter(s)
		if !All["date-or-date-time"].Valid(s) || s == "" {
			return
		}
		switch {
		case err != nil:
			t.Errorf("%q is in the format and cannot be read: %v", s, err)
		case first.Before(firstMoment), last.After(lastMoment), last.Before(first), first.Location() != time.UTC:
			t.Errorf("%q stands for %s to %s", s, first, last)
		case len(s) != len(time.DateOnly):
		case first.Format(time.DateOnly) != s, last.Format(time.DateOnly) != s,
			last.Sub(first) != 24*time.Hour-time.Millisecond:
			t.Errorf("the day %q is %s to %s", s, first, last)
		}
	})
}

// patterns has the compiled Pattern of each format.
var patterns = func() map[string]*regexp.Regexp {
	all := map[string]*regexp.Regexp{}
	for name, f := range All {
		if f.Pattern != "" {
			all[name] = regexp.MustCompile(f.Pattern)
		}
	}
	return all
}()

// bytewise returns a string with a character for each byte of s, as PCRE without /u reads s.
func bytewise(s string) string {
	var b strings.Builder
	for i := range len(s) {
		b.WriteRune(rune(s[i]))
	}
	return b.String()
}

// FuzzFormats checks the values that the formats accept. An email address must be valid. Any other value must
// not break a line of a log or a header, and must match the pattern in the documents.
func FuzzFormats(f *testing.F) {
	for _, s := range []string{
		"Tech Solutions Inc", " a", "a ", "name@example.com", " name@example.com\n", "a..b@example.com",
		"order-2024-001", "..", "...", "./x", "req:1/2+3=@", "a\r\nX-Admin: 1", "\u202e", "\u2028", "\xff",
		"\U000e0100", "日本", "\x00",
	} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		for name, format := range All {
			if format.accepted == nil || !format.Valid(s) || !utf8.ValidString(s) { // all requests are UTF-8
				continue
			}
			if name == "email" {
				s := strings.TrimSpace(s)
				if a, err := mail.ParseAddress(s); err != nil || a.Address != s {
					t.Errorf("%q is no email address: %v", s, err)
				}
				continue
			}
			if strings.ContainsAny(s, "\r\n\x00\x7f\u0085\u2028\u2029") {
				t.Errorf("%q is a %s", s, name)
			}
			if !patterns[name].MatchString(s) || !patterns[name].MatchString(bytewise(s)) {
				t.Errorf("%q is a %s, and does not match the pattern of the documents", s, name)
			}
		}
	})
}
