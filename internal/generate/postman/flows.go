package main

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"go.yaml.in/yaml/v3"
)

// table is the content of flows.yaml.
type table struct {
	Requests map[string]exception // by operation id
	Flows    []flow
}

// exception is what the request of an operation needs beyond its example: values for the path, and values of
// the answer to keep in variables.
type exception struct {
	Path map[string]string
	Save map[string]string
}

type flow struct {
	Name, About string
	Steps       []step
}

// step is one request of a flow, with the tests of its answer. Expect and Save name places in the answer:
// "data.items.0.qty" is in the body, and "headers.ETag" is a header.
type step struct {
	Name, About string
	Call        string            // operation id
	Send        string            // method and address of a request that is in no document; then Call is ""
	Set         map[string]string // variables to set before the request
	Script      []string          // JavaScript to run before the request
	Path        map[string]string
	Query       map[string]string
	Headers     map[string]string
	Body        yaml.Node
	Raw         string // a body that is not JSON
	Token       string // variable that has the token; "none" sends no token, and "" the collection's token

	Status int
	Code   string         // expected error code
	Expect map[string]any // expected values, by their place in the answer
	Header map[string]string
	// Save says which values of the answer to keep: their places, by the names of the variables.
	Save map[string]string
}

func (s *step) path(name, value string) {
	if s.Path == nil {
		s.Path = map[string]string{}
	}
	s.Path[name] = value
}

func (g *generator) flow(f flow) (folder, error) {
	made := folder{Name: f.Name, Description: f.About}
	for _, s := range f.Steps {
		if s.Status == 0 {
			return made, fmt.Errorf("%s: no status", s.Name)
		}
		if s.Code != "" {
			g.provoked = append(g.provoked, fmt.Sprint(s.Status, " ", s.Code))
		}
		it, err := g.item(s, false)
		if err != nil {
			return made, err
		}
		made.Items = append(made.Items, it)
	}
	return made, nil
}

// before returns the script that runs before the request.
func (s step) before() (lines []string) {
	for _, name := range slices.Sorted(maps.Keys(s.Set)) {
		lines = append(lines, fmt.Sprintf("pm.collectionVariables.set(%s, pm.variables.replaceIn(%s));",
			literal(name), literal(s.Set[name])))
	}
	return append(lines, s.Script...)
}

// after returns the script that tests the answer and keeps values from the answer.
func (s step) after() []string {
	const status = "pm.test('status is %d', () => pm.expect(pm.response.code).to.eql(%[1]d));"
	lines := []string{fmt.Sprintf(status, s.Status)}
	expect := maps.Clone(s.Expect)
	if s.Code != "" {
		if expect == nil {
			expect = map[string]any{}
		}
		expect["code"] = s.Code
	}
	if len(expect)+len(s.Save) > 0 {
		lines = append(lines, "const body = pm.response.json();")
	}
	for _, at := range slices.Sorted(maps.Keys(expect)) {
		actual, wanted := javaScript(at), literal(expect[at])
		title := at + " is " + strings.Trim(wanted, `"`)
		if strings.Contains(wanted, "{{") {
			actual = "String(" + actual + ")"
			wanted = "pm.variables.replaceIn(" + literal(fmt.Sprint(expect[at])) + ")"
		}
		lines = append(lines, fmt.Sprintf("pm.test(%s, () => pm.expect(%s).to.eql(%s));",
			literal(title), actual, wanted))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Header)) {
		title := literal(name + " is " + s.Header[name])
		lines = append(lines, fmt.Sprintf("pm.test(%s, () => pm.expect(%s).to.eql(%s));",
			title, javaScript("headers."+name), literal(s.Header[name])))
	}
	for _, name := range slices.Sorted(maps.Keys(s.Save)) {
		lines = append(lines, fmt.Sprintf("pm.collectionVariables.set(%s, %s);",
			literal(name), javaScript(s.Save[name])))
	}
	return lines
}

// javaScript returns the JavaScript that reads a place in the answer: body.data.items[0].qty for
// data.items.0.qty, and the value of the header for headers.ETag.
func javaScript(at string) string {
	if header, found := strings.CutPrefix(at, "headers."); found {
		return "pm.response.headers.get(" + literal(header) + ")"
	}
	var b strings.Builder
	b.WriteString("body")
	for part := range strings.SplitSeq(at, ".") {
		if _, err := strconv.Atoi(part); err == nil {
			fmt.Fprintf(&b, "[%s]", part)
		} else {
			b.WriteString("." + part)
		}
	}
	return b.String()
}
