package web

import (
	"errors"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/validation"
)

// IdempotencyHeader carries the idempotency key of a request.
const IdempotencyHeader = "X-Idempotency-Key"

// draftKeyHeader is the header of draft-ietf-httpapi-idempotency-key-header-07. By the draft, it carries the
// key as a quoted string; the service also accepts a key without quotes.
const draftKeyHeader = "Idempotency-Key"

// mergeKeys adds the keys of draftKeyHeader to IdempotencyHeader, and keeps one of several equal keys. Error:
// 400 validation_failed for a malformed quoted string. Different keys are an error, too, but mergeKeys
// refuses them only when the body may also have a key. Otherwise mergeHeaders refuses them.
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

// unquote returns the text inside a String of RFC 9651, section 3.3.3. A text without a quote at its
// beginning stays unchanged. The result is false for a malformed String.
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

// checkKey refuses a request with different keys in the header and in the body.
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

// keyRequired returns 400 idempotency_key_required when the only fault of a refusal is a missing key. It
// returns any other refusal, and nil, unchanged.
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
