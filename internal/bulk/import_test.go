package bulk

import (
	"bufio"
	"bytes"
	"context"
	"encoding/json"
	"io"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/openapi/contract"
)

// TestImportFailsHalfWay applies the rows of a batch in two halves, and fails in the second half. The answer
// must have the lines of the first half, which is committed, and a summary with the code unavailable.
func TestImportFailsHalfWay(t *testing.T) {
	type row struct{ SKU string }
	outcomes := []error{ErrApart, nil, apperr.Unavailable.New()}
	i := Import[row, row]{
		Value: func(r row) row { return r },
		Names: func(r row) []Name { return []Name{{"/sku", r.SKU}} },
		Apply: func(_ context.Context, rows []*Row[row]) error {
			for n, r := range rows {
				r.Is(contract.Created, int64(n+1)) // the result is set before the transaction fails
			}
			err := outcomes[0]
			outcomes = outcomes[1:]
			return err
		},
	}
	rows := &Upload{
		ReadCloser: io.NopCloser(strings.NewReader("sku\na\nb\na\nc\nd\n")), Media: CSV,
		Row: openapi3.NewObjectSchema().WithProperty("sku", openapi3.NewStringSchema()),
	}
	file, err := i.File(t.Context(), rows)
	if err != nil {
		t.Fatal(err)
	}
	var answer bytes.Buffer
	out := bufio.NewWriter(&answer)
	if err := file.Write(out); err == nil || out.Flush() != nil {
		t.Errorf("%v", err)
	}
	var results []contract.ImportLineResult
	var summary *contract.ImportSummary
	for text := range strings.Lines(answer.String()) {
		var line contract.ImportLine
		if err := json.Unmarshal([]byte(text), &line); err != nil {
			t.Fatal(err)
		}
		if summary = line.Summary; summary == nil {
			results = append(results, *line.Result)
		}
	}
	if len(results) != 3 || summary == nil || summary.Complete || summary.Created != 2 || summary.Refused != 1 ||
		summary.Code == nil || *summary.Code != "unavailable" {
		t.Errorf("%s", answer.String())
	}
}
