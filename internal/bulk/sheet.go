package bulk

import (
	"bufio"
	"bytes"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"regexp"
	"slices"
	"strings"

	"example.com/b2b/v2/internal/apperr"
)

// headSize is the number of bytes at the beginning of the text in which OpenSheet looks for the names of the
// columns. The same characters may take twice as many bytes in the file, which must still be below maxRow.
const headSize = 8 << 10

// Sheet reads CSV as spreadsheets write it.
type Sheet struct {
	*csv.Reader
	Columns       []string  // cells of the first row that is not blank
	SeparatorLine string    // the line sep=, with its line end and a byte order mark after it; or ""
	Rest          io.Reader // the text after the rows that were read

	skipped int64 // bytes of the line sep=, which the csv.Reader does not read
	lines   int   // lines before the first line of the csv.Reader: 1 after a line sep=, else 0
	ended   int   // line on which the row that was read last ends
}

// separatorLine matches the line sep=, which tells Excel the separator of a file. It matches only a separator
// that CSV can have. A program that puts the line before a finished file leaves the byte order mark of that
// file after the line.
var separatorLine = regexp.MustCompile(`(?i)^"?sep=([^"\r\n\x00\x{FFFD}])"?\r?\n\x{FEFF}?`)

// OpenSheet reads the names of the columns: the first row with a cell that is not empty. Spreadsheets write
// rows of empty cells above a table that does not begin in the first row of its sheet. A line sep= before the
// rows names the separator. Without this line, the separator is the comma, semicolon or tab that splits the
// row into the most known names, or else into the most cells. Error: 400 malformed_row.
func OpenSheet(text *bufio.Reader, known func(name string) bool) (*Sheet, error) {
	head, _ := text.Peek(headSize)
	if end := bytes.IndexByte(head, '\r'); end >= 0 && end+1 < len(head) && head[end+1] != '\n' &&
		!bytes.Contains(head[:end], []byte{'\n'}) {
		text = bufio.NewReaderSize(lineEnds{text}, maxRow)
		head, _ = text.Peek(headSize)
	}
	s := &Sheet{}
	comma := ','
	if line := separatorLine.FindSubmatch(head); line != nil {
		s.SeparatorLine, s.skipped, s.lines = string(line[0]), int64(len(line[0])), 1
		comma = []rune(string(line[1]))[0]
		_, _ = text.Discard(len(line[0]))
	} else {
		comma = separator(head, known)
	}
	s.Reader, s.Rest = csv.NewReader(text), text
	s.Comma = comma
	var err error
	s.Columns, err = readFirst(s.Reader)
	if errors.As(err, new(*csv.ParseError)) || errors.Is(err, io.EOF) {
		return nil, apperr.MalformedRow.Because(err, "the first line does not name columns")
	} else if err == nil {
		s.ended = s.endOf(s.Columns)
	}
	return s, err
}

// readFirst returns the cells of the first row that is not blank. Each later row must have as many cells.
func readFirst(rows *csv.Reader) ([]string, error) {
	for {
		cells, err := rows.Read()
		if err != nil || !isBlank(cells) {
			return cells, err
		}
		rows.FieldsPerRecord = 0 // a blank row may have another number of cells than the rows below
	}
}

func isBlank(cells []string) bool {
	return !slices.ContainsFunc(cells, func(cell string) bool { return cell != "" })
}

// separator chooses the separator by the first row in head, the beginning of the file: see OpenSheet.
func separator(head []byte, known func(name string) bool) rune {
	best, most := ',', -1
	for _, comma := range ",;\t" {
		row := csv.NewReader(bytes.NewReader(head))
		row.Comma = comma
		cells, _ := readFirst(row)
		score := len(cells)
		for _, name := range cells {
			if known(name) {
				score += headSize
			}
		}
		if score > most {
			best, most = comma, score
		}
	}
	return best
}

// Row returns the cells of the next row, and the line on which the row begins. The line is 0 for a row of
// empty cells: spreadsheets write such rows below a table, and an import skips them. The cells are valid
// until the next call. Errors: *csv.ParseError, io.EOF at the end, or an error of reading.
func (s *Sheet) Row() (cells []string, line int, err error) {
	cells, err = s.Read()
	var broken *csv.ParseError
	switch {
	case err == nil || errors.Is(err, csv.ErrFieldCount):
		s.ended = s.endOf(cells)
		if isBlank(cells) {
			return cells, 0, nil
		}
	case errors.As(err, &broken):
		s.ended = broken.Line + s.lines
	default:
		return nil, 0, err
	}
	if errors.As(err, &broken) {
		return cells, broken.StartLine + s.lines, err
	}
	line, _ = s.FieldPos(0)
	return cells, line + s.lines, nil
}

// endOf returns the line on which the row that was read last ends.
func (s *Sheet) endOf(cells []string) int {
	last := len(cells) - 1
	line, _ := s.FieldPos(last)
	return line + strings.Count(cells[last], "\n") + s.lines
}

// Offset returns the number of bytes from the beginning of the text to the end of the row that was read last.
func (s *Sheet) Offset() int64 { return s.skipped + s.InputOffset() }

// reason returns the message for a row that is not CSV. A missing quote makes the row take the lines below,
// and rows on those lines get no answers of their own. So the message names the last line of the row.
func (s *Sheet) reason(err *csv.ParseError) string {
	const quote = "a quote is where CSV has none, or missing"
	switch {
	case errors.Is(err, csv.ErrFieldCount):
		return "it has more or fewer cells than the first line: " +
			"each row needs as many separators even where its last cells are empty"
	case err.Line > err.StartLine:
		return fmt.Sprintf(quote+"; the row was taken to go on to line %d", err.Line+s.lines)
	}
	return quote
}
