package bulk

import (
	"bufio"
	"errors"
	"fmt"
	"net/http"
)

// File is an answer with a file. The server sends the file while Write writes it.
type File struct {
	ContentType string
	Name        string                      // file name for browsers that store the file; "" if they show it
	Header      map[string]string           // further headers of the answer
	Write       func(w *bufio.Writer) error // each flush sends the bytes written so far
}

// ErrReported is an error that Write has reported in the last line of the file, so the answer is complete.
type ErrReported struct{ Cause error }

func (e ErrReported) Error() string { return e.Cause.Error() }
func (e ErrReported) Unwrap() error { return e.Cause }

// Respond writes the file to w as the answer. After an error before the first byte, the caller may send
// another answer. After a later error the caller must close the connection, unless the error is an
// ErrReported. http.ErrBodyNotAllowed, the error of a writer for HEAD, counts as success.
func (f File) Respond(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", f.ContentType)
	if f.Name != "" {
		w.Header().Set("Content-Disposition", fmt.Sprintf("attachment; filename=%q", f.Name))
	}
	for name, value := range f.Header {
		w.Header().Set(name, value)
	}
	out := bufio.NewWriterSize(w, 32<<10)
	err := f.Write(out)
	if err == nil || errors.As(err, new(ErrReported)) {
		err = errors.Join(err, out.Flush())
	}
	if errors.Is(err, http.ErrBodyNotAllowed) {
		return nil
	}
	if answer, ok := w.(interface{ Written() bool }); ok && err != nil && !answer.Written() {
		w.Header().Del("Content-Type") // otherwise gin sends the error with the file's type
		w.Header().Del("Content-Disposition")
		for name := range f.Header {
			w.Header().Del(name)
		}
	}
	return err
}
