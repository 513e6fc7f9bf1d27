package bulk

import (
	"bufio"
	"bytes"
	"io"
	"maps"
	"slices"
	"strings"
	"unicode/utf8"

	"golang.org/x/text/encoding"
	"golang.org/x/text/encoding/charmap"
	"golang.org/x/text/encoding/unicode"

	"example.com/b2b/v2/internal/apperr"
)

// encodings holds the encodings of files by name; nil is UTF-8. As in browsers, ISO 8859-1 is Windows-1252,
// which has characters in place of control characters.
var encodings = map[string]encoding.Encoding{
	"utf-8":        nil,
	"utf-16":       unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf-16le":     unicode.UTF16(unicode.LittleEndian, unicode.UseBOM),
	"utf-16be":     unicode.UTF16(unicode.BigEndian, unicode.UseBOM),
	"windows-1252": charmap.Windows1252,
	"iso-8859-1":   charmap.Windows1252,
	"iso-8859-15":  charmap.ISO8859_15,
	"macintosh":    charmap.Macintosh,
	"ibm850":       charmap.CodePage850,
}

// Encodings returns the names of the encodings of files, in lower case.
func Encodings() []string { return slices.Sorted(maps.Keys(encodings)) }

// Text is the text of a file in UTF-8, without byte order mark.
type Text struct {
	*bufio.Reader
	IsPlain bool // the file is UTF-8 without byte order mark

	encoding string // name of the encoding that the file is converted from; "" for UTF-8
}

// OpenText reads a file in the named encoding, in any case; "" is UTF-8. A byte order mark of the file takes
// precedence over the name.
func OpenText(file io.Reader, encoding string) *Text {
	raw := bufio.NewReaderSize(file, maxRow)
	mark, _ := raw.Peek(3)
	encoding = strings.ToLower(encoding)
	switch {
	case string(mark) == "\uFEFF":
		_, _ = raw.Discard(3)
		return &Text{Reader: raw}
	case strings.HasPrefix(string(mark), "\xFF\xFE"), strings.HasPrefix(string(mark), "\xFE\xFF"):
		encoding = "utf-16"
	case encodings[encoding] == nil:
		return &Text{Reader: raw, IsPlain: true}
	}
	decoded := encodings[encoding].NewDecoder().Reader(raw)
	return &Text{Reader: bufio.NewReaderSize(decoded, maxRow), encoding: encoding}
}

// check returns malformed_row when a part of the text is not in the encoding, or nil.
func (t *Text) check(part []byte) *apperr.Error {
	switch {
	case t.encoding != "" && bytes.ContainsRune(part, utf8.RuneError):
		return apperr.MalformedRow.New("it is not " + t.encoding)
	case t.encoding == "" && !utf8.Valid(part):
		return apperr.MalformedRow.New("it is not UTF-8; if the file is in another encoding, name it, " +
			"such as encoding=windows-1252")
	case t.encoding == "" && bytes.IndexByte(part, 0) >= 0:
		return apperr.MalformedRow.New("it has NUL characters; if the file is UTF-16, name it: encoding=utf-16")
	}
	return nil
}

// lineEnds replaces each carriage return without a line feed, as Excel for Mac writes, by a line feed.
type lineEnds struct{ text io.Reader }

func (l lineEnds) Read(b []byte) (int, error) {
	n, err := l.text.Read(b)
	for i := range n {
		if b[i] == '\r' {
			b[i] = '\n'
		}
	}
	return n, err
}
