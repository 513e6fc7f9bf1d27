package main

import (
	"bufio"
	"bytes"
	"cmp"
	"context"
	"encoding/csv"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/ordersapi"
	b2b "example.com/b2b/v2/sdk/go"
)

// importCommand imports a file of products or customers.
type importCommand struct {
	client
	path, kind, format, encoding, output, refused string
	// from --map: the name of a field, by the folded name of its column
	fields map[string]string
	// the name of a column in the file, by its field; for messages
	columns map[string]string
	dryRun  bool
}

func (i *importCommand) flags(f *flag.FlagSet) {
	i.client.flags(f)
	f.StringVar(&i.kind, "kind", "", "products or customers; without it as the file's name begins")
	f.StringVar(&i.format, "format", "", "csv or ndjson; without it as the file's name ends")
	f.StringVar(&i.encoding, "encoding", "", "the file's encoding, such as windows-1252 (Excel's CSV) or utf-16; "+
		"without it as the file's byte order mark says, or UTF-8")
	f.Func("map", `"Artikelnummer=sku": the column Artikelnummer has the field sku; `+
		`"Artikelnummer=" leaves the column out; may be repeated`, i.addField)
	f.StringVar(&i.refused, "refused", "", "a new file for the refused rows with their reasons, to mend and import; "+
		"without it beside the imported file, as products.refused.csv; none with --output json")
	f.BoolVar(&i.dryRun, "dry-run", false, "say what would happen, and change nothing")
	outputFlag(f, &i.output, "json for a line for each row and the summary, as the service answers; "+
		"text for refused rows and a sentence; without it text")
}

// addField reads a value of the flag --map, such as "Artikelnummer=sku", and sets the field of the column.
// Error: the text does not have the form COLUMN=FIELD, or the column has a field already.
func (i *importCommand) addField(text string) error {
	at := strings.LastIndex(text, "=")
	if at < 1 {
		return errors.New("allowed: COLUMN=FIELD")
	}
	column := foldColumn(text[:at])
	if _, found := i.fields[column]; found {
		return fmt.Errorf("the column %s comes twice", column)
	}
	i.fields[column] = strings.TrimSpace(text[at+1:])
	return nil
}

// foldColumn returns the name of a column in lower case, with one space in the place of each sequence of
// spaces and line breaks.
func foldColumn(name string) string { return strings.ToLower(strings.Join(strings.Fields(name), " ")) }

// run imports the file. It prints the kinds of refusals on stderr, writes the refused rows to a file, and the
// summary to the writer out.
func (i *importCommand) run(ctx context.Context, out io.Writer) error {
	file, err := os.Open(i.path)
	if err != nil {
		return err
	}
	defer file.Close()
	if err := i.connect(); err != nil {
		return err
	}
	if err := i.complete(); err != nil {
		return err
	}
	if err := i.checkText(file); err != nil {
		return err
	}
	rows, err := i.count(file)
	if err != nil {
		return err
	}
	if _, err := file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	bar := progress(rows, "rows")
	defer bar.Clear() // removes the bar, so that an error begins on a new line
	res, err := i.send(ctx, file)
	if err != nil {
		return i.explain(err)
	}
	defer res.Body.Close()
	refused := &refusals{importCommand: i, kinds: map[string]*kind{}}
	var body io.Reader = res.Body
	if i.output == "json" {
		body = io.TeeReader(body, out)
	}
	for answers := json.NewDecoder(body); ; {
		var line contract.ImportLine
		if err := answers.Decode(&line); err != nil {
			_ = bar.Clear()
			file, fileErr := refused.finish()
			err = fmt.Errorf("the answer broke off; repeat the import, it is safe: %w%s", err, partly(file))
			return errors.Join(err, fileErr)
		}
		if line.Summary != nil {
			_ = bar.Finish()
			file, err := refused.finish()
			return errors.Join(i.report(*line.Summary, file, out), err)
		}
		if line.Code != nil && i.output != "json" {
			i.nameColumns(line.Details)
			refused.add(*line.Row, describe(*line.Error, line.Details))
		}
		_ = bar.Add(1)
	}
}

// checkText checks the encoding of the whole file before the first request. With --map the command decodes
// the file, so the service would not see broken characters. The error names the flag --encoding, not the
// parameter encoding of the service.
func (i *importCommand) checkText(file *os.File) error {
	err := bulk.CheckText(file, i.encoding)
	var fault *apperr.Error
	if errors.As(err, &fault) {
		return errors.New(strings.ReplaceAll(fault.Message, "encoding=", "--encoding "))
	}
	return err
}

// mediaTypes holds the media types of files by the ends of their names; Excel's "Unicode Text" ends in .txt.
var mediaTypes = map[string]string{
	"csv": bulk.CSV, "tsv": bulk.CSV, "txt": bulk.CSV, "ndjson": bulk.NDJSON, "jsonl": bulk.NDJSON,
}

// complete takes the kind and the format from the name of the file, unless flags have set them. It fails when
// the kind or the format stays unknown.
func (i *importCommand) complete() error {
	name := strings.ToLower(filepath.Base(i.path))
	for _, kind := range []string{"products", "customers"} {
		if i.kind == "" && strings.HasPrefix(name, kind) {
			i.kind = kind
		}
	}
	i.format = cmp.Or(i.format, strings.TrimPrefix(filepath.Ext(name), "."))
	switch media := mediaTypes[i.format]; {
	case media == "":
		return fmt.Errorf("the format is %q; allowed: --format csv, --format ndjson, "+
			"or a file name that ends so; save the sheet of a workbook as CSV", i.format)
	case media != bulk.CSV && len(i.fields) > 0:
		return errors.New("--map names columns of CSV; the file is NDJSON")
	case i.encoding != "" && !slices.Contains(bulk.Encodings(), strings.ToLower(i.encoding)):
		return fmt.Errorf("the encoding is %q; allowed: %s", i.encoding, strings.Join(bulk.Encodings(), ", "))
	}
	if i.kind != "products" && i.kind != "customers" {
		return fmt.Errorf("the kind is %q; allowed: --kind products, --kind customers, "+
			"or a file name that begins so", i.kind)
	}
	return nil
}

// count returns the number of rows for which the service will answer. It is 0 for a file of CSV that names no
// columns, which the service refuses as a whole.
func (i *importCommand) count(file io.Reader) (rows int64, err error) {
	text := bulk.OpenText(file, i.encoding)
	if mediaTypes[i.format] == bulk.NDJSON {
		for {
			line, err := text.ReadBytes('\n')
			if len(bytes.TrimSpace(line)) > 0 {
				rows++
			}
			if errors.Is(err, io.EOF) {
				return rows, nil
			} else if err != nil {
				return 0, err
			}
		}
	}
	sheet, err := i.open(text.Reader)
	if errors.As(err, new(*apperr.Error)) {
		return 0, nil
	} else if err != nil {
		return 0, err
	}
	for sheet.ReuseRecord = true; ; {
		_, line, err := sheet.Row()
		switch {
		case line > 0: // the service answers each row, even a malformed one
			rows++
		case errors.Is(err, io.EOF):
			return rows, nil
		case err != nil:
			return 0, err
		}
	}
}

// send sends the file. With --map, it sends UTF-8, with the names of the fields in the first row; otherwise
// it sends the file unchanged.
func (i *importCommand) send(ctx context.Context, file *os.File) (*http.Response, error) {
	var body io.Reader = file
	encoding := strings.ToLower(i.encoding)
	setLength := func(context.Context, *http.Request) error { return nil }
	if len(i.fields) > 0 {
		var err error
		if body, err = i.renamed(file); err != nil {
			return nil, err
		}
		encoding = ""
	} else if info, err := file.Stat(); err != nil {
		return nil, err
	} else {
		setLength = func(_ context.Context, req *http.Request) error {
			req.ContentLength = info.Size()
			return nil
		}
	}
	mediaType := mediaTypes[i.format]
	if i.kind == "products" {
		params := &ordersapi.ImportProductsParams{DryRun: &i.dryRun}
		if encoding != "" {
			params.Encoding = new(contract.FileEncoding(encoding))
		}
		return i.Orders.ImportProductsWithBody(ctx, params, mediaType, body, setLength)
	}
	params := &customersapi.ImportCustomersParams{DryRun: &i.dryRun}
	if encoding != "" {
		params.Encoding = new(contract.FileEncoding(encoding))
	}
	return i.Customers.ImportCustomersWithBody(ctx, params, mediaType, body, setLength)
}

// renamed returns the file with the names of fields in place of the names of columns. Each row stays on its
// line. Error: the file lacks a column of --map.
func (i *importCommand) renamed(file io.Reader) (io.Reader, error) {
	text := bulk.OpenText(file, i.encoding)
	sheet, err := i.open(text.Reader)
	if err != nil {
		return nil, err
	}
	missing := maps.Clone(i.fields)
	i.columns = map[string]string{}
	last := len(sheet.Columns) - 1
	lines, _ := sheet.FieldPos(last) // the line on which the last cell of the first row begins
	lines += strings.Count(sheet.Columns[last], "\n")
	names := slices.Clone(sheet.Columns)
	for at, name := range names {
		if field, ok := i.fields[foldColumn(name)]; ok {
			sheet.Columns[at] = field
			i.columns[strings.ToLower(field)] = strings.Join(strings.Fields(name), " ")
			delete(missing, foldColumn(name))
		}
	}
	if len(missing) > 0 {
		return nil, fmt.Errorf("--map: the file has no column %q, only %q", slices.Sorted(maps.Keys(missing))[0], names)
	}
	var head strings.Builder
	row := csv.NewWriter(&head)
	row.Comma = sheet.Comma
	err = row.Write(sheet.Columns)
	row.Flush()
	head.WriteString(strings.Repeat("\n", max(0, lines-strings.Count(head.String(), "\n"))))
	return io.MultiReader(strings.NewReader(sheet.SeparatorLine+head.String()), sheet.Rest), err
}

// explain returns the error for a file that the service refused as a whole. When the service does not know
// the field of a column, the error says how to use --map.
func (i *importCommand) explain(err error) error {
	var refused *b2b.Error
	if !errors.As(err, &refused) {
		return explain(err)
	}
	i.nameColumns(&refused.Details)
	for _, d := range refused.Details {
		if d.Params != nil && (*d.Params)["rule"] == "unknown_field" {
			return fmt.Errorf(`%w --map "COLUMN=FIELD" says which field a column has, `+
				`--map "COLUMN=" leaves the column out`, explain(err))
		}
	}
	return explain(err)
}

// nameColumns replaces fields in the details of errors by the names of their columns in the file, as --map
// says.
func (i *importCommand) nameColumns(details *[]contract.APIErrorDetail) {
	if details == nil {
		return
	}
	for at, d := range *details {
		field := strings.ToLower(strings.TrimPrefix(d.Field, "/"))
		column := cmp.Or(i.columns[field], i.columns[strings.TrimSuffix(field, "_cents")])
		if column != "" {
			(*details)[at].Field = "/" + column
		}
	}
}

// open reads the first row of a CSV file.
func (i *importCommand) open(text *bufio.Reader) (*bulk.Sheet, error) {
	return bulk.OpenSheet(text, func(name string) bool { _, ok := i.fields[foldColumn(name)]; return ok })
}

// report prints the summary of an import. It fails when a row was refused, or when not all rows were read.
// The parameter file is the name of the file with the refused rows; it is "" without such a file.
func (i *importCommand) report(s contract.ImportSummary, file string, out io.Writer) error {
	var err error
	note := ""
	if s.DryRun {
		note = " (a dry run: nothing was changed)"
	}
	if i.output != "json" {
		_, err = fmt.Fprintf(out, "%s: %d created, %d updated, %d unchanged, %d refused%s\n",
			counted(s.Rows), s.Created, s.Updated, s.Unchanged, s.Refused, note)
	}
	switch {
	case !s.Complete:
		return fmt.Errorf("the file was not read to its end: %s%s", *s.Error, partly(file))
	case s.Refused > 0 && file != "":
		return fmt.Errorf("%s refused; %s has them, with the reasons", counted(s.Refused), file)
	case s.Refused > 0:
		return fmt.Errorf("%s refused", counted(s.Refused))
	}
	return err
}

// partly ends the message of an import that ended early: it names the file with the refused rows, if there is
// one. Somebody who mends these rows must know that further rows may be refused.
func partly(file string) string {
	if file == "" {
		return ""
	}
	return fmt.Sprintf("; %s has only the refused rows that were answered so far", file)
}

// counted returns a number of rows with its noun: 1 row, or 3 rows.
func counted(rows int32) string {
	if rows == 1 {
		return "1 row"
	}
	return fmt.Sprintf("%d rows", rows)
}
