package formats

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"
)

func TestFormats(t *testing.T) {
	tests := map[string]struct{ good, bad []string }{
		"not-blank": {
			good: []string{"x", " x ", "é", "名前", "a\u00a0b", "👩\u200d👩", "❤\ufe0f", "\ufffd", "\\"},
			bad: []string{
				"", " ", "\u00a0", "\u200bx", "\u00a0x", "\u1680", "\u2003", "\u3000", "\u200b",
				"\u200c\u200d", "\u2060", "\ufeff", "\u00ad", "\u3164", "\u115f", "\ufe0f", "\u202e", "\t",
				"\u000b", "\u0085", "a\x00", "a\x1fb", "a\x7f", "a\u009f", "a\nb", "a\rb", "a\u2028b",
				"a\u2029",
			},
		},
		"trimmed": {
			good: []string{"x", "a b", "LAPTOP-DELL-2024", "❤\ufe0f"},
			bad: []string{
				"", " ", " x", "x ", "\u00a0x", "x\u3000", "\u200bx", "x\ufeff", "\tx", "x\n", "a\x00b",
				"a\u2028b",
			},
		},
		"text": {good: []string{"", " ", "+1-555-0100", "é"}, bad: []string{"\x00", "a\nb", "\u0085", "\u2028"}},
		"email": {
			good: []string{"a@b.c", "a.b@c-d.example", "a+b@c.example", "o'neil@x1.example", " a@b.example "},
			bad: []string{
				"", "a", "@b.c", ".a@b.c", "a@-b.c", "a@b.", "a@", "a@b", "a@localhost", "a@.c", "a@b..c",
				"A <a@b.c>", "a b@c.d", "é@b.c", "a@é.c", "a@b.c, c@d.e", "a\x00@b.c",
			},
		},
		"idempotency-key": {
			good: []string{"a", "!", "~", "...", ".a", "a/b", strings.Repeat("x", 255)},
			bad:  []string{"", ".", "..", "a b", "é", "a\n", "\x7f"},
		},
		"correlation-id": {
			good: []string{"req-1", "a/b+c=d@e.f:g_h"},
			bad:  []string{"", "a b", "é", `"`, strings.Repeat("x", 129)},
		},
		"date-or-date-time": {
			good: []string{
				"1970-01-01", "9999-12-31", "2024-02-29", "2024-01-31T12:00:00Z",
				"2024-01-31T12:00:00.123456789+23:59", "1970-01-01T00:00:00Z", "1970-01-01T00:00:00+01:00",
				"9999-12-31T23:00:00-01:00", "9999-12-31T23:59:59Z", "2000-02-29", "2400-02-29", "",
			},
			bad: []string{
				"2024", "2100-02-29", "2023-04-31", "1969-12-31T23:00:00-01:00", "0000-01-01", "1969-12-31",
				"10000-01-01", "2023-02-29", "2024-01-31T12:00:00", "2024-01-31 12:00:00Z",
				"2024-01-31T12:00:00+24:00", "2024-01-31T12:00:00-24:00", "2024-01-31T12:00:00+00:60",
				"2024-01-31T12:00:00,5Z", "2024-01-31T12:00:00.Z", "2024-01-31T24:00:00Z",
				"2024-01-31T12:00:60Z", "2024-01-31T12:00:00 02:00", "0000-01-01T00:00:00Z",
			},
		},
		"ids": {
			good: []string{
				"1", "3,17,42", "1,1", "9007199254740991", "99999999999999999999", strings.Repeat("1,", 99) + "1",
			},
			bad: []string{
				"", "0", "01", "-1", "+1", "1,", ",1", "1,,2", "1, 2", "1;2", "1.5", "1e1", "a", "１", "1\n",
				strings.Repeat("1,", 100) + "1",
			},
		},
		"seconds": {good: []string{"", "0", "9", "30", "30s", "60s"}, bad: []string{"61", "030", "1m", "s", "-1", "1.5"}},
		"day": {
			good: []string{"1970-01-01", "9999-12-31", "2024-02-29"},
			bad:  []string{"", "2023-02-29", "1969-12-31", "2024-1-1", "2024-01-01T00:00:00Z", "10000-01-01"},
		},
		"time-zone": {
			good: []string{"UTC", "Europe/Madrid", "America/Argentina/Buenos_Aires", "Etc/GMT+5",
				"America/Port-au-Prince"},
			bad: []string{
				"", "/etc/passwd", "../UTC", "Europe/../UTC", "Europe/", "Europe//Madrid", "a/b/c/d", "+02:00", "Europe\\Madrid",
			},
		},
		"webhook-url": {
			good: []string{"https://erp.example.com", "http://localhost:8080/hook?a=b", "https://[2606:4700::1111]/"},
			bad:  []string{"", "erp.example.com", "ftp://erp.example.com", "https://", "https://a b", "https://ä.example"},
		},
		"date-time": {},
		"int32":     {}, // kin-openapi checks int32 and int64
		"int64":     {},
	}
	for format, f := range All {
		c, tested := tests[format]
		if !tested || f.Sentence == "" {
			t.Errorf("%s has no test, or no sentence", format)
		}
		for _, s := range c.good {
			if !f.Valid(s) {
				t.Errorf("%s refuses %q", format, s)
			}
		}
		for _, s := range c.bad {
			if f.Valid(s) {
				t.Errorf("%s accepts %q", format, s)
			}
		}
	}
}

func TestParseIDs(t *testing.T) {
	for s, want := range map[string][]int64{
		"3,17,3": {3, 17, 3}, "9223372036854775807": {1<<63 - 1}, "9223372036854775808,2": {2},
		"99999999999999999999": {},
	} {
		if got := IDs(&s); !slices.Equal(got, want) || got == nil {
			t.Errorf("%s: %v, want %v", s, got, want)
		}
	}
	if got := IDs(nil); got != nil {
		t.Errorf("without a filter: %v", got)
	}
}

func TestParseDateFilter(t *testing.T) {
	const layout = "2006-01-02T15:04:05.999999999Z"
	for s, want := range map[string][2]string{
		"2024-02-29":                    {"2024-02-29T00:00:00Z", "2024-02-29T23:59:59.999Z"},
		"9999-12-31":                    {"9999-12-31T00:00:00Z", "9999-12-31T23:59:59.999Z"},
		"2024-01-31T12:00:00.5+02:00":   {"2024-01-31T10:00:00.5Z", "2024-01-31T10:00:00.5Z"},
		"9999-12-31T23:59:59-00:00":     {"9999-12-31T23:59:59Z", "9999-12-31T23:59:59Z"},
		"1970-01-01T00:00:00.000-23:59": {"1970-01-01T23:59:00Z", "1970-01-01T23:59:00Z"},
		"1970-01-01T00:00:00+01:00":     {"1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"},
		"9999-12-31T23:00:00-01:00":     {"9999-12-31T23:59:59.999Z", "9999-12-31T23:59:59.999Z"},
	} {
		first, last, err := ParseDateFilter(s)
		if err != nil || first.Format(layout) != want[0] || last.Format(layout) != want[1] ||
			first.Location() != time.UTC {
			t.Errorf("%s: %v to %v, %v", s, first, last, err)
		}
	}
	day := regexp.MustCompile(`^(?:` + date + `)$`) // date must match only dates that exist
	for year := 1968; year < 2405; year++ {
		for month := range 13 {
			for d := range 33 {
				text := fmt.Sprintf("%04d-%02d-%02d", year, month, d)
				_, err := time.Parse(time.DateOnly, text)
				if day.MatchString(text) != (err == nil && year >= 1970) {
					t.Errorf("%s: %v", text, err)
				}
			}
		}
	}
}

// TestPatternsForEveryLanguage checks that the patterns of the documents have only syntax that PCRE without
// /u, Ruby, Go, Java, Python, JavaScript, C# and Rust read alike. This syntax is ASCII, escapes only ASCII
// characters, and names no class by a letter, such as \d. A pattern must accept all values of its format, and
// must refuse each text in ASCII that the format refuses.
func TestPatternsForEveryLanguage(t *testing.T) {
	portable := regexp.MustCompile(`^(?:[ !"$-\[\]-~]|#[^{]|\\x[0-7][0-9a-f]|\\[.\-/])*$`)
	for _, alike := range []struct {
		pattern string
		want    bool
	}{
		{`^(?:[^\x00-\x1f\x7f]*)$`, true},
		{`\u0020`, false}, {`\x80`, false}, {`\x{20}`, false}, {`\d`, false}, {`\S`, false}, {`é`, false},
		{`\p{L}`, false}, {`#{x}`, false},
	} {
		if portable.MatchString(alike.pattern) != alike.want {
			t.Errorf("this test takes %s for one that all read alike: %t", alike.pattern, !alike.want)
		}
	}
	for name, f := range All {
		if f.Pattern == "" {
			continue
		}
		if !portable.MatchString(f.Pattern) {
			t.Errorf("languages read the pattern of %s differently: %s", name, f.Pattern)
		}
		for r := rune(0); r <= 0x7f; r++ {
			for _, s := range []string{string(r), "a" + string(r), string(r) + "a", "a" + string(r) + "a"} {
				if patterns[name].MatchString(s) != f.Valid(s) {
					t.Errorf("%s, %q: the pattern says %t", name, s, !f.Valid(s))
				}
			}
		}
		for _, s := range []string{"é", "名前", "👩", "a\u00a0b", "1 日本 2"} {
			if f.Valid(s) && !(patterns[name].MatchString(s) && patterns[name].MatchString(bytewise(s))) {
				t.Errorf("the pattern of %s refuses %q", name, s)
			}
		}
	}
}
