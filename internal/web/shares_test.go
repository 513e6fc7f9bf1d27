package web_test

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"sync"
	"testing"
	"time"

	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/correlation"
	httpserver "example.com/b2b/v2/internal/server"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/customersapi/server"
)

type fileResponse bulk.File

func (f fileResponse) VisitExportCustomersResponse(w http.ResponseWriter) error {
	return bulk.File(f).Respond(w)
}
func (f fileResponse) VisitImportCustomersResponse(w http.ResponseWriter) error {
	return bulk.File(f).Respond(w)
}

func (b behind) response(ctx context.Context) fileResponse {
	return fileResponse{ContentType: bulk.NDJSON, Write: func(w *bufio.Writer) error {
		if b.file != nil {
			return b.file(ctx, w)
		}
		_, err := w.WriteString("{}\n")
		return errors.Join(b.get(ctx), err)
	}}
}

func (b behind) ExportCustomers(
	ctx context.Context, _ server.ExportCustomersRequestObject,
) (server.ExportCustomersResponseObject, error) {
	return b.response(ctx), nil
}

func (b behind) ImportCustomers(
	ctx context.Context, r server.ImportCustomersRequestObject,
) (server.ImportCustomersResponseObject, error) {
	rows, err := bulk.OpenRows(r.Body)
	if err != nil {
		return nil, err
	}
	rows.Close()
	return b.response(ctx), nil
}

// TestOneCallerLeavesRoom sends 100 concurrent requests of one caller. The answer to each request beyond the
// caller's share must be 429 rate_limited, and requests of other callers must be served.
func TestOneCallerLeavesRoom(t *testing.T) {
	const addressA, addressB = "192.0.2.1:1", "198.51.100.1:1"
	actingFor := func(p auth.Principal) []string {
		return []string{"Authorization", "Bearer " + webtest.Token, auth.ActingForHeader, p.ActingFor()}
	}
	behind := func(network string) []string {
		return append(actingFor(auth.Anonymous), auth.NetworkHeader, network)
	}
	bearer := func(subject string) []string { return []string{"Authorization", token(t, subject)} }
	a := auth.Principal{Subject: "a", Scope: "customers:read"}
	b := auth.Principal{Subject: "b", Scope: "customers:read"}
	for name, greedy := range map[string]struct {
		headers []string
		share   int        // how many of the 40 slots the caller gets; 2 of the 40 are for services
		more    []string   // headers of a further call of the same caller
		others  [][]string // headers of calls by other callers, which must be served
	}{
		"a token":   {bearer("a"), 31, bearer("a"), [][]string{bearer("b"), nil, actingFor(b)}},
		"a network": {nil, 31, nil, [][]string{bearer("a"), actingFor(a)}},
		"a service for a token": {actingFor(a), 32, bearer("a"),
			[][]string{bearer("b"), nil, actingFor(b), {"Authorization", "Bearer " + webtest.Token}}},
		"a service for a network": {behind("203.0.113.1"), 32, behind("203.0.113.1"),
			[][]string{behind("203.0.113.2"), nil, bearer("a"), actingFor(a)}},
		"a service": {[]string{"Authorization", "Bearer " + webtest.Token}, 32,
			[]string{"Authorization", "Bearer " + webtest.Token}, [][]string{bearer("a"), nil, actingFor(a)}},
	} {
		for path, share := range map[string]int{
			"/customers/1":                 greedy.share,
			"/customers?search=a":          9,
			"/customers/export?format=csv": 4,
		} {
			t.Run(name+" "+path, func(t *testing.T) {
				wait := "1"
				if strings.Contains(path, "export") { // a file holds its slot for a long time
					wait = "10"
				}
				entered, leave := make(chan struct{}, 100), make(chan struct{})
				hold := func(ctx context.Context) error {
					if correlation.ID(ctx) == "held" {
						entered <- struct{}{}
						<-leave
					}
					return nil
				}
				o := webtest.Options()
				o.Limits = web.Limits{InFlight: 40, Searches: 1, Exports: 8}
				e := engine(t, o, hold)
				answers := make(chan *httptest.ResponseRecorder, 100)
				var calls sync.WaitGroup
				held := append([]string{correlation.Header, "held"}, greedy.headers...)
				for range 100 {
					calls.Go(func() { answers <- ask(e, path, addressA, held...) })
				}
				for range 100 - share {
					var w *httptest.ResponseRecorder
					select {
					case w = <-answers:
					case <-time.After(15 * time.Second):
						close(leave)
						t.Fatal("more requests than the caller's share are in flight")
					}
					webtest.WantError(t, w.Code, w.Body.Bytes(), 429, "rate_limited")
					if after := w.Header().Get("Retry-After"); after != wait {
						t.Errorf("Retry-After %q, want %q", after, wait)
					}
				}
				if w := ask(e, path, addressA, greedy.more...); w.Code != 429 {
					t.Errorf("a further call of the same caller: %d %s", w.Code, w.Body)
				}
				if !strings.Contains(path, "search") { // another search would wait for the search that runs
					for _, other := range greedy.others {
						if w := ask(e, path, addressB, other...); w.Code != 200 {
							t.Errorf("%v: %d %s", other, w.Code, w.Body)
						}
					}
				}
				close(leave)
				calls.Wait()
				for range share {
					if w := <-answers; w.Code != 200 {
						t.Errorf("%d %s", w.Code, w.Body)
					}
				}
				if w := ask(e, path, addressA, greedy.more...); w.Code != 200 {
					t.Errorf("then %d %s", w.Code, w.Body)
				}
			})
		}
	}
}

// TestExportLeavesSearch expects an answer to a search while an export with a search waits for its reader.
func TestExportLeavesSearch(t *testing.T) {
	o := webtest.Options()
	o.Limits = web.Limits{Searches: 1, Exports: 8}
	wrote := make(chan struct{}, 1<<16)
	endless := func(ctx context.Context, w *bufio.Writer) error {
		for ctx.Err() == nil {
			if _, err := w.WriteString(strings.Repeat("x", 32<<10)); err != nil {
				return err
			}
			select {
			case wrote <- struct{}{}:
			default:
			}
		}
		return ctx.Err()
	}
	handler := behind{get: nothing, file: endless}.engine(o)
	at := webtest.Run(t, httpserver.Server{Timeout: o.Timeout, Handler: handler})
	const exporting = "GET /customers/export?format=csv&search=a HTTP/1.1\r\nHost: x\r\n\r\n"
	webtest.Connect(t, "127.0.0.1", at, exporting)
	for still := false; !still; { // until the export waits for its reader
		select {
		case <-wrote:
		case <-time.After(time.Second):
			still = true
		}
	}
	c := webtest.Connect(t, "127.0.0.1", at, "GET /customers?search=a HTTP/1.1\r\nHost: x\r\n\r\n")
	_ = c.SetReadDeadline(time.Now().Add(5 * time.Second))
	if status, body := webtest.Answer(t, c); status != 200 {
		t.Errorf("%d %s", status, body)
	}
}

// TestSlowTransfers sends and reads files slowly. A transfer below the minimum rate must be ended, although
// bytes keep coming. A transfer above the rate must not be ended, however long the transfer takes.
func TestSlowTransfers(t *testing.T) {
	o := webtest.Options()
	o.BodyTimeout, o.Timeout = time.Second, 10*time.Minute
	ended := make(chan error, 1)
	file := func(_ context.Context, w *bufio.Writer) (err error) {
		defer func() { ended <- err }()
		for range 4 << 10 { // 4 MiB in steps of 1 KiB
			if _, err := w.WriteString(strings.Repeat("x", 1<<10)); err != nil {
				return err
			}
		}
		return nil
	}
	handler := behind{get: nothing, file: file}.engine(o)
	at := webtest.Run(t, httpserver.Server{Timeout: o.Timeout, Handler: handler})
	const importing = "POST /customers/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n" +
		"Content-Length: %d\r\n\r\nemail\n"
	const exporting = "GET /customers/export?format=csv HTTP/1.1\r\nHost: x\r\n\r\n"
	send := func(c net.Conn, size, part int, pause time.Duration) {
		for sent := 0; sent < size; sent += part {
			if _, err := io.WriteString(c, strings.Repeat("x", part)); err != nil {
				return
			}
			time.Sleep(pause)
		}
	}
	t.Run("an upload of a byte at a time", func(t *testing.T) {
		c := webtest.Connect(t, "127.0.0.1", at, fmt.Sprintf(importing, 1000+len("email\n")))
		_ = c.SetReadDeadline(time.Now().Add(15 * time.Second))
		go send(c, 1000, 1, 50*time.Millisecond)
		status, body := webtest.Answer(t, c)
		webtest.WantError(t, status, []byte(body), 408, "request_timeout")
	})
	t.Run("an upload that takes several times as long, and is fast enough", func(t *testing.T) {
		const size = 512 << 10
		c := webtest.Connect(t, "127.0.0.1", at, fmt.Sprintf(importing, size+len("email\n")))
		go send(c, size, 16<<10, 100*time.Millisecond)
		if status, body := webtest.Answer(t, c); status != 200 {
			t.Errorf("%d %.100s", status, body)
		}
		<-ended
	})
	t.Run("an export of which nothing is read", func(t *testing.T) {
		webtest.Connect(t, "127.0.0.1", at, exporting)
		wantCut(t, ended)
	})
	t.Run("an export of which a byte is read at a time", func(t *testing.T) {
		c := webtest.Connect(t, "127.0.0.1", at, exporting)
		stop := make(chan struct{})
		defer close(stop)
		go func() {
			for tick := time.NewTicker(20 * time.Millisecond); ; {
				select {
				case <-stop:
					return
				case <-tick.C:
					_, _ = c.Read(make([]byte, 1))
				}
			}
		}()
		wantCut(t, ended)
	})
	t.Run("an export that takes several times as long, and is read fast enough", func(t *testing.T) {
		c := webtest.Connect(t, "127.0.0.1", at, exporting)
		go func() {
			for {
				if _, err := io.CopyN(io.Discard, c, 256<<10); err != nil {
					return
				}
				time.Sleep(200 * time.Millisecond)
			}
		}()
		if err := <-ended; err != nil {
			t.Error(err)
		}
	})
}

// TestRefusedSlowUpload sends a file of unknown length a byte at a time, while another import has the only
// slot. The caller must get the refusal while it still sends.
func TestRefusedSlowUpload(t *testing.T) {
	o := webtest.Options()
	o.BodyTimeout, o.Timeout, o.Limits.Imports = 5*time.Second, time.Minute, 1
	handler := behind{get: nothing, file: func(context.Context, *bufio.Writer) error { return nil }}.engine(o)
	at := webtest.Run(t, httpserver.Server{Timeout: o.Timeout, Handler: handler})
	const importing = "POST /customers/import HTTP/1.1\r\nHost: x\r\nContent-Type: text/csv\r\n" +
		"Transfer-Encoding: chunked\r\n\r\n6\r\nemail\n\r\n"
	webtest.Connect(t, "127.0.0.1", at, importing)
	time.Sleep(200 * time.Millisecond) // until the first import has the slot
	c := webtest.Connect(t, "127.0.0.1", at, importing)
	begun := time.Now()
	go func() {
		for {
			if _, err := io.WriteString(c, "1\r\nx\r\n"); err != nil {
				return
			}
			time.Sleep(50 * time.Millisecond)
		}
	}()
	_ = c.SetReadDeadline(time.Now().Add(30 * time.Second))
	status, body := webtest.Answer(t, c)
	webtest.WantError(t, status, []byte(body), 503, "unavailable")
	if took := time.Since(begun); took > 3*time.Second {
		t.Errorf("the refusal took %s", took)
	}
}

// wantCut waits for a file to be ended by its deadline.
func wantCut(t *testing.T, ended <-chan error) {
	t.Helper()
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(15 * time.Second):
		t.Fatal("the file is still written")
	}
}
