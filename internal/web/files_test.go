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
	"testing"
	"time"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
)

// echo answers with a line for each row of the sent file. The line says whether the row is valid.
func echo(c *gin.Context) {
	rows, err := bulk.OpenRows(c.Request.Body)
	if err != nil {
		web.Fail(c, err)
		return
	}
	defer rows.Close()
	file := bulk.File{ContentType: bulk.NDJSON, Write: func(w *bufio.Writer) error {
		for {
			row, err := rows.Next()
			switch {
			case errors.Is(err, io.EOF):
				return nil
			case err != nil:
				return err
			}
			fmt.Fprintf(w, `{"success":%v}`+"\n", row.Refused == nil)
		}
	}}
	if err := file.Respond(c.Writer); err != nil {
		web.Fail(c, err)
	}
}

func TestFile(t *testing.T) {
	temporary := t.TempDir()
	t.Setenv("TMPDIR", temporary)
	base := serveThings(t, webtest.Options(), echo)
	file := "name,sure,color\nA,TRUE,\nB,maybe,red\nC,,green\n"
	status, body, _ := webtest.Do(t, "POST", base+"/things/file", file, "Content-Type", "text/csv; charset=utf-8")
	want := `{"success":true}` + "\n" + `{"success":false}` + "\n" + `{"success":false}` + "\n"
	if status != 200 || string(body) != want {
		t.Errorf("%d %s", status, body)
	}
	status, body, _ = webtest.Do(t, "POST", base+"/things/file", "colour\n", "Content-Type", "text/csv")
	webtest.WantError(t, status, body, 400, "validation_failed", "/colour")
	if left, err := os.ReadDir(temporary); err != nil || len(left) > 0 {
		t.Errorf("%v is left, %v", left, err)
	}
	t.Setenv("TMPDIR", temporary+"/missing")
	status, body, _ = webtest.Do(t, "POST", base+"/things/file", "name\n", "Content-Type", "text/csv")
	webtest.WantError(t, status, body, 503, "unavailable")
}

// begin starts a server and sends the beginning of a request.
func begin(t *testing.T, o web.Options, handle gin.HandlerFunc, beginning string) net.Conn {
	t.Helper()
	s := httptest.NewServer(things(t, o, handle))
	t.Cleanup(s.Close)
	conn := dial(t, s)
	if _, err := io.WriteString(conn, beginning); err != nil {
		t.Fatal(err)
	}
	return conn
}

func answered(t *testing.T, conn net.Conn) (*http.Response, []byte) {
	t.Helper()
	res, err := http.ReadResponse(bufio.NewReader(conn), nil)
	if err != nil {
		t.Fatal(err)
	}
	body, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return res, body
}

// TestFileByItsHeaders sends headers that must be refused. The refusal must come before the first byte of the
// body.
func TestFileByItsHeaders(t *testing.T) {
	for headers, want := range map[string]struct {
		status int
		code   string
	}{
		"Content-Type: text/csv\r\nContent-Length: 67108865": {413, "payload_too_large"},
		"Content-Type: text/html\r\nContent-Length: 67":      {415, "unsupported_media_type"},
	} {
		request := "POST /things/file HTTP/1.1\r\nHost: b2b\r\nExpect: 100-continue\r\n" + headers + "\r\n\r\n"
		conn := begin(t, webtest.Options(), echo, request)
		res, body := answered(t, conn)
		webtest.WantError(t, res.StatusCode, body, want.status, want.code)
	}
}

// zeros is a reader without an end.
type zeros struct{}

func (zeros) Read(b []byte) (int, error) {
	clear(b)
	return len(b), nil
}

// TestFileOfUnknownLength sends files whose length no header says. A file of bulk.MaxFile bytes must reach
// the handler, and a file with one byte more must be refused with 413 payload_too_large.
func TestFileOfUnknownLength(t *testing.T) {
	var got int64
	e := things(t, webtest.Options(), func(c *gin.Context) {
		var err error
		if got, err = io.Copy(io.Discard, c.Request.Body); err != nil {
			web.Fail(c, err)
		}
	})
	for length, want := range map[int64]int{bulk.MaxFile: 200, bulk.MaxFile + 1: 413} {
		r := httptest.NewRequest("POST", "/things/file", io.LimitReader(zeros{}, length))
		r.ContentLength = -1
		r.Header.Set("Content-Type", bulk.CSV)
		w := httptest.NewRecorder()
		e.ServeHTTP(w, r)
		if w.Code != want || got != bulk.MaxFile ||
			want == 413 && !strings.Contains(w.Body.String(), `"payload_too_large"`) {
			t.Errorf("%d bytes: %d %s, the handler got %d bytes", length, w.Code, w.Body, got)
		}
	}
}

// TestFileInTime sends a file that stops halfway. The answer must be 408 request_timeout.
func TestFileInTime(t *testing.T) {
	o := webtest.Options()
	o.BodyTimeout = 20 * time.Millisecond
	const half = "POST /things/file HTTP/1.1\r\nHost: b2b\r\nContent-Type: text/csv\r\n" +
		"Content-Length: 15\r\n\r\nname\nA"
	conn := begin(t, o, echo, half)
	res, body := answered(t, conn)
	webtest.WantError(t, res.StatusCode, body, 408, "request_timeout")
}

// TestFileThatNobodyReads writes a file without an end to a caller who reads nothing. The write must fail
// with os.ErrDeadlineExceeded.
func TestFileThatNobodyReads(t *testing.T) {
	o := webtest.Options()
	o.BodyTimeout = 100 * time.Millisecond
	ended := make(chan error, 1)
	endless := func(c *gin.Context) {
		ended <- bulk.File{ContentType: bulk.NDJSON, Write: func(w *bufio.Writer) error {
			for {
				if _, err := w.WriteString(`{"success":true}` + "\n"); err != nil {
					return errors.Join(err, c.Request.Context().Err())
				}
			}
		}}.Respond(c.Writer)
	}
	const request = "POST /things/file HTTP/1.1\r\nHost: b2b\r\nContent-Type: text/csv\r\n" +
		"Content-Length: 5\r\n\r\nname\n"
	begin(t, o, endless, request)
	select {
	case err := <-ended:
		if !errors.Is(err, os.ErrDeadlineExceeded) {
			t.Error(err)
		}
	case <-time.After(30 * time.Second):
		t.Error("the file is still written")
	}
}

// TestFileUntilDeadline imports a file in a request with a deadline, as on Lambda. The handler's context must
// end at the deadline.
func TestFileUntilDeadline(t *testing.T) {
	ended := make(chan error, 1)
	e := things(t, webtest.Options(), func(c *gin.Context) {
		<-c.Request.Context().Done()
		ended <- c.Request.Context().Err()
	})
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	r := httptest.NewRequestWithContext(ctx, "POST", "http://b2b/things/file", strings.NewReader("name\n"))
	r.Header.Set("Content-Type", "text/csv")
	e.ServeHTTP(httptest.NewRecorder(), r)
	if err := <-ended; !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("the handler's context ends with %v", err)
	}
}
