// Package etag makes entity tags of representations, and compares them with the conditions of a request: RFC
// 9110, sections 8.8.3 and 13.1.
package etag

import (
	"bytes"
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"example.com/b2b/v2/internal/apperr"
)

// Of returns the strong tag of a JSON body. The tag is a hash, so every change of the body changes the tag.
func Of(body []byte) string {
	sum := sha256.Sum256(bytes.TrimSpace(body))
	return fmt.Sprintf(`"%x"`, sum[:16])
}

// Precondition checks the header If-Match of a change; nil sets no condition. The parameter representation is
// the value that a GET would answer now, before its encoding as JSON. The caller must hold locks on the rows
// of the value until the change is committed. Error: 412 precondition_failed.
func Precondition(ifMatch *string, representation any) error {
	if ifMatch == nil {
		return nil
	}
	body, err := json.Marshal(representation)
	if err != nil {
		return err
	}
	if !matches(*ifMatch, Of(body)) {
		return apperr.PreconditionFailed.New()
	}
	return nil
}

// NotModified reports whether the header If-None-Match has the tag.
func NotModified(ifNoneMatch, tag string) bool { return matches(ifNoneMatch, tag) }

// entityTag matches one tag in a list of tags. It leaves out what a proxy adds when it compresses the body:
// nginx makes the tag weak (W/), and other proxies append the name of the encoding. A list cannot be split at
// its commas, because a tag may contain commas.
var entityTag = regexp.MustCompile(`(?:W/)?"([!#-~\x80-\x{10ffff}]*?)(?:-(?:gzip|br|zstd))?"`)

// matches reports whether a list of tags is *, or has the tag. It ignores what a compressing proxy adds to a
// tag, because a tag is a hash of the content. The only tag of a list may lack its quotes, because some
// clients leave them out.
func matches(list, tag string) bool {
	list, content := strings.TrimSpace(list), strings.Trim(tag, `"`)
	if list == "*" {
		return true
	}
	if !strings.Contains(list, `"`) {
		list = `"` + strings.TrimPrefix(list, "W/") + `"`
	}
	return slices.ContainsFunc(entityTag.FindAllStringSubmatch(list, -1), func(found []string) bool {
		return found[1] == content
	})
}
