// Command samples completes hand-written answers: the bodies in sdk/odd-answers.json, which the tests of
// every SDK read, and the orders in the events of db/seed.sql. An answer gets each field that its document
// requires and the answer lacks, with null, or with the zero value of a type without null.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"example.com/b2b/v2/internal/generate"
	"example.com/b2b/v2/openapi/ordersapi"
)

func main() { generate.Run(run) }

func run(root string) error {
	return errors.Join(
		generate.Rewrite(filepath.Join(root, "sdk", "odd-answers.json"), oddAnswers),
		generate.Rewrite(filepath.Join(root, "db", "seed.sql"), seed))
}

var body = regexp.MustCompile(`(?m)^    "(order|product|page)": (".*"),$`)

// oddAnswers completes the bodies in sdk/odd-answers.json that are orders or products.
func oddAnswers(text []byte) ([]byte, error) {
	types := map[string]func() any{
		"order":   func() any { return new(ordersapi.OrderResponse) },
		"product": func() any { return new(ordersapi.ProductResponse) },
		"page":    func() any { return new(ordersapi.ProductListResponse) },
	}
	if !body.Match(text) {
		return nil, errors.New("no answer is an order, a product or a page")
	}
	var failed error
	text = body.ReplaceAllFunc(text, func(line []byte) []byte {
		parts := body.FindSubmatch(line)
		var answer string
		err := json.Unmarshal(parts[2], &answer)
		if err == nil {
			answer, err = complete(answer, types[string(parts[1])]())
		}
		quoted, _ := json.Marshal(answer) // cannot fail for a string
		failed = errors.Join(failed, err)
		return fmt.Appendf(nil, "    %q: %s,", parts[1], quoted)
	})
	return text, failed
}

var order = regexp.MustCompile(`'\{"id":.*"items":.*\}'`)

// seed completes the orders in db/seed.sql. In the file, "@" stands for a time. It is not a valid time, so
// seed replaces it by the zero time while it decodes an order.
func seed(text []byte) ([]byte, error) {
	const time = `"0001-01-01T00:00:00.000Z"`
	if !order.Match(text) {
		return nil, errors.New("no event has an order")
	}
	var failed error
	text = order.ReplaceAllFunc(text, func(quoted []byte) []byte {
		answer := strings.ReplaceAll(strings.Trim(string(quoted), "'"), `"@"`, time)
		answer, err := complete(answer, new(ordersapi.Order))
		failed = errors.Join(failed, err)
		return []byte("'" + strings.ReplaceAll(answer, time, `"@"`) + "'")
	})
	return text, failed
}

// complete returns an answer as the generated type writes it. It refuses an answer with fields that the type
// lacks, because they would be lost.
func complete(answer string, typed any) (string, error) {
	d := json.NewDecoder(strings.NewReader(answer))
	d.DisallowUnknownFields()
	if err := d.Decode(typed); err != nil {
		return answer, fmt.Errorf("%w in %.60s", err, answer)
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	err := e.Encode(typed)
	return strings.TrimSpace(b.String()), err
}
