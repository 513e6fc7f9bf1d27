package webtest

import (
	"bytes"
	"log/slog"
	"sync"
	"testing"

	"example.com/b2b/internal/web"
)

// Logged returns what an engine with these options logs while fn runs.
func Logged(t testing.TB, fn func(o web.Options)) string {
	t.Helper()
	var b buffer
	o := Options()
	o.Log = slog.New(slog.NewJSONHandler(&b, nil))
	fn(o)
	b.Lock()
	defer b.Unlock()
	return b.String()
}

type buffer struct {
	sync.Mutex
	bytes.Buffer
}

func (b *buffer) Write(p []byte) (int, error) {
	b.Lock()
	defer b.Unlock()
	return b.Buffer.Write(p)
}
