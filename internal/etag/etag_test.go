package etag_test

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/etag"
)

// TestCompressingProxy sends tags in the forms in which compressing proxies return them. A tag of the same
// content must match.
func TestCompressingProxy(t *testing.T) {
	current, _ := json.Marshal("it")
	sum := sha256.Sum256(current)
	content := fmt.Sprintf("%x", sum[:16])
	for list, same := range map[string]bool{
		`W/"` + content + `"`:                         true, // nginx
		`"` + content + `-gzip"`:                      true, // Apache
		`"` + content + `-br"`:                        true,
		`W/"` + content + `-zstd"`:                    true, // Caddy
		`"other", W/"` + content + `-gzip" , "third"`: true,
		content:                        true, // some clients leave the quotes out
		`W/` + content:                 true,
		content + `-gzip`:              true,
		`W/` + content + `-br`:         true,
		`"` + content + `-gzip`:        false,
		`"` + content + `-other"`:      false,
		`"-gzip"`:                      false,
		`W/"other"`:                    false,
		`"` + content + `-gzip-other"`: false,
		`w/"` + content[:31] + `"`:     false,
	} {
		if err := etag.Precondition(&list, "it"); (err == nil) != same {
			t.Errorf("If-Match: %s: %v", list, err)
		}
		if etag.NotModified(list, `"`+content+`"`) != same {
			t.Errorf("If-None-Match: %s", list)
		}
	}
}

// FuzzEntityTags compares Precondition with the function entityTags, a second parser of RFC 9110, section
// 8.8.3.
func FuzzEntityTags(f *testing.F) {
	current, _ := json.Marshal("it")
	sum := sha256.Sum256(current)
	tag := fmt.Sprintf(`"%x"`, sum[:16])
	for _, list := range []string{
		tag, "*", "W/" + tag, `"a", ` + tag, `"a,` + tag[1:], tag + "," + tag, strings.Trim(tag, `"`),
		`"` + tag + `"`, "*, " + tag, `""`, `"`, "", ",,", `W/"`, strings.ToUpper(tag), "\u00e9", "\xff",
		`"` + strings.Trim(tag, `"`) + `-gzip"`, `W/"` + strings.Trim(tag, `"`) + `-br"`,
	} {
		f.Add(list)
	}
	f.Fuzz(func(t *testing.T, list string) {
		kept := etag.Precondition(&list, "it") == nil
		tags, isList := entityTags(list)
		switch named := list == "*" || slices.Contains(tags, tag); {
		case isList && kept != named:
			t.Errorf("%q names %s: %v", list, tag, kept)
		case kept && !strings.Contains(list, strings.Trim(tag, `"`)) && strings.TrimSpace(list) != "*":
			t.Errorf("%q cannot name %s", list, tag)
		}
	})
}

// entityTags returns the entity tags of a list, without the suffixes that compressing proxies append. The
// result isList is false when the text is not a list of entity tags.
func entityTags(list string) (tags []string, isList bool) {
	for {
		list = strings.TrimLeft(list, " \t")
		weak := strings.HasPrefix(list, `W/"`)
		if !weak && !strings.HasPrefix(list, `"`) {
			return nil, false
		}
		from := strings.Index(list, `"`)
		end := strings.IndexFunc(list[from+1:], func(r rune) bool {
			return r == '"' || r <= ' ' || r == 0x7f || r == 0xfffd
		})
		if end < 0 || list[from+1+end] != '"' {
			return nil, false
		}
		content := list[from+1 : from+1+end]
		for _, encoding := range []string{"-gzip", "-br", "-zstd"} {
			if without, marked := strings.CutSuffix(content, encoding); marked {
				content = without
				break
			}
		}
		tags, list = append(tags, `"`+content+`"`), strings.TrimLeft(list[from+end+2:], " \t")
		if list == "" {
			return tags, true
		}
		if list[0] != ',' {
			return nil, false
		}
		list = list[1:]
	}
}
