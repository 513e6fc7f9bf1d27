package main

import (
	"bytes"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/apperr"

	"example.com/b2b/v2/internal/generate/nodes"
)

// responses adds error responses and headers to the operations of a document.
type responses struct {
	document
	codes map[string][]string // error messages, by the name of the response
}

// addErrors adds to an operation a response for each status of the operation's codes in the catalogue.
// Operations with the same codes and messages share the response. The name of a response lists its codes.
func (r responses) addErrors(op operation) {
	for _, group := range byStatus(op) {
		status := strconv.Itoa(group[0].Status)
		if nodes.At(op.node, "responses", status) != nil {
			continue
		}
		var names, messages []string
		for _, c := range group {
			names = append(names, camel(c.Name))
			messages = append(messages, c.New(c.Args...).Message)
		}
		name := strings.Join(names, "Or")
		for n := 2; r.codes[name] != nil && !slices.Equal(r.codes[name], messages); n++ {
			// Another response has the same codes, but other messages.
			name = strings.Join(names, "Or") + strconv.Itoa(n)
		}
		if r.codes[name] == nil {
			r.codes[name] = messages
			set(nodes.At(r.Node, "components", "responses"), name, response(group))
		}
		set(nodes.At(op.node, "responses"), status, node(ref("responses", name)))
	}
}

// byStatus returns the codes of an operation, grouped by status. It relies on the catalogue, which is sorted
// by status.
func byStatus(op operation) (all [][]*apperr.Code) {
	for _, c := range apperr.Catalogue() {
		if !slices.ContainsFunc(c.On, op.isOneOf) {
			continue
		}
		if last := len(all) - 1; last >= 0 && all[last][0].Status == c.Status {
			all[last] = append(all[last], c)
		} else {
			all = append(all, []*apperr.Code{c})
		}
	}
	return all
}

// isOneOf reports whether an entry of Code.On covers the operation. An entry is an operation id, a path or a
// group. A path also covers the paths below it.
func (op operation) isOneOf(on string) bool {
	if strings.HasPrefix(on, "/") {
		return op.path == on || strings.HasPrefix(op.path, on+"/")
	}
	if in, isGroup := groups[on]; isGroup {
		return in(op)
	}
	return op.id == on
}

// groups says, for each group of operations in Code.On, which operations belong to the group.
var groups = map[string]func(op operation) bool{
	apperr.Always:        func(operation) bool { return true },
	apperr.Business:      func(op operation) bool { return op.path != "/health" && op.path != "/ready" },
	apperr.WithDatabase:  func(op operation) bool { return op.path != "/health" },
	apperr.WithPeers:     func(op operation) bool { return strings.HasPrefix(op.path, "/orchestrator/") },
	apperr.WithBody:      func(op operation) bool { return op.body("application/json") != nil },
	apperr.WithRows:      func(op operation) bool { return op.body("text/csv") != nil },
	apperr.WithKey:       func(op operation) bool { return op.takes("X-Idempotency-Key") != nil },
	apperr.WithNeededKey: func(op operation) bool { return isTrue(op.takes("X-Idempotency-Key"), "required") },
	apperr.WithIfMatch:   func(op operation) bool { return op.takes("If-Match") != nil },
	apperr.WithSecurity:  func(op operation) bool { return len(content(nodes.At(op.node, "security"))) > 0 },
	apperr.Unrouted:      func(operation) bool { return false },
}

// body returns the request body of a media type, or nil when there is none.
func (op operation) body(media string) *yaml.Node {
	return nodes.At(op.node, "requestBody", "content", media)
}

// takes returns the parameter with this name, or nil when there is none.
func (op operation) takes(name string) *yaml.Node {
	i := slices.IndexFunc(op.parameters, func(p *yaml.Node) bool { return value(p, "name") == name })
	if i < 0 {
		return nil
	}
	return op.parameters[i]
}

// addHeaders adds the header X-Correlation-Id to each response of an operation, and the headers for
// idempotency keys and for deprecation to each successful response.
func (r responses) addHeaders(op operation) {
	for pair := range slices.Chunk(nodes.At(op.node, "responses").Content, 2) {
		answer := r.target(pair[1])
		if nodes.At(answer, "headers", "X-Correlation-Id") != nil {
			continue
		}
		headers := map[string]any{"X-Correlation-Id": ref("headers", "CorrelationId")}
		if pair[0].Value[0] == '2' && op.isOneOf(apperr.WithKey) {
			headers["Idempotency-Replayed"] = ref("headers", "IdempotencyReplayed")
		}
		if pair[0].Value[0] == '2' && isTrue(op.node, "deprecated") {
			headers["Deprecation"] = ref("headers", "Deprecation")
			headers["Sunset"] = ref("headers", "Sunset")
		}
		all := node(headers)
		if own := nodes.At(answer, "headers"); own != nil {
			merge(all, own)
		}
		set(answer, "headers", all)
	}
}

// response returns the response for codes that have the same status, with an example for each code.
func response(codes []*apperr.Code) *yaml.Node {
	headers, examples := map[string]any{"Link": ref("headers", "Help")}, &yaml.Node{Kind: yaml.MappingNode}
	var when []string
	for _, c := range codes {
		when = append(when, fmt.Sprintf("`%s`: %s", c.Name, c.When))
		if c.Retry == apperr.Later {
			headers["Retry-After"] = ref("headers", "RetryAfter")
		}
		if c == apperr.Unauthorized {
			headers["WWW-Authenticate"] = ref("headers", "WWWAuthenticate")
		}
		if c == apperr.RateLimited {
			headers["RateLimit"] = ref("headers", "RateLimit")
			headers["RateLimit-Policy"] = ref("headers", "RateLimitPolicy")
		}
		answer := struct { // like contract.ErrorBody, which this program generates
			Success     bool
			Error, Code string
			Details     []apperr.Detail `yaml:",omitempty"`
		}{Error: c.New(c.Args...).Message, Code: c.Name}
		if c.Example.Field != "" {
			answer.Details = []apperr.Detail{c.Example}
		}
		set(examples, c.Name, node(map[string]any{"summary": c.When, "value": answer}))
	}
	body := map[string]any{"schema": ref("schemas", "ErrorBody"), "examples": examples}
	return node(struct {
		Description string
		Headers     map[string]any `yaml:",omitempty"`
		Content     map[string]any
	}{strings.Join(when, " "), headers, map[string]any{"application/json": body}})
}

func ref(kind, name string) map[string]string {
	return map[string]string{"$ref": "#/components/" + kind + "/" + name}
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

// checkCatalogue returns an error when a code is for an operation that no contract has.
func checkCatalogue(contracts []contract) error {
	operations := map[string]bool{}
	for _, c := range contracts {
		for _, op := range c.operations() {
			operations[op.id], operations[op.path] = true, true
		}
	}
	for _, c := range apperr.Catalogue() {
		for _, on := range c.On {
			if !operations[on] && groups[on] == nil {
				return fmt.Errorf("the catalogue lets %s answer %s, which no document has", on, c.Name)
			}
		}
	}
	return nil
}

// errorsPage returns the content of docs/errors.md.
func errorsPage() []byte {
	var b bytes.Buffer
	b.WriteString("<!-- Generated from internal/apperr/catalogue.go by make generate. DO NOT EDIT. -->\n" +
		"# Error codes\n\n" +
		"Every error, from whatever layer, is `{\"success\": false, \"error\", \"code\", \"details\"}`. " +
		"Branch on `code`; others may be added.\n" +
		"\"Again?\" says whether the same call may succeed later. Back to the [README](../README.md).\n\n")
	last := ""
	for _, c := range apperr.Catalogue() {
		if c.Name != last {
			fmt.Fprintf(&b, "- [%s](#%s)\n", c.Name, c.Name)
		}
		last = c.Name
	}
	for _, c := range apperr.Catalogue() {
		if c.Name != last {
			fmt.Fprintf(&b, "\n## %s\n", c.Name)
		}
		last = c.Name
		fmt.Fprintf(&b, "\n%d: \"%s\"\n\n- When: %s\n- Do: %s\n- Again? %s.\n",
			c.Status, c.New(c.Args...).Message, c.When, c.Do, c.Retry)
	}
	return b.Bytes()
}

// camel turns snake_case into SnakeCase.
func camel(name string) string {
	var b strings.Builder
	for part := range strings.SplitSeq(name, "_") {
		b.WriteString(strings.ToUpper(part[:1]) + part[1:])
	}
	return b.String()
}
