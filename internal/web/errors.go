package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/formats"
)

// envelope is the body of every error, in the words of the contract.
type envelope struct {
	Success       bool            `json:"success"`
	Error         string          `json:"error"`
	Code          string          `json:"code"`
	CorrelationID string          `json:"correlationId,omitempty"`
	Details       []apperr.Detail `json:"details,omitempty"`
}

// Fail answers with err and keeps it for the log line. An error that apperr.From does not know is a defect, or time that
// ran out, or a caller who has gone or has closed its half of the connection; the caller learns nothing more
// of it.
func Fail(c *gin.Context, err error) {
	_ = c.Error(err)
	c.Abort()
	call, _ := c.Request.Context().Value(callKey{}).(*call)
	if c.Writer.Written() { // too late for another answer; the log has it
		if _, isFile := c.Writer.(*fileWriter); isFile && !errors.As(err, new(ErrReported)) {
			call.cut = true
		}
		return
	}
	refusal := Refusal(c.Request.Context(), err)
	if refusal.Retry == apperr.Later && c.Writer.Header().Get("Retry-After") == "" {
		c.Header("Retry-After", "1") // second
	}
	c.Header("Link", "</docs/errors#"+refusal.Name+`>; rel="help"`) // RFC 8288; the page has an anchor for each code
	if refusal.Status == http.StatusUnauthorized {
		challenge := "Bearer" // RFC 6750, section 3
		if c.GetHeader("Authorization") != "" {
			challenge += ` error="invalid_token"`
		}
		c.Header("WWW-Authenticate", challenge)
	}
	body := envelope{Error: refusal.Message, Code: refusal.Name, Details: refusal.Details}
	if call != nil && call.inBody {
		body.CorrelationID = call.correlationID
	}
	encoded, _ := json.Marshal(body)
	c.Data(refusal.Status, "application/json", append(encoded, '\n'))
}

// Refusal is what the caller is told of err when ctx is the call's: no more, and no longer, than the
// documents allow.
func Refusal(ctx context.Context, err error) *apperr.Error {
	refusal := apperr.From(err)
	switch ended := ctx.Err(); {
	case refusal.IsFault() && errors.Is(ended, context.DeadlineExceeded) && refusal.Status != http.StatusGatewayTimeout:
		refusal = apperr.Timeout.New()
	case refusal.Status == http.StatusInternalServerError && errors.Is(ended, context.Canceled):
		refusal = apperr.Unavailable.New()
	}
	told := *refusal
	told.Message, told.Details = shorten(refusal.Message, 1999, character), nil
	for _, d := range refusal.Details[:min(len(refusal.Details), 1000)] {
		told.Details = append(told.Details, apperr.Detail{Field: shorten(d.Field, 499, character), Message: shorten(d.Message, 999, character), Params: d.Params})
	}
	return &told
}

// shorten cuts s, and adds one character, where the sizes of its characters come to more than limit.
func shorten(s string, limit int, size func(rune) int) string {
	if len(s)*maxSize <= limit {
		return s
	}
	for i, r := range s {
		if limit -= size(r); limit < 0 {
			return s[:i] + "…"
		}
	}
	return s
}

const maxSize = 6 // of a character

func character(rune) int { return 1 }

// loggable is s for the log: cut to about limit bytes, and without a JWT that a caller has sent where none
// belongs.
func loggable(s string, limit int) string {
	if strings.Contains(s, "eyJ") {
		s = misplaced.ReplaceAllString(s, "[token]")
	}
	return shorten(s, limit, logged)
}

// misplaced begins with {" in base64, as every JWT does.
var misplaced = regexp.MustCompile(`eyJ[\w\-.]{8,}`)

// logged is about how many bytes a character takes in a line of the log, where some are escaped.
func logged(r rune) int {
	switch {
	case strings.ContainsRune("\"\\\n\t", r):
		return 2
	case r < ' ' || r > '~':
		return maxSize
	}
	return 1
}

// FailBinding is for the generated strict server: a value passed validation and could not be bound, which no
// known value does.
func FailBinding(c *gin.Context, err error) { Fail(c, apperr.ValidationFailed.Because(err)) }

// FailParameter is the same for the generated gin server.
func FailParameter(c *gin.Context, err error, _ int) { FailBinding(c, err) }

const (
	maxDetails = 20 // failing fields that a refusal names; one more detail says how many it does not name
	isRequired = "is required"
	wholeBody  = "/body" // the field of what no single field can be blamed for
)

// The params of what is wrong in several places. A rule has the name of the document's keyword, in
// snake_case; rules that no keyword says have one of their own.
var (
	missing      = apperr.Params{"rule": "required"}
	repeated     = apperr.Params{"rule": "repeated"}
	unknownField = apperr.Params{"rule": "unknown_field"}
)

// refusal makes one error of what was found, naming each field once; nil of nothing. more were found and are
// not in details.
func refusal(details []apperr.Detail, more int) error {
	if len(details) == 0 {
		return nil
	}
	slices.SortStableFunc(details, func(a, b apperr.Detail) int { return strings.Compare(a.Field, b.Field) })
	details = slices.CompactFunc(details, func(a, b apperr.Detail) bool { return a.Field == b.Field })
	if len(details) == 1 && details[0].Field == "/header/"+IdempotencyHeader && details[0].Message == isRequired {
		return apperr.IdempotencyKeyRequired.New().With(details[0].Field, missing, isRequired)
	}
	refused := apperr.ValidationFailed.New()
	refused.Details = details[:min(len(details), maxDetails)]
	if more += len(details) - len(refused.Details); more > 0 {
		refused.With(wholeBody, apperr.Params{"rule": "more", "count": more}, "and %d more", more)
	}
	return refused
}

// findings lists the failing fields below prefix.
func findings(prefix string, err error) []apperr.Detail {
	switch err := err.(type) {
	case nil:
		return nil
	case openapi3.MultiError:
		var all []apperr.Detail
		for _, e := range err {
			all = append(all, findings(prefix, e)...)
		}
		return all
	case *openapi3filter.RequestError:
		prefix = "/" + err.Parameter.In + "/" + err.Parameter.Name
		if errors.Is(err.Err, openapi3filter.ErrInvalidRequired) {
			return []apperr.Detail{{Field: prefix, Message: isRequired, Params: missing}}
		}
		if errors.As(err.Err, new(*openapi3filter.ParseError)) {
			message, params := explainType(err.Parameter.Schema.Value)
			return []apperr.Detail{{Field: prefix, Message: message, Params: params}}
		}
		return findings(prefix, err.Err)
	case *openapi3.SchemaError:
		if err.Schema.Extensions[exactlyOneOf] != nil && strings.HasSuffix(err.SchemaField, "Properties") {
			return nil // which says the same to those who do not know the extension, and to a person less
		}
		message, params := explain(err)
		return []apperr.Detail{{Field: cmp.Or(prefix+pointer(err.JSONPointer()), wholeBody), Message: message, Params: params}}
	}
	return []apperr.Detail{{Field: prefix, Message: "is not valid", Params: apperr.Params{"rule": "valid"}}}
}

// pointer joins reference tokens as RFC 6901 wants them.
func pointer(tokens []string) string {
	var b strings.Builder
	for _, t := range tokens {
		b.WriteByte('/')
		_, _ = escapePointer.WriteString(&b, t)
	}
	return b.String()
}

var escapePointer = strings.NewReplacer("~", "~0", "/", "~1")

// explain says in plain words which rule the value breaks, and the same for a program.
func explain(err *openapi3.SchemaError) (string, apperr.Params) {
	s := err.Schema
	limit := func(rule string, limit any) apperr.Params { return apperr.Params{"rule": rule, "limit": limit} }
	switch err.SchemaField {
	case "required":
		return isRequired, missing
	case "nullable":
		return "must not be null", apperr.Params{"rule": "not_null"}
	case "type":
		return explainType(s)
	case "minimum":
		return fmt.Sprintf("must be at least %.0f", *s.Min), limit("minimum", int64(*s.Min))
	case "maximum":
		return fmt.Sprintf("must be at most %.0f", *s.Max), limit("maximum", int64(*s.Max))
	case "minLength":
		return atLeast(s.MinLength, "character"), limit("min_length", s.MinLength)
	case "maxLength":
		return fmt.Sprintf("must have at most %d characters", *s.MaxLength), limit("max_length", *s.MaxLength)
	case "minItems":
		return atLeast(s.MinItems, "item"), limit("min_items", s.MinItems)
	case "maxItems":
		return fmt.Sprintf("must have at most %d items", *s.MaxItems), limit("max_items", *s.MaxItems)
	case "minProperties":
		return atLeast(s.MinProps, "field"), limit("min_properties", s.MinProps)
	case "enum":
		return "must be one of " + listed(s.Enum), apperr.Params{"rule": "enum", "values": spaced(s.Enum)}
	case "not":
		if not := s.Not.Value.Enum; not != nil {
			return "must not be " + listed(not), apperr.Params{"rule": "not", "values": spaced(not)}
		}
	case "format", "pattern": // a pattern says a part of the format to those who do not know that
		return formats.All[s.Format].Sentence, apperr.Params{"rule": "format", "format": s.Format}
	}
	return "breaks the rule " + err.SchemaField, apperr.Params{"rule": err.SchemaField}
}

// listed shows the values of an enum, strings in quotes.
func listed(values []any) string {
	return strings.TrimSpace(fmt.Sprintf(strings.Repeat("%#v ", len(values)), values...))
}

// spaced puts spaces between the values of an enum.
func spaced(values []any) string { return strings.TrimSuffix(fmt.Sprintln(values...), "\n") }

func explainType(s *openapi3.Schema) (string, apperr.Params) {
	name := strings.Join(s.Type.Slice(), " or ")
	article := "a "
	if strings.ContainsAny(name[:1], "aeiou") {
		article = "an "
	}
	return "must be " + article + name, apperr.Params{"rule": "type", "type": name}
}

func atLeast(n uint64, noun string) string {
	if n != 1 {
		noun += "s"
	}
	return fmt.Sprintf("must have at least %d %s", n, noun)
}
