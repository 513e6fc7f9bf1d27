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

// Of returns the strong tag of a JSON body. The tag is a hash, so every change of the body changes the tag.
func Of(body []byte) string {
	sum := sha256.Sum256(bytes.TrimSpace(body))
	return fmt.Sprintf(`"%x"`, sum[:16])
}

// Precondition checks the header If-Match of a change; nil sets no condition. The parameter representation is
// the value that a GET would answer now, for encoding/json. The caller must hold locks on the rows of the
// value until the change is committed. Error: 412 precondition_failed.
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

// NotModified reports whether the header If-None-Match has the tag. Weak tags count, too: RFC 9110, section
// 13.1.2.
func NotModified(ifNoneMatch, tag string) bool {
	return matches(strings.ReplaceAll(ifNoneMatch, "W/", ""), tag)
}

// entityTag matches a tag in a list of tags. A tag may have commas.
var entityTag = regexp.MustCompile(`(?:W/)?"[!#-~\x80-\x{10ffff}]*"`)

// matches reports whether a list of tags is *, or has this strong tag. A weak tag (W/) never equals a strong
// tag. A single tag may be without quotes, because some clients leave the quotes out.
func matches(list, tag string) bool {
	list = strings.TrimSpace(list)
	return list == "*" || `"`+list+`"` == tag || slices.Contains(entityTag.FindAllString(list, -1), tag)
}
