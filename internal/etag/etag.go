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

	"example.com/b2b/internal/apperr"
)

// Of returns the strong tag of a JSON body. It is a hash, so any change of the representation changes the
// tag.
func Of(body []byte) string {
	sum := sha256.Sum256(bytes.TrimSpace(body))
	return fmt.Sprintf(`"%x"`, sum[:16])
}

// Precondition checks the header If-Match of a change; nil is no condition. representation is the answer of a
// GET at this moment, as a value for encoding/json: hold a lock on its rows until the change is committed.
// Errors: 412 precondition_failed.
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

// entityTag matches each tag of a list, as Of has made it or as a proxy that compresses has changed it: nginx
// makes the tag weak (W/), others add the name of the encoding. A tag may hold commas.
var entityTag = regexp.MustCompile(`(?:W/)?"([!#-~\x80-\x{10ffff}]*?)(?:-(?:gzip|br|zstd))?"`)

// matches reports whether a list of tags has this tag, or is *. Marks of compression do not count, because a
// tag is a hash of the content. A single tag may come without quotes, as some clients send it.
func matches(list, tag string) bool {
	list, content := strings.TrimSpace(list), strings.Trim(tag, `"`)
	return list == "*" || list == content ||
		slices.ContainsFunc(entityTag.FindAllStringSubmatch(list, -1), func(found []string) bool {
			return found[1] == content
		})
}
