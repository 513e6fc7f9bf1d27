package main

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"

	"example.com/b2b/v2/internal/bulk"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/ordersapi"
)

// importCommand imports a file of products or customers.
type importCommand struct {
	client
	path, kind, format, output string
	dryRun                     bool
}

func (i *importCommand) flags(f *flag.FlagSet) {
	i.client.flags(f)
	f.StringVar(&i.kind, "kind", "", "products or customers; without it as the file's name begins")
	f.StringVar(&i.format, "format", "", "csv or ndjson; without it as the file's name ends")
	f.BoolVar(&i.dryRun, "dry-run", false, "say what would happen, and change nothing")
	outputFlag(f, &i.output, "json for a line for each row and the summary, as the service answers; "+
		"text for refused rows and a sentence; without it text")
}

// run imports the file. It prints the refused rows on stderr, and writes the summary to the writer out.
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
	rows, size, err := measure(file, i.format == "csv")
	if err != nil {
		return err
	}
	bar := progress(rows, "rows")
	defer bar.Clear() // an error stands on a line of its own
	res, err := i.send(ctx, file, size)
	if err != nil {
		return explain(err)
	}
	defer res.Body.Close()
	var body io.Reader = res.Body
	if i.output == "json" {
		body = io.TeeReader(body, out)
	}
	for answers := json.NewDecoder(body); ; {
		var line contract.ImportLine
		if err := answers.Decode(&line); err != nil {
			return fmt.Errorf("the answer broke off; repeat the import, it is safe: %w", err)
		}
		if line.Summary != nil {
			_ = bar.Finish()
			return i.report(*line.Summary, out)
		}
		if line.Code != nil && i.output != "json" {
			_ = bar.Clear()
			fmt.Fprintf(os.Stderr, "row %d: %s\n", *line.Row, describe(*line.Error, line.Details))
		}
		_ = bar.Add(1)
	}
}

var mediaTypes = map[string]string{"csv": bulk.CSV, "ndjson": bulk.NDJSON, "jsonl": bulk.NDJSON}

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
	if mediaTypes[i.format] == "" {
		return fmt.Errorf("the format is %q; allowed: --format csv, --format ndjson, "+
			"or a file name that ends so", i.format)
	}
	if i.kind != "products" && i.kind != "customers" {
		return fmt.Errorf("the kind is %q; allowed: --kind products, --kind customers, "+
			"or a file name that begins so", i.kind)
	}
	return nil
}

// measure counts the rows and bytes of a file, and seeks back to the start. The head of a CSV file is no row,
// and neither is a line within a quoted cell.
func measure(file io.ReadSeeker, isCSV bool) (rows, size int64, err error) {
	lineHasText, isQuoted := false, false
	for buffer := make([]byte, 64<<10); ; {
		n, err := file.Read(buffer)
		size += int64(n)
		for _, b := range buffer[:n] {
			switch {
			case b == '"' && isCSV:
				isQuoted, lineHasText = !isQuoted, true
			case b == '\n' && !isQuoted:
				if lineHasText {
					rows++
				}
				lineHasText = false
			case b != '\r':
				lineHasText = true
			}
		}
		if errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			return 0, 0, err
		}
	}
	if lineHasText { // without a newline
		rows++
	}
	if isCSV {
		rows = max(0, rows-1)
	}
	_, err = file.Seek(0, io.SeekStart)
	return rows, size, err
}

func (i *importCommand) send(ctx context.Context, file io.Reader, size int64) (*http.Response, error) {
	setLength := func(_ context.Context, req *http.Request) error {
		req.ContentLength = size
		return nil
	}
	mediaType := mediaTypes[i.format]
	if i.kind == "products" {
		params := &ordersapi.ImportProductsParams{DryRun: &i.dryRun}
		return i.Orders.ImportProductsWithBody(ctx, params, mediaType, file, setLength)
	}
	params := &customersapi.ImportCustomersParams{DryRun: &i.dryRun}
	return i.Customers.ImportCustomersWithBody(ctx, params, mediaType, file, setLength)
}

// report prints the summary of an import. It fails when a row was refused, or when not all
// rows were read.
func (i *importCommand) report(s contract.ImportSummary, out io.Writer) error {
	note := ""
	if s.DryRun {
		note = " (a dry run: nothing was changed)"
	}
	if i.output != "json" {
		fmt.Fprintf(out, "%d rows: %d created, %d updated, %d unchanged, %d refused%s\n",
			s.Rows, s.Created, s.Updated, s.Unchanged, s.Refused, note)
	}
	switch {
	case !s.Complete:
		return fmt.Errorf("the file was not read to its end: %s", *s.Error)
	case s.Refused > 0:
		return fmt.Errorf("%d rows were refused", s.Refused)
	}
	return nil
}
