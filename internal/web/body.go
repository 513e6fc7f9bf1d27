package web

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"mime"
	"net/http"
	"os"
	"time"
	"unicode/utf8"

	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
)

const (
	maxBody     = 1 << 20 // bytes
	bodyTimeout = 10 * time.Second
)

// validatedBody is a request body whose value the generated code binds, so that the handler gets what was validated.
type validatedBody struct {
	io.Reader
	value any
}

func (validatedBody) Close() error          { return nil }
func (b validatedBody) ValidatedValue() any { return b.value }

// readBody reads the request's body as far as the operation's schema goes. It returns nil when there is none.
func (v *validator) readBody(c *gin.Context, op operation) (*decoder, error) {
	body, err := v.receive(c)
	var decoded *decoder
	isUTF8 := utf8.Valid(body)
	if err == nil && isUTF8 && json.Valid(body) {
		decoded = decode(body, op.body)
		if v.CorrelationIDInBody {
			adoptCorrelationID(c, decoded.body)
		}
	}
	media, _, mediaErr := mime.ParseMediaType(c.GetHeader("Content-Type"))
	switch {
	case errors.As(err, new(*http.MaxBytesError)):
		return nil, apperr.PayloadTooLarge.New()
	case errors.Is(err, os.ErrDeadlineExceeded):
		return nil, apperr.RequestTimeout.Because(err)
	case err != nil:
		return nil, apperr.MalformedJSON.Because(err, "it ended early")
	case len(body) == 0 && !op.Operation.RequestBody.Value.Required:
		return nil, nil
	case len(body) == 0:
		return nil, apperr.ValidationFailed.New().With(wholeBody, "is required: send a JSON object")
	case mediaErr != nil || media != "application/json":
		return nil, apperr.UnsupportedMediaType.New()
	case !isUTF8:
		return nil, apperr.MalformedJSON.New("it is not UTF-8")
	case decoded == nil:
		return nil, malformed(body)
	}
	return decoded, nil
}

// receive reads what the caller sends, for at most BodyTimeout.
func (v *validator) receive(c *gin.Context) ([]byte, error) {
	connection := http.NewResponseController(c.Writer)
	_ = connection.SetReadDeadline(time.Now().Add(v.BodyTimeout)) // AWS Lambda has no connection, and the whole body
	var body bytes.Buffer
	body.Grow(int(min(max(c.Request.ContentLength, 0), maxBody)) + bytes.MinRead)
	_, err := body.ReadFrom(http.MaxBytesReader(c.Writer, c.Request.Body, maxBody))
	if err == nil {
		_ = connection.SetReadDeadline(time.Time{}) // it would end the handler's context, too
	}
	return body.Bytes(), err
}

// malformed says where the body stops being JSON.
func malformed(body []byte) error {
	err := json.Unmarshal(body, new(json.RawMessage))
	var syntax *json.SyntaxError
	if errors.As(err, &syntax) {
		return apperr.MalformedJSON.New(fmt.Sprintf("%s (byte %d)", syntax, syntax.Offset))
	}
	return apperr.MalformedJSON.Because(err, "it cannot be read")
}
