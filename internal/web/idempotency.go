package web

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/validation"
)

// IdempotencyHeader carries the idempotency key of a request.
const IdempotencyHeader = "X-Idempotency-Key"

// draftKeyHeader carries the key as a quoted string, as draft-ietf-httpapi-idempotency-key-header-07 has it;
// a key without quotes is taken, too.
const draftKeyHeader = "Idempotency-Key"

// mergeKeys moves the keys of both headers to IdempotencyHeader, equal keys once.
func mergeKeys(h http.Header, op *operation) error {
	keys := h.Values(IdempotencyHeader)
	for _, sent := range h.Values(draftKeyHeader) {
		key, ok := unquote(sent)
		if !ok {
			return apperr.ValidationFailed.New().With(
				"/header/"+draftKeyHeader, apperr.Params{"rule": "quoted_string"},
				`must be the key, or the key between quotes, with \ before each " and \ in it`)
		}
		keys = append(keys, key)
	}
	if keys = slices.Compact(keys); len(keys) > 0 {
		h[IdempotencyHeader] = keys
	}
	if op.keyInBody && len(keys) > 1 {
		return repeatedHeader(IdempotencyHeader)
	}
	return nil
}

func repeatedHeader(name string) error {
	return apperr.ValidationFailed.New().With("/header/"+name, validation.Repeated, "was sent more than once")
}

// unquote returns the text of a String of RFC 9651, section 3.3.3; a text without quotes stays as it is. It
// reports whether the quotes are right.
func unquote(sent string) (string, bool) {
	inside, quoted := strings.CutPrefix(strings.TrimSpace(sent), `"`)
	if !quoted {
		return sent, true
	}
	inside, closed := strings.CutSuffix(inside, `"`)
	if !closed || !quotable.MatchString(inside) {
		return "", false
	}
	return escaped.ReplaceAllString(inside, "$1"), true
}

var (
	quotable = regexp.MustCompile(`^(?:[ !#-\[\]-~]|\\["\\])*$`)
	escaped  = regexp.MustCompile(`\\(.)`)
)

// checkKey refuses different keys in header and body.
func checkKey(h http.Header, body *validation.JSON) []apperr.Detail {
	fields, _ := body.Value.(map[string]any)
	inBody, given := fields[keyField].(string)
	if sent := h.Values(IdempotencyHeader); len(sent) == 0 || !given || sent[0] == inBody {
		return nil
	}
	return []apperr.Detail{{
		Field: "/header/" + IdempotencyHeader, Message: "is not the " + keyField + " of the body",
		Params: apperr.Params{"rule": "same_as", "field": "/" + keyField},
	}}
}

// keyRequired gives a refusal for nothing but a missing key a code of its own: 400 idempotency_key_required.
func keyRequired(refusal error) error {
	var e *apperr.Error
	if !errors.As(refusal, &e) || len(e.Details) != 1 {
		return refusal
	}
	missing := e.Details[0]
	isKey := missing.Field == "/header/"+IdempotencyHeader
	if !isKey || missing.Params["rule"] != validation.Required["rule"] {
		return refusal
	}
	return apperr.IdempotencyKeyRequired.New().With(missing.Field, missing.Params, "%s", missing.Message)
}
