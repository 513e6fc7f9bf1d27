package bulk

import (
	"bufio"
	"errors"
	"net/http"
)

// File is an answer, sent while Write makes it.
type File struct {
	ContentType string
	Write       func(w *bufio.Writer) error // each flush sends the bytes written so far
}

// ErrReported is an error reported at the end of the file itself: the answer is whole.
type ErrReported struct{ Cause error }

func (e ErrReported) Error() string { return e.Cause.Error() }
func (e ErrReported) Unwrap() error { return e.Cause }

// Respond answers with the file, as the generated servers do. After an error before the first byte the caller
// may send another answer; after a later error the caller must cut the connection, except for an ErrReported.
// A writer without a body, for HEAD, returns http.ErrBodyNotAllowed.
func (f File) Respond(w http.ResponseWriter) error {
	w.Header().Set("Content-Type", f.ContentType)
	out := bufio.NewWriterSize(w, 32<<10)
	err := f.Write(out)
	if err == nil || errors.As(err, new(ErrReported)) {
		err = errors.Join(err, out.Flush())
	}
	if errors.Is(err, http.ErrBodyNotAllowed) {
		return nil
	}
	if answer, ok := w.(interface{ Written() bool }); ok && err != nil && !answer.Written() {
		w.Header().Del("Content-Type") // gin would keep this type for the error
	}
	return err
}
