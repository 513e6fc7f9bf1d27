package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/internal/apperr"
)

// addErrors adds to an operation a response for each status that the catalogue has for it.
func (d document) addErrors(op operation) {
	byStatus := map[int][]*apperr.Code{}
	for _, c := range apperr.Catalogue() {
		if slices.ContainsFunc(c.On, func(on string) bool { return d.belongs(op, on) }) {
			byStatus[c.Status] = append(byStatus[c.Status], c)
		}
	}
	for _, c := range apperr.Catalogue() {
		codes := byStatus[c.Status]
		status := strconv.Itoa(c.Status)
		if len(codes) == 0 || at(op.node, "responses", status) != nil {
			continue
		}
		names := make([]string, len(codes))
		for i, code := range codes {
			names[i] = camel(code.Name)
		}
		name := strings.Join(names, "Or")
		responses := child(child(d.root, "components"), "responses")
		for n := 2; at(responses, name) != nil && !slices.Equal(d.saying(at(responses, name)), sentences(codes)); n++ {
			name = strings.Join(names, "Or") + strconv.Itoa(n) // the same codes with other sentences
		}
		if at(responses, name) == nil {
			set(responses, name, response(codes))
		}
		set(at(op.node, "responses"), status, ref("responses", name))
	}
}

// belongs reports whether an operation is the one that a code names, or is in the group that it names.
func (d document) belongs(op operation, on string) bool {
	operations := op.path == "/health" || op.path == "/ready"
	takes := func(name string, required bool) bool {
		return slices.ContainsFunc(op.params, func(p *yaml.Node) bool {
			if target, shared := strings.CutPrefix(value(p, "$ref"), prefix); shared {
				p = at(d.shared, strings.Split(target, "/")...)
			} else if target, own := strings.CutPrefix(value(p, "$ref"), "#/"); own {
				p = at(d.root, strings.Split(target, "/")...)
			}
			return value(p, "name") == name && (!required || value(p, "required") == "true")
		})
	}
	switch on {
	case apperr.Always:
		return true
	case apperr.Business:
		return !operations
	case apperr.WithDatabase:
		return op.path != "/health"
	case apperr.WithPeers:
		return strings.HasPrefix(op.path, "/orchestrator/")
	case apperr.WithBody:
		return at(op.node, "requestBody") != nil
	case apperr.WithKey:
		return takes(keyHeader, false)
	case apperr.WithNeededKey:
		return takes(keyHeader, true)
	case apperr.WithIfMatch:
		return takes("If-Match", false)
	case apperr.WithSecurity:
		security := at(op.node, "security")
		return security != nil && len(security.Content) > 0
	}
	return op.id == on
}

const keyHeader = "X-Idempotency-Key"

// addHeaders adds the headers that the answers of an operation have.
func (d document) addHeaders(op operation) {
	responses := at(op.node, "responses")
	for i := 0; i+1 < len(responses.Content); i += 2 {
		if value(responses.Content[i+1], "$ref") == prefix+"components/responses/NotModified" {
			d.inline(responses.Content[i+1])
		}
		status, r := responses.Content[i].Value, responses.Content[i+1]
		if name, found := strings.CutPrefix(value(r, "$ref"), "#/components/responses/"); found {
			r = d.component("responses", name)
		}
		headers := &yaml.Node{Kind: yaml.MappingNode}
		set(headers, "X-Correlation-Id", sharedRef("headers", "CorrelationId"))
		if status[0] == '2' && d.belongs(op, apperr.WithKey) {
			set(headers, "Idempotency-Replayed", sharedRef("headers", "IdempotencyReplayed"))
		}
		if own := at(r, "headers"); own != nil && at(own, "X-Correlation-Id") == nil {
			headers.Content = append(headers.Content, own.Content...)
		}
		if at(r, "headers", "X-Correlation-Id") == nil {
			set(r, "headers", headers)
		}
	}
}

func response(codes []*apperr.Code) *yaml.Node {
	headers, examples := &yaml.Node{Kind: yaml.MappingNode}, &yaml.Node{Kind: yaml.MappingNode}
	var when []string
	for _, c := range codes {
		when = append(when, fmt.Sprintf("`%s`: %s", c.Name, c.When))
		if c.Retry == apperr.Later {
			set(headers, "Retry-After", sharedRef("headers", "RetryAfter"))
		}
		if c == apperr.Unauthorized {
			set(headers, "WWW-Authenticate", sharedRef("headers", "WWWAuthenticate"))
		}
		answer := struct { // openapi/contract's type is made by this program
			Success bool            `json:"success"`
			Error   string          `json:"error"`
			Code    string          `json:"code"`
			Details []apperr.Detail `json:"details,omitempty"`
		}{Error: c.New(c.Args...).Message, Code: c.Name}
		if c.Example.Field != "" {
			answer.Details = []apperr.Detail{c.Example}
		}
		example := node(map[string]any{"summary": c.When})
		set(example, "value", node(answer))
		set(examples, c.Name, example)
	}
	r := node(map[string]any{"description": strings.Join(when, " ")})
	if len(headers.Content) > 0 {
		set(r, "headers", headers)
	}
	content := child(child(r, "content"), "application/json")
	set(content, "schema", sharedRef("schemas", "ApiError"))
	set(content, "examples", examples)
	return r
}

// saying returns the sentences of a response's examples.
func (d document) saying(response *yaml.Node) (all []string) {
	examples := at(response, "content", "application/json", "examples")
	for i := 1; i < len(examples.Content); i += 2 {
		all = append(all, value(at(examples.Content[i], "value"), "error"))
	}
	return all
}

func sentences(codes []*apperr.Code) (all []string) {
	for _, c := range codes {
		all = append(all, c.New(c.Args...).Message)
	}
	return all
}

// codeNames returns each name of the catalogue once.
func codeNames() (names []string) {
	for _, c := range apperr.Catalogue() {
		if !slices.Contains(names, c.Name) {
			names = append(names, c.Name)
		}
	}
	return names
}

// checkCatalogue refuses a code of an operation that no document has.
func checkCatalogue(operations map[string]bool) error {
	groups := []string{apperr.Always, apperr.Business, apperr.WithDatabase, apperr.WithBody, apperr.WithKey, apperr.WithNeededKey,
		apperr.WithIfMatch, apperr.WithSecurity, apperr.Unrouted, apperr.WithPeers}
	for _, c := range apperr.Catalogue() {
		for _, on := range c.On {
			if !operations[on] && !slices.Contains(groups, on) {
				return fmt.Errorf("the catalogue lets %s answer %s, which no document has", on, c.Name)
			}
		}
	}
	return nil
}

// errorsPage returns docs/errors.md.
func errorsPage() []byte {
	var b bytes.Buffer
	b.WriteString("<!-- Generated from internal/apperr/catalogue.go by make generate. DO NOT EDIT. -->\n# Error codes\n\n" +
		"Every error, from whatever layer, is `{\"success\": false, \"error\", \"code\", \"details\"}`. Branch on `code`; others may be added.\n" +
		"\"Again?\" says whether the same call may succeed later.\n")
	var last string
	for _, c := range apperr.Catalogue() {
		if c.Name != last {
			fmt.Fprintf(&b, "\n## %s\n\n", c.Name)
		} else {
			b.WriteString("\n")
		}
		last = c.Name
		fmt.Fprintf(&b, "%d: \"%s\"\n\n- When: %s\n- Do: %s\n- Again? %s.\n", c.Status, c.New(c.Args...).Message, c.When, c.Do, c.Retry)
	}
	return b.Bytes()
}

func ref(kind, name string) *yaml.Node {
	return node(map[string]any{"$ref": "#/components/" + kind + "/" + name})
}

func sharedRef(kind, name string) *yaml.Node {
	return node(map[string]any{"$ref": prefix + "components/" + kind + "/" + name})
}

// camel turns snake_case into SnakeCase.
func camel(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
