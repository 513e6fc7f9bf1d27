package bulk

import (
	"bufio"
	"cmp"
	"errors"
	"fmt"
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

// encodings holds the encodings of files by name; nil means UTF-8. As in browsers, ISO 8859-1 means
// Windows-1252, which has printable characters where ISO 8859-1 has control characters.
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

// workbooks are the first bytes of files of Excel and LibreOffice that are not CSV: .xlsx and .ods, and .xls.
var workbooks = []string{"PK\x03\x04", "\xD0\xCF\x11\xE0"}

// Encodings returns the names of the encodings of files, in lower case.
func Encodings() []string { return slices.Sorted(maps.Keys(encodings)) }

// Text is the text of a file in UTF-8, without byte order mark.
type Text struct {
	*bufio.Reader
	IsPlain bool // the file is UTF-8 without byte order mark

	encoding string // name of the encoding that the file is converted from; "" for UTF-8
}

// OpenText reads a file in the named encoding. The case of the name does not matter, and "" means UTF-8. A
// byte order mark of the file takes precedence over the name.
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

// CheckText reads a file to its end, and then moves back to the position at which it began. Errors: 400
// malformed_row for a workbook; 400 malformed_row with the number of the first line that is not in the
// encoding; or an error of reading.
func CheckText(file io.ReadSeeker, encoding string) error {
	start, err := file.Seek(0, io.SeekCurrent)
	if err != nil {
		return err
	}
	raw := bufio.NewReader(file)
	if head, _ := raw.Peek(4); slices.Contains(workbooks, string(head)) {
		_, err := file.Seek(start, io.SeekStart)
		return cmp.Or[error](err, apperr.MalformedRow.New("the file is a workbook; save its sheet as CSV"))
	}
	text := OpenText(raw, encoding)
	fault := text.check()
	if encodings[text.encoding] == charmap.Windows1252 {
		if _, err := file.Seek(start, io.SeekStart); err != nil {
			return err
		}
		if line := lineOfUTF8(bufio.NewReader(file)); line > 0 {
			fault = apperr.MalformedRow.New(fmt.Sprintf("line %d is UTF-8, as the whole file is, "+
				"and not %s; name it: encoding=utf-8", line, text.encoding))
		}
	}
	_, err = file.Seek(start, io.SeekStart)
	return cmp.Or(fault, err)
}

// check reads the whole text. Errors: see CheckText.
func (t *Text) check() error {
	var line lineCounter
	for {
		c, size, err := t.ReadRune()
		if errors.Is(err, io.EOF) {
			return nil
		} else if err != nil {
			return err
		}
		fault := ""
		switch {
		case t.encoding != "" && c == utf8.RuneError:
			fault = "is not " + t.encoding
		case c == utf8.RuneError && size == 1:
			fault = "is not UTF-8; if the file is in another encoding, name it, such as encoding=windows-1252"
		case t.encoding == "" && c == 0:
			fault = "has NUL characters; if the file is UTF-16, name it: encoding=utf-16"
		}
		if fault != "" {
			return apperr.MalformedRow.New(fmt.Sprintf("line %d %s", line.at(c), fault))
		}
		line.at(c)
	}
}

// lineCounter counts the lines of a text, which end in a line feed, a carriage return, or both.
type lineCounter struct {
	ended  int
	before rune
}

// at returns the number of the line with the character c, from 1. Call at for each character of the text, in
// order.
func (l *lineCounter) at(c rune) int {
	line := l.ended + 1
	if c == '\n' && l.before == '\r' {
		line--
	} else if c == '\n' || c == '\r' {
		l.ended++
	}
	l.before = c
	return line
}

// lineOfUTF8 returns the first line with a character that only UTF-8 explains. In Windows-1252, the bytes of
// this character would be letters and signs in an order that no language writes, such as "Ã¼" in "MÃ¼ller".
// The result is 0 when no line has such a character, and when any byte of the text is not UTF-8.
func lineOfUTF8(text *bufio.Reader) (found int) {
	var line lineCounter
	var before, char rune // the two characters before next
	for at := 0; ; {
		next, size, err := text.ReadRune()
		if next == utf8.RuneError && size == 1 {
			return 0
		}
		if found == 0 && isOnlyUTF8(before, char, next) {
			found = at
		}
		if err != nil {
			return found
		}
		before, char, at = char, next, line.at(next)
	}
}

// afterCapital has the characters of Windows-1252 that may follow a capital letter with an accent: marks such
// as ™, the end of a quotation or a sentence, dashes, spaces, and the letters Š, Ž, š and ž.
const afterCapital = "ŠŽšž\u00a0®©™°ªº¹²³·•†‡±…’´”»›–—\u00ad"

// isOnlyUTF8 reports whether the bytes of a character in UTF-8 make no sense in Windows-1252. The parameters
// before and next are the characters before and after it. In Windows-1252, the first byte is a letter, mostly
// a capital with an accent, and each other byte is a sign. The result is false when both readings are
// possible: "É®" in "NESCAFÉ®" has the bytes of a single letter in UTF-8.
func isOnlyUTF8(before, char, next rune) bool {
	encoded := string(char)
	letter := charmap.Windows1252.DecodeByte(encoded[0])
	if len(encoded) == 1 || letter == '×' || letter == 'Ø' { // in Windows-1252, ×½ and Ø½ are measures
		return false
	}
	var last rune
	for _, b := range []byte(encoded[1:]) {
		if last = charmap.Windows1252.DecodeByte(b); !strings.ContainsRune(afterCapital, last) {
			return true
		}
	}
	switch {
	case letter < 'À' || letter > 'Þ': // the letter is not a capital
		return false
	case isSmall(before): // in Windows-1252, the capital would be within a word
		return true
	// In Windows-1252, Ã or Â may end a word in capitals. Then a capital stands before it, and no small
	// letter after it.
	case letter == 'Ã' || letter == 'Â':
		return before < 'A' || before > 'Z' || isSmall(next) && last != '’' && last != '\u00a0'
	}
	return false
}

func isSmall(c rune) bool { return c >= 'a' && c <= 'z' }

// lineEnds replaces every carriage return by a line feed. Use lineEnds only for a file whose first line ends
// with a carriage return alone, as Excel for Mac writes: lineEnds would make two line ends of \r\n.
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
