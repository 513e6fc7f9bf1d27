package main

import (
	"bytes"
	"errors"
	"fmt"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/generate"
	"example.com/b2b/v2/internal/generate/nodes"
)

// writeEndpoints renews the tables of docs/endpoints.md. The page has a section for each service, with the
// title of its document; the rest of the page is written by hand. A new service gets its section before the
// last paragraph, and its row in the table of docs/reference.md.
func writeEndpoints(root string, contracts []contract) error {
	docs := filepath.Join(root, "docs")
	return errors.Join(
		generate.Rewrite(filepath.Join(docs, "endpoints.md"), func(page []byte) (_ []byte, err error) {
			for i := 0; i < len(contracts) && err == nil; i++ {
				page, err = renewTable(page, contracts[i])
			}
			return page, err
		}),
		generate.Rewrite(filepath.Join(docs, "reference.md"), func(page []byte) (_ []byte, err error) {
			for i := 0; i < len(contracts) && err == nil; i++ {
				page, err = addRow(page, contracts[i])
			}
			return page, err
		}))
}

// renewTable writes the operations of a service into the table of its section. It returns an error when the
// page has the section without a table.
func renewTable(page []byte, c contract) ([]byte, error) {
	title := value(nodes.At(c.Node, "info"), "title")
	section := `\n## ` + regexp.QuoteMeta(title) + `\n(?:[^#\n|][^\n]*\n|\n)*`
	const head = `\| operation \| summary \| token \| headers \|\n\|---\|---\|---\|---\|\n`
	table := regexp.MustCompile(section + head + `((?:\|[^\n]*\n)*)`)
	at := table.FindSubmatchIndex(page)
	if at == nil && !bytes.Contains(page, []byte("\n## "+title+"\n")) {
		end := bytes.LastIndex(page, []byte("\n\n")) + 1
		page = fmt.Appendf(nil, newSection, page[:end], title, c.address, c.service, page[end:])
		at = table.FindSubmatchIndex(page)
	}
	if at == nil {
		return nil, fmt.Errorf("the section %q has no table of operations", title)
	}
	return fmt.Appendf(nil, "%s%s%s", page[:at[2]], rows(c), page[at[3]:]), nil
}

var services = regexp.MustCompile(`\| service \| document \|[^\n]*\n(?:\|[^\n]*\n)*`)

// addRow adds a service to the table of docs/reference.md, unless the table has the service already. The row
// has the title of the service, its document, and the first sentence of the document. It returns an error
// when the page has no such table.
func addRow(page []byte, c contract) ([]byte, error) {
	document := "openapi/" + c.service + "api/openapi.gen.yaml"
	table := services.Find(page)
	if table == nil {
		return nil, errors.New("there is no table of the services")
	}
	if bytes.Contains(table, []byte(document)) {
		return page, nil
	}
	info := nodes.At(c.Node, "info")
	does, _, _ := strings.Cut(strings.Join(strings.Fields(value(info, "description")), " "), ". ")
	does = strings.TrimSuffix(does, ".")
	row := fmt.Sprintf("| %s | [%s](../%[2]s) | %s |\n", value(info, "title"), document, does)
	return bytes.Replace(page, table, append(bytes.Clone(table), row...), 1), nil
}

const newSection = `%s
## %s

Locally at <%s>; document:
[openapi/%[4]sapi/openapi.gen.yaml](../openapi/%[4]sapi/openapi.gen.yaml).

| operation | summary | token | headers |
|---|---|---|---|
%[5]s`

// rows returns the rows of a service: each with an operation, its summary, the token that it needs, and its
// headers.
func rows(c contract) string {
	var b strings.Builder
	for _, op := range c.operations() {
		row := fmt.Sprintf("| `%s %s` | %s | %s | %s |\n", strings.ToUpper(op.method), op.path,
			value(op.node, "summary"), tokenOf(op), strings.Join(headersOf(op), ", "))
		b.WriteString(strings.ReplaceAll(row, "|  |", "| |"))
	}
	return b.String()
}

// tokenOf returns the text for the token that an operation needs: its scopes, "the service token" or "none".
func tokenOf(op operation) string {
	security := content(nodes.At(op.node, "security"))
	if len(security) == 0 {
		return "none"
	}
	scopes := content(nodes.At(security[0], "bearerAuth"))
	if len(scopes) == 0 {
		return "the service token"
	}
	token := strings.Join(texts(scopes), ", ")
	if isTrue(op.node, "x-concerns-all-customers") {
		token += "; not for a partner"
	}
	return token
}

// texts returns the values of nodes, as code in Markdown.
func texts(nodes []*yaml.Node) (all []string) {
	for _, n := range nodes {
		all = append(all, "`"+n.Value+"`")
	}
	return all
}

func headersOf(op operation) (all []string) {
	for _, p := range op.parameters {
		if value(p, "in") != "header" {
			continue
		}
		header := "`" + value(p, "name") + "`"
		if isTrue(p, "required") {
			header += " (required)"
		}
		all = append(all, header)
	}
	return all
}
