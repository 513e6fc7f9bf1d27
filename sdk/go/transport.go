package b2b

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operation describes an operation of the OpenAPI documents.
type operation struct {
	name, method, path string
	key                keyPlace
	ok                 checks   // checks of JSON bodies; nil for an import or export
	files              []string // media types of a successful answer; set for an import or export only
}

// checks has a function for each status of a success, which checks the body.
type checks map[int]func(body []byte) error

// keyPlace says where a request has the idempotency key.
type keyPlace int

const (
	none keyPlace = iota
	inHeader
	inBody
)

const (
	keyHeader         = "X-Idempotency-Key"
	correlationHeader = "X-Correlation-Id"
)

// transport sends the requests of a generated client.
type transport struct {
	Options
	client     http.Client
	service    string
	operations []operation
	address    string
	base       string // path of the address, without a slash at the end; often empty
}

func (o Options) transport(service, address string) *transport {
	t := transport{Options: o, service: service, address: address, operations: operations[service]}
	if u, err := url.Parse(address); err == nil { // the generated client reports an invalid address
		t.base = strings.TrimSuffix(u.EscapedPath(), "/")
	}
	if o.HTTPClient != nil {
		t.client = *o.HTTPClient
	}
	t.client.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	t.Deadline, t.TryTimeout = cmp.Or(o.Deadline, time.Minute), cmp.Or(o.TryTimeout, 30*time.Second)
	return &t
}

// Do implements the interface HttpRequestDoer of the generated clients. It returns a successful response with
// its whole body, and otherwise an *Error. It does not keep the files of imports and exports in memory: see
// the method stream. When the Options lack the service's address, the error is not an *Error.
func (t *transport) Do(r *http.Request) (*http.Response, error) {
	if t.address == "" {
		if r.Body != nil {
			r.Body.Close() // ends the writer of a pipe
		}
		return nil, fmt.Errorf("the Options of the client lack the address of the service %s", t.service)
	}
	if r.Header.Get(correlationHeader) == "" {
		r.Header.Set(correlationHeader, rand.Text())
	}
	op := t.find(r)
	if op.ok == nil {
		return t.stream(call{operation: op, Request: r})
	}
	if err := keepBody(r); err != nil {
		return nil, err
	}
	key, err := op.ensureKey(r)
	if err != nil {
		return nil, err
	}
	c := call{op, r, key}
	ctx := r.Context()
	if _, hasDeadline := ctx.Deadline(); !hasDeadline {
		var cancel func()
		ctx, cancel = context.WithTimeout(ctx, t.Deadline)
		defer cancel()
	}
	deadline, _ := ctx.Deadline()
	for pause := 100 * time.Millisecond; ; pause = min(2*pause, 5*time.Second) {
		if err := t.authorize(ctx, r); err != nil {
			return nil, c.noAnswer(err)
		}
		res, body, err := t.try(ctx, r)
		wait := retryAfter(res) + pause/2 + mathrand.N(pause)
		if err == nil && !temporary(res.StatusCode) || !c.repeatable() || time.Until(deadline) <= wait {
			return c.answer(res, body, err)
		}
		select {
		case <-time.After(wait):
		case <-ctx.Done():
			return nil, c.noAnswer(ctx.Err())
		}
	}
}

// find returns the operation of r, or the zero operation when the documents do not have the request.
func (t *transport) find(r *http.Request) operation {
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), t.base), "/")
	matches := func(part, sent string) bool { return part == sent || strings.HasPrefix(part, "{") }
	for _, op := range t.operations { // in the list, /orders/export comes before /orders/{id}
		if op.method == r.Method && slices.EqualFunc(strings.Split(op.path, "/"), path, matches) {
			return op
		}
	}
	return operation{}
}

// keepBody reads the body of r into memory if it can be read only once.
func keepBody(r *http.Request) error {
	if r.Body == nil || r.GetBody != nil {
		return nil
	}
	defer r.Body.Close()
	content, err := io.ReadAll(r.Body)
	setBody(r, content)
	return err
}

func setBody(r *http.Request, content []byte) {
	r.ContentLength = int64(len(content))
	r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
}

// ensureKey returns the idempotency key of r, and gives r a new key when it has none. It returns "" for an
// operation without keys. It also returns "" for requests that the service will refuse: a request with an
// empty key in a header, and a request whose body is not a JSON object. An empty key in a header is a mistake
// of the caller. With a new key, each repetition of the call would have another effect.
func (op operation) ensureKey(r *http.Request) (string, error) {
	fresh := rand.Text()
	switch {
	case op.key == inHeader:
		if keys := append(r.Header.Values(keyHeader), r.Header.Values("Idempotency-Key")...); len(keys) > 0 {
			return cmp.Or(keys...), nil
		}
		r.Header.Set(keyHeader, fresh)
		return fresh, nil
	case op.key == inBody && r.GetBody != nil:
		body, err := r.GetBody()
		if err != nil {
			return "", err
		}
		content, err := io.ReadAll(body)
		if err != nil {
			return "", err
		}
		var fields map[string]json.RawMessage
		if json.Unmarshal(content, &fields) != nil || fields == nil {
			return "", nil
		}
		var key string
		given, found := fields["idempotency_key"]
		if found && json.Unmarshal(given, &key) != nil || key != "" {
			return key, nil
		}
		fields["idempotency_key"] = json.RawMessage(strconv.Quote(fresh))
		content, err = json.Marshal(fields)
		setBody(r, content)
		return fresh, err
	}
	return "", nil
}

func (t *transport) authorize(ctx context.Context, r *http.Request) error {
	if t.Token == nil {
		return nil
	}
	token, err := t.Token(ctx)
	// A token from a file may end in a line break.
	r.Header.Set("Authorization", "Bearer "+strings.TrimSpace(token))
	return err
}

// try sends r once. It returns the answer and the whole body of the answer.
func (t *transport) try(ctx context.Context, r *http.Request) (*http.Response, []byte, error) {
	ctx, cancel := context.WithTimeout(ctx, t.TryTimeout)
	defer cancel()
	r = r.Clone(ctx)
	if r.GetBody != nil {
		var err error
		if r.Body, err = r.GetBody(); err != nil {
			return nil, nil, err
		}
	}
	res, err := t.client.Do(r)
	if err != nil {
		return nil, nil, err
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	if err != nil { // a truncated answer is no answer
		return nil, nil, err
	}
	return res, body, nil
}

// stream sends a request once, and leaves the body of a successful answer to the caller, because files may be
// too large for memory. Only the context limits the time, and not Deadline or TryTimeout.
func (t *transport) stream(c call) (*http.Response, error) {
	if err := t.authorize(c.Context(), c.Request); err != nil {
		return nil, c.noAnswer(err)
	}
	res, err := t.client.Do(c.Request)
	if err != nil {
		return nil, c.noAnswer(err)
	}
	isFile := c.files == nil || slices.Contains(c.files, mediaType(res))
	if res.StatusCode/100 == 2 && isFile {
		res.Request = c.Request
		return res, nil
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return c.answer(res, body, err)
}

// temporary reports whether status is a failure that may pass.
func temporary(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable,
		http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter returns the wait that the header Retry-After asks for, in seconds or by a date. The wait is at
// most 68 years, so that a sum with the wait does not overflow. Without an answer (res is nil), without a
// valid header, and for a date in the past, the wait is 0.
func retryAfter(res *http.Response) time.Duration {
	if res == nil {
		return 0
	}
	value := res.Header.Get("Retry-After")
	seconds, err := strconv.ParseUint(value, 10, 31)
	// With ErrRange, seconds is the greatest number of 31 bits.
	if err == nil || errors.Is(err, strconv.ErrRange) {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return min(max(0, time.Until(at)), math.MaxInt32*time.Second)
	}
	return 0
}
