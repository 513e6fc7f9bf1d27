package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"net/http"
	"os"
	"slices"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/tidwall/gjson"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/formats"
	"example.com/b2b/v2/internal/validation"
)

const maxBody = 1 << 20 // most bytes of a JSON body

// jsonBody is a request body that has been read and validated. The generated code binds ValidatedValue, so
// the handler gets exactly the validated value.
type jsonBody struct {
	io.ReadCloser
	*validation.JSON
}

func newJSONBody(j *validation.JSON) jsonBody {
	return jsonBody{io.NopCloser(bytes.NewReader(j.Text)), j}
}

func (b jsonBody) ValidatedValue() any { return b.Value }

// readBody reads a JSON body within the time timeout. It returns nil when the body is optional, and empty or
// null: some clients send null for a body that was not given. With idInBody, the field correlation_id of the
// body sets the request's correlation id. Errors: 400 malformed_json, 400 validation_failed for an empty
// body, 408 request_timeout, 413 payload_too_large, 415 unsupported_media_type, and the errors of
// bodySlot.take.
func readBody(
	c *gin.Context, op *operation, slot *bodySlot, timeout time.Duration, idInBody bool,
) (*validation.JSON, error) {
	if err := refuseByHeaders(c); err != nil {
		return nil, err
	}
	_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now().Add(timeout)) // fails on AWS Lambda
	text, err := receive(c, slot)
	if err == nil {
		liftReadDeadline(c)
	}
	if idInBody { // even a refused body sets the correlation id
		if id := gjson.GetBytes(text, "correlation_id").Str; formats.IsCorrelationID(id) {
			setCorrelationID(c, c.Request.Context(), id)
		}
	}
	switch {
	case err != nil:
		return nil, err
	case len(text) == 0 && !op.Operation.RequestBody.Value.Required:
		return nil, nil
	case len(text) == 0:
		return nil, validation.Empty("send a JSON object")
	}
	if err := refuseMedia(c.Request.Header, apperr.UnsupportedMediaType, []string{charsetUTF8}, mediaJSON); err != nil {
		return nil, err
	}
	if string(bytes.Trim(text, " \t\r\n")) == "null" && !op.Operation.RequestBody.Value.Required {
		return nil, nil
	}
	return validation.Parse(text, op.body, apperr.MalformedJSON)
}

// receive reads a body of at most maxBody. It takes the slot before it reads more than largeBody. Errors: 400
// malformed_json, 408 request_timeout, 413 payload_too_large, and the errors of bodySlot.take.
func receive(c *gin.Context, slot *bodySlot) (text []byte, err error) {
	var body io.Reader = http.MaxBytesReader(c.Writer, c.Request.Body, maxBody)
	isLarge := c.Request.ContentLength > largeBody
	if c.Request.ContentLength < 0 { // the length of the body is unknown
		text, err = io.ReadAll(io.LimitReader(body, largeBody+1))
		isLarge, body = len(text) > largeBody, io.MultiReader(bytes.NewReader(text), body)
	}
	if isLarge {
		if err := slot.take(c); err != nil {
			return text, err
		}
	}
	if err == nil {
		text, err = io.ReadAll(body)
	}
	if err != nil {
		err = readError(err, apperr.PayloadTooLarge.New(), apperr.MalformedJSON)
	}
	return text, err
}

// liftReadDeadline removes the read deadline of the connection, because net/http would also end the request's
// context at the deadline. On AWS Lambda, without a connection, it does nothing.
func liftReadDeadline(c *gin.Context) {
	_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Time{})
}

// readError returns the error for a body that could not be read: tooLarge, 408 request_timeout, or
// the code malformed.
func readError(err error, tooLarge *apperr.Error, malformed *apperr.Code) error {
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return tooLarge
	case errors.Is(err, os.ErrDeadlineExceeded):
		return apperr.RequestTimeout.Because(err)
	}
	return malformed.Because(err, "it ended early")
}

// refuseByHeaders refuses a body because of its headers. Errors: 413 payload_too_large, 415
// unsupported_media_type. It reads nothing, so a caller who waits for 100 Continue does not send the body.
func refuseByHeaders(c *gin.Context) error {
	h, length := c.Request.Header, c.Request.ContentLength // length is -1 when unknown
	switch {
	case length > maxBody:
		return apperr.PayloadTooLarge.New()
	case length != 0 && h.Get("Content-Encoding") != "":
		return refuseEncoding(c, apperr.UnsupportedMediaType)
	case length != 0 && (length > 0 || h.Get("Content-Type") != ""):
		return refuseMedia(h, apperr.UnsupportedMediaType, []string{charsetUTF8}, mediaJSON)
	}
	return nil
}

func refuseEncoding(c *gin.Context, code *apperr.Code) error {
	c.Header("Accept-Encoding", "identity") // the service accepts no encoding: RFC 9110, section 15.5.16
	return code.New().With("/header/Content-Encoding", apperr.Params{"rule": "absent"},
		"must not be sent: the body is taken as it is")
}

const (
	mediaJSON   = "application/json"
	charsetUTF8 = "utf-8"
)

// refuseMedia returns an error with the given code unless Content-Type has an accepted media type and one of
// the charsets. A missing or repeated Content-Type is refused, too. JSON is in UTF-8 (RFC 8259, section 8.1).
func refuseMedia(h http.Header, code *apperr.Code, charsets []string, accepted ...string) error {
	media, charset := contentType(h)
	switch {
	case !slices.Contains(accepted, media):
		return code.New()
	case !slices.Contains(charsets, charset):
		values := strings.Join(charsets, " ")
		return code.New().With("/header/Content-Type", apperr.Params{"rule": "charset", "values": values},
			"must have no other charset than %s", strings.ReplaceAll(values, " ", ", "))
	}
	return nil
}

// contentType returns the media type and the charset in Content-Type, in lower case. When only the parameters
// are malformed, the charset is "". Both are "" when the header is missing, repeated or otherwise malformed.
func contentType(h http.Header) (media, charset string) {
	sent := h["Content-Type"]
	if len(sent) != 1 {
		return "", ""
	}
	if sent[0] == mediaJSON {
		return mediaJSON, charsetUTF8
	}
	media, parameters, err := mime.ParseMediaType(sent[0])
	if errors.Is(err, mime.ErrInvalidMediaParameter) {
		return media, ""
	} else if err != nil {
		return "", ""
	}
	charset = strings.ToLower(parameters["charset"])
	if charset == "" || charset == "utf8" {
		charset = charsetUTF8
	}
	return media, charset
}
