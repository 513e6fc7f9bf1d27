// Command samples completes answers that are written by hand: the bodies in sdk/odd-answers.json, which the
// tests of every SDK read, and the orders in the events of db/seed.sql. Each answer gets the fields that its
// document requires and the answer lacks: null, or the zero value of a type without null.
package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"example.com/b2b/v2/internal/generate"
	"example.com/b2b/v2/openapi/ordersapi"
)

func main() { generate.Run(run) }

func run(root string) error {
	return errors.Join(
		rewrite(filepath.Join(root, "sdk", "odd-answers.json"), oddAnswers),
		rewrite(filepath.Join(root, "db", "seed.sql"), seed))
}

func rewrite(file string, change func(text string) (string, error)) error {
	before, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	after, err := change(string(before))
	if err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, []byte(after), 0o644)
}

var body = regexp.MustCompile(`(?m)^    "(order|product|page)": (".*"),$`)

// oddAnswers completes the bodies in sdk/odd-answers.json that are orders or products.
func oddAnswers(text string) (string, error) {
	types := map[string]func() any{
		"order":   func() any { return new(ordersapi.OrderResponse) },
		"product": func() any { return new(ordersapi.ProductResponse) },
		"page":    func() any { return new(ordersapi.ProductListResponse) },
	}
	if !body.MatchString(text) {
		return "", errors.New("no answer is an order, a product or a page")
	}
	var failed error
	text = body.ReplaceAllStringFunc(text, func(line string) string {
		parts := body.FindStringSubmatch(line)
		var answer string
		err := json.Unmarshal([]byte(parts[2]), &answer)
		if err == nil {
			answer, err = complete(answer, types[parts[1]]())
		}
		quoted, _ := json.Marshal(answer) // a string is always JSON
		failed = errors.Join(failed, err)
		return fmt.Sprintf("    %q: %s,", parts[1], quoted)
	})
	return text, failed
}

var order = regexp.MustCompile(`'\{"id":.*"items":.*\}'`)

// seed completes the orders in db/seed.sql. There "@" stands for a time, which the program replaces
// meanwhile.
func seed(text string) (string, error) {
	const time = `"0001-01-01T00:00:00.000Z"`
	if !order.MatchString(text) {
		return "", errors.New("no event has an order")
	}
	var failed error
	text = order.ReplaceAllStringFunc(text, func(quoted string) string {
		answer := strings.ReplaceAll(strings.Trim(quoted, "'"), `"@"`, time)
		answer, err := complete(answer, new(ordersapi.Order))
		failed = errors.Join(failed, err)
		return "'" + strings.ReplaceAll(answer, time, `"@"`) + "'"
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
