package web_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"testing"

	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
)

// largestWrite notes the size of the largest piece of an answer.
type largestWrite struct {
	*httptest.ResponseRecorder
	bytes int
}

func (w *largestWrite) Write(p []byte) (int, error) {
	w.bytes = max(w.bytes, len(p))
	return w.ResponseRecorder.Write(p)
}

// TestPagesAreNotBuffered reads the largest file of the documentation as a client without compression. The
// service must send the file in small pieces, so that many slow readers do not fill the memory.
func TestPagesAreNotBuffered(t *testing.T) {
	w := &largestWrite{ResponseRecorder: httptest.NewRecorder()}
	r := httptest.NewRequest("GET", "http://localhost/docs/swagger-ui-bundle.js", nil)
	things(t, webtest.Options(), succeed).ServeHTTP(w, r)
	if w.Code != 200 || w.Body.Len() < 1<<20 || w.bytes > 64<<10 {
		t.Errorf("%d with %d bytes, %d of them at once", w.Code, w.Body.Len(), w.bytes)
	}
}

// TestEscapedPath requests paths with an escaped character. An escaped letter must match as the letter
// itself; an escaped slash must not match a slash.
func TestEscapedPath(t *testing.T) {
	e := things(t, webtest.Options(), succeed)
	for path, status := range map[string]int{"/%74hings": 200, "/things/%71": 200, "/things%2Fq": 404} {
		if w := send(e, "GET", "localhost", path); w.Code != status {
			t.Errorf("%s: %d %s", path, w.Code, w.Body)
		}
	}
}

// TestLinkBelowBasePath requests an unknown path of a service below the path of a gateway. The link to the
// explanation of the error must be below the path of the gateway.
func TestLinkBelowBasePath(t *testing.T) {
	r := httptest.NewRequest("GET", "http://localhost/nowhere", nil)
	w := httptest.NewRecorder()
	r = r.WithContext(web.WithBasePath(context.Background(), "/v1"))
	things(t, webtest.Options(), succeed).ServeHTTP(w, r)
	const want = `</v1/docs/errors#not_found>; rel="help"`
	if got := w.Header().Get("Link"); w.Code != http.StatusNotFound || got != want {
		t.Errorf("%d, Link: %s", w.Code, got)
	}
}
