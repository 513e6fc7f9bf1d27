package main

import (
	"bufio"
	"bytes"
	"cmp"
	"encoding/csv"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"

	"github.com/tidwall/gjson"

	"example.com/b2b/v2/internal/bulk"
)

const (
	refusal   = "refusal" // column or field with the reason in a file of refused rows; an import ignores it
	maxReason = 2000      // maximum length of a reason in a file of refused rows, in bytes
	// maximum number of kinds of refusals that are counted and printed separately
	maxKinds = 20
)

// refusals sums up the refused rows of an import, and writes them to a file.
type refusals struct {
	*importCommand
	kinds  map[string]*kind // the key is the reason without its numbers
	others int              // number of refused rows of further kinds, once there are maxKinds kinds

	file, source *os.File // file of the refused rows, and imported file; nil before the first refused row
	out          *bufio.Writer
	copyRow      func(line int, reason string) error // copies the row that begins on the line; lines must ascend
	err          error                               // nil, or the reason why the file lacks rows
}

type kind struct {
	first  int32 // line of the first row of this kind
	reason string
	count  int
}

var digits = regexp.MustCompile(`\d+`)

// add adds a refused row, which begins on the line.
func (r *refusals) add(line int32, reason string) {
	key := digits.ReplaceAllString(reason, "")
	switch k := r.kinds[key]; {
	case k != nil:
		k.count++
	case len(r.kinds) < maxKinds:
		r.kinds[key] = &kind{first: line, reason: reason, count: 1}
	default:
		r.others++
	}
	if r.err == nil && r.file == nil {
		r.err = r.begin()
	}
	if r.err == nil {
		r.err = r.copyRow(int(line), strings.ToValidUTF8(reason[:min(len(reason), maxReason)], ""))
	}
}

// finish completes the file, and prints a line for each kind on stderr. It returns the name of the file with
// the refused rows, which is "" when no row was refused, or an error when this file could not be written.
func (r *refusals) finish() (name string, err error) {
	if r.file != nil {
		r.err = errors.Join(r.err, r.out.Flush(), r.file.Close(), r.source.Close())
	}
	kinds := slices.SortedFunc(maps.Values(r.kinds), func(a, b *kind) int { return cmp.Compare(a.first, b.first) })
	for _, k := range kinds {
		more := ""
		if k.count > 1 {
			more = fmt.Sprintf(" and %d more", k.count-1)
		}
		fmt.Fprintf(os.Stderr, "row %d%s: %s\n", k.first, more, k.reason)
	}
	if r.others > 0 {
		fmt.Fprintf(os.Stderr, "and %d rows for other reasons\n", r.others)
	}
	if r.err != nil {
		return "", fmt.Errorf("the refused rows are in no file: %w", r.err)
	}
	if r.file == nil {
		return "", nil
	}
	return r.file.Name(), nil
}

// begin creates the file, and opens the imported file again. The created file is UTF-8 with a byte order
// mark, so that an import with any --encoding reads it. Only when the imported file is UTF-8 without a mark,
// the created file has no mark either.
func (r *refusals) begin() (err error) {
	if r.source, err = os.Open(r.path); err != nil {
		return err
	}
	if r.file, err = r.create(); err != nil {
		return errors.Join(err, r.source.Close())
	}
	r.out = bufio.NewWriter(r.file)
	text := bulk.OpenText(r.source, r.encoding)
	if !text.IsPlain {
		_, _ = r.out.WriteString("\uFEFF")
	}
	if mediaTypes[r.format] == bulk.NDJSON {
		r.copyLines(text)
		return nil
	}
	return r.copyCells(text)
}

// earlier matches the suffix that create adds to the name of a file.
var earlier = regexp.MustCompile(`\.refused(-\d+)?$`)

// create creates a file with a new name, so that it never overwrites rows that somebody is correcting.
func (r *refusals) create() (*os.File, error) {
	const flags = os.O_WRONLY | os.O_CREATE | os.O_EXCL
	if r.refused != "" {
		return os.OpenFile(r.refused, flags, 0o600)
	}
	extension := filepath.Ext(r.path)
	base := earlier.ReplaceAllString(strings.TrimSuffix(r.path, extension), "") + ".refused"
	file, err := os.OpenFile(base+extension, flags, 0o600)
	for n := 2; errors.Is(err, fs.ErrExist); n++ {
		file, err = os.OpenFile(fmt.Sprint(base, "-", n, extension), flags, 0o600)
	}
	return file, err
}

// copyCells writes the first row of CSV, and prepares copyRow. A row that cannot be parsed keeps its bytes,
// and the reason follows after one more separator. When the imported file already has a column for the
// reason, a row with a wrong number of cells gets no reason.
func (r *refusals) copyCells(text *bulk.Text) error {
	// read has the bytes that the reader has read since the end of the last row. They begin with the text of
	// the next row.
	var read bytes.Buffer
	sheet, err := r.open(bufio.NewReaderSize(io.TeeReader(text, &read), 64<<10))
	if err != nil {
		return err
	}
	_, _ = r.out.WriteString(sheet.SeparatorLine)
	end := sheet.Offset()
	rows := csv.NewWriter(r.out)
	rows.Comma, rows.UseCRLF = sheet.Comma, bytes.HasSuffix(read.Next(int(end)), []byte("\r\n"))
	column := slices.Index(sheet.Columns, refusal)
	write := func(cells []string, reason string) error {
		switch {
		case column < 0:
			cells = append(cells, reason)
		case len(cells) == len(sheet.Columns):
			cells[column] = reason
		} // a row with a wrong number of cells gets no reason, and a later import refuses the row again
		err := rows.Write(cells)
		rows.Flush()
		return errors.Join(err, rows.Error())
	}
	r.copyRow = func(line int, reason string) error {
		for {
			cells, at, err := sheet.Row()
			raw := read.Next(int(sheet.Offset() - end))
			end = sheet.Offset()
			isBroken := errors.As(err, new(*csv.ParseError)) && !errors.Is(err, csv.ErrFieldCount)
			switch {
			case err != nil && at == 0 || at > line:
				return r.notFound(line)
			case at == line && isBroken:
				fmt.Fprintf(r.out, "%s%c", bytes.TrimRight(raw, "\r\n"), sheet.Comma)
				return write(nil, reason)
			case at == line:
				return write(cells, reason)
			}
		}
	}
	return write(sheet.Columns, refusal)
}

func (r *refusals) notFound(line int) error {
	return fmt.Errorf("row %d is not found again: has %s changed?", line, r.path)
}

// copyLines prepares copyRow for NDJSON. A line that is not a JSON object is copied without the reason.
func (r *refusals) copyLines(text *bulk.Text) {
	read := 0
	r.copyRow = func(line int, reason string) (err error) {
		var row []byte
		for ; read < line; read++ {
			if row, err = text.ReadBytes('\n'); err != nil && len(row) == 0 {
				return r.notFound(line)
			}
		}
		encoded, _ := json.Marshal(reason)
		row = bytes.TrimSpace(row)
		switch old := gjson.GetBytes(row, refusal); {
		case !json.Valid(row) || row[0] != '{':
		case old.Exists():
			row = slices.Replace(row, old.Index, old.Index+len(old.Raw), encoded...)
		case len(bytes.TrimSpace(row[1:len(row)-1])) > 0:
			row = fmt.Appendf(row[:len(row)-1], `,%q:%s}`, refusal, encoded)
		default:
			row = fmt.Appendf(nil, `{%q:%s}`, refusal, encoded)
		}
		_, err = r.out.Write(append(row, '\n'))
		return err
	}
}
