package b2b

import (
	"bytes"
	"cmp"
	"context"
	"crypto/rand"
	"encoding/json"
	"io"
	mathrand "math/rand/v2"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// operation describes an operation of the documents.
type operation struct {
	name, method, path string
	key                keyPlace
	ok                 []int // success statuses with a JSON body; nil for files
}

// keyPlace is the place of the idempotency key in a request.
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
	operations []operation
	base       string // path of the service's address, for services behind a gateway
}

func (o Options) transport(service, address string) *transport {
	t := transport{Options: o, operations: operations[service]}
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

// Do implements HttpRequestDoer of the generated clients. It returns the complete response of a successful
// operation, else an *Error. Files are streamed: see stream.
func (t *transport) Do(r *http.Request) (*http.Response, error) {
	if r.Header.Get(correlationHeader) == "" {
		r.Header.Set(correlationHeader, rand.Text())
	}
	op := t.find(r)
	if op.ok == nil || r.Body != nil && r.GetBody == nil {
		return t.stream(call{operation: op, Request: r})
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

// find returns the operation of a request; the zero operation for requests outside the documents.
func (t *transport) find(r *http.Request) operation {
	path := strings.Split(strings.TrimPrefix(r.URL.EscapedPath(), t.base), "/")
	matches := func(part, sent string) bool { return part == sent || strings.HasPrefix(part, "{") }
	for _, op := range t.operations { // in an order with /orders/export before /orders/{id}
		if op.method == r.Method && slices.EqualFunc(strings.Split(op.path, "/"), path, matches) {
			return op
		}
	}
	return operation{}
}

// ensureKey sets a new idempotency key in a request without a key, and returns the key; "" for operations
// without keys.
func (op operation) ensureKey(r *http.Request) (string, error) {
	fresh := rand.Text()
	switch op.key {
	case inHeader:
		if key := cmp.Or(r.Header.Get(keyHeader), r.Header.Get("Idempotency-Key")); key != "" {
			return key, nil
		}
		r.Header.Set(keyHeader, fresh)
		return fresh, nil
	case inBody:
		body, err := r.GetBody()
		if err != nil {
			return "", err
		}
		var fields map[string]json.RawMessage
		var given struct {
			Key string `json:"idempotency_key"`
		}
		content, err := io.ReadAll(body)
		if err != nil {
			return "", err
		}
		if err := json.Unmarshal(content, &fields); err != nil {
			return "", err
		}
		if err := json.Unmarshal(content, &given); err != nil || given.Key != "" {
			return given.Key, err
		}
		fields["idempotency_key"] = json.RawMessage(strconv.Quote(fresh))
		if content, err = json.Marshal(fields); err != nil {
			return "", err
		}
		r.ContentLength = int64(len(content))
		r.GetBody = func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(content)), nil }
		return fresh, nil
	}
	return "", nil
}

func (t *transport) authorize(ctx context.Context, r *http.Request) error {
	if t.Token == nil {
		return nil
	}
	token, err := t.Token(ctx)
	r.Header.Set("Authorization", "Bearer "+token)
	return err
}

// try sends a request once and returns its whole answer.
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
	if err != nil { // a truncated answer counts as no answer
		return nil, nil, err
	}
	return res, body, nil
}

// stream sends a request once, for operations with a body or an answer too large for memory. Only the context
// limits the time.
func (t *transport) stream(c call) (*http.Response, error) {
	if err := t.authorize(c.Context(), c.Request); err != nil {
		return nil, c.noAnswer(err)
	}
	res, err := t.client.Do(c.Request)
	if err != nil {
		return nil, c.noAnswer(err)
	}
	if res.StatusCode/100 == 2 {
		return res, nil
	}
	defer res.Body.Close()
	body, err := io.ReadAll(res.Body)
	return c.answer(res, body, err)
}

// temporary reports whether a retry may get another status.
func temporary(status int) bool {
	switch status {
	case http.StatusTooManyRequests, http.StatusBadGateway, http.StatusServiceUnavailable,
		http.StatusGatewayTimeout:
		return true
	}
	return false
}

// retryAfter returns the wait of the header Retry-After, in seconds or as a date; 0 without the header or
// without a response.
func retryAfter(res *http.Response) time.Duration {
	if res == nil {
		return 0
	}
	value := res.Header.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return time.Duration(seconds) * time.Second
	}
	if at, err := http.ParseTime(value); err == nil {
		return max(0, time.Until(at))
	}
	return 0
}
