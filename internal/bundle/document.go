package main

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/internal/formats"
)

// sharedFile is what the contracts share. Each of them has all of it, under the same names; what it does not use is left out.
const sharedFile = "../common.yaml"

// document is a contract that needs no other, in its author's order.
type document struct {
	*yaml.Node
	shared *yaml.Node // the shared file's schemas
}

func bundle(own, shared *yaml.Node) document {
	d := document{clone(own), at(shared, "components", "schemas")}
	at(d.Node, "info", "description").Value += "\n" + at(shared, "info", "description").Value
	merge(d.Node, clone(shared))
	walk(d.Node, func(n *yaml.Node) {
		if ref := value(n, "$ref"); ref != "" {
			set(n, "$ref", text(strings.TrimPrefix(ref, sharedFile)))
		}
		if target := d.target(n); target != n && len(n.Content) > 2 { // what stands beside the reference differs here
			siblings := n.Content[2:]
			*n = *clone(target)
			for pair := range slices.Chunk(siblings, 2) {
				set(n, pair[0].Value, pair[1])
			}
		}
	})
	set(at(d.Node, "components", "schemas", "ErrorCode"), extensible, list(codeNames()))
	answers := responses{document: d, codes: map[string][]string{}}
	for _, op := range d.operations() {
		answers.addErrors(op)
		answers.addHeaders(op)
	}
	d.prune()
	return d
}

// merge adds to a mapping what it lacks, at every depth, and to a list all.
func merge(n, from *yaml.Node) {
	if n.Kind == yaml.SequenceNode {
		n.Content = append(n.Content, from.Content...)
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	for pair := range slices.Chunk(from.Content, 2) {
		if own := at(n, pair[0].Value); own != nil {
			merge(own, pair[1])
		} else {
			n.Content = append(n.Content, pair...)
		}
	}
}

// prune leaves out components that nothing refers to.
func (d document) prune() {
	for again := true; again; {
		used := map[string]bool{}
		walk(d.Node, func(n *yaml.Node) {
			used[value(n, "$ref")] = true
			if security := at(n, "security"); security != nil {
				walk(security, func(n *yaml.Node) { used["#/components/securitySchemes/"+n.Value] = true })
			}
		})
		again = false
		for kind := range slices.Chunk(at(d.Node, "components").Content, 2) {
			again = keep(kind[1], func(name string) bool { return used["#/components/"+kind[0].Value+"/"+name] }) || again
		}
	}
	components := at(d.Node, "components")
	keep(components, func(kind string) bool { return len(at(components, kind).Content) > 0 })
}

// target is the part to which n refers, or n itself.
func (d document) target(n *yaml.Node) *yaml.Node {
	path, found := strings.CutPrefix(value(n, "$ref"), "#/")
	if !found {
		return n
	}
	part := at(d.Node, strings.Split(path, "/")...)
	if part == nil {
		panic("no document has " + path)
	}
	return part
}

const extensible = "x-extensible-enum" // values that a response may have, to which others may be added

// served returns the document as partners see it: without what is for the Go generator, and with response schemas that say that
// fields may be added, because some generators refuse a field that they do not know.
func (d document) served() *yaml.Node {
	root := clone(d.Node)
	walk(root, func(n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			return
		}
		keep(n, func(key string) bool { return !strings.HasPrefix(key, "x-go-") })
		if pattern := formats.All[value(n, "format")].Pattern; pattern != "" && value(n, "type") == "string" {
			set(n, "pattern", text(pattern))
		}
		if value(n, "in") == "query" {
			set(n, "allowEmptyValue", node(true)) // which counts as not given
		}
		object := value(n, "type") == "object" && at(n, "properties") != nil || at(n, "allOf") != nil
		if object && at(n, "additionalProperties") == nil {
			set(n, "additionalProperties", node(true))
		}
		if values := at(n, extensible); values != nil && at(n, "description") != nil {
			var known []string
			for _, v := range values.Content {
				known = append(known, "`"+v.Value+"`")
			}
			at(n, "description").Value += " Extensible: others may be added to " + strings.Join(known, ", ") + "."
		}
	})
	return root
}

// compiled returns the document as the Go generator wants it: with references to the shared schemas, which are Go types elsewhere.
func (d document) compiled() *yaml.Node {
	root := clone(d.Node)
	isShared := func(name string) bool { return at(d.shared, name) != nil }
	walk(root, func(n *yaml.Node) {
		if name, found := strings.CutPrefix(value(n, "$ref"), "#/components/schemas/"); found && isShared(name) {
			set(n, "$ref", text(sharedFile+value(n, "$ref")))
		}
	})
	keep(at(root, "components", "schemas"), func(name string) bool { return !isShared(name) })
	for _, op := range d.operations() {
		if rows := at(root, "paths", op.path, op.method, "requestBody", "content"); at(rows, "text/csv") != nil {
			keep(rows, func(media string) bool { return media == "text/csv" }) // the generator has a field for each, under one name
			set(at(rows, "text/csv"), "schema", at(rows, "text/csv", "x-row")) // and no type for what no schema names
		}
	}
	return forGo(root)
}

// forGo makes known values constants, and keeps fields in their author's order.
func forGo(root *yaml.Node) *yaml.Node {
	walk(root, func(n *yaml.Node) {
		if values := at(n, extensible); values != nil {
			set(n, "enum", values)
		}
		if properties := at(n, "properties"); properties != nil && value(n, "type") == "object" {
			for i, pair := range slices.Collect(slices.Chunk(properties.Content, 2)) {
				set(pair[1], "x-order", node(i))
			}
		}
	})
	return root
}

// operation is one of a document.
type operation struct {
	id         string
	path       string
	method     string
	node       *yaml.Node
	parameters []*yaml.Node // the path's too
}

func (d document) operations() (all []operation) {
	for path := range slices.Chunk(at(d.Node, "paths").Content, 2) {
		for part := range slices.Chunk(path[1].Content, 2) {
			if id := value(part[1], "operationId"); id != "" {
				op := operation{id: id, path: path[0].Value, method: part[0].Value, node: part[1]}
				for _, parameters := range []*yaml.Node{at(path[1], "parameters"), at(op.node, "parameters")} {
					for _, p := range content(parameters) {
						op.parameters = append(op.parameters, d.target(p))
					}
				}
				all = append(all, op)
			}
		}
	}
	return all
}

// The rest reads and changes YAML nodes.

// clone returns a copy without anchors, merge keys and comments.
func clone(n *yaml.Node) *yaml.Node {
	if n.Kind == yaml.AliasNode {
		return clone(n.Alias)
	}
	c := *n
	c.Anchor, c.HeadComment, c.LineComment, c.FootComment = "", "", "", ""
	c.Content = make([]*yaml.Node, len(n.Content))
	for i := range n.Content {
		c.Content[i] = clone(n.Content[i])
	}
	if base := at(&c, "<<"); base != nil { // what stands beside it wins
		keep(&c, func(key string) bool { return key != "<<" })
		own := c.Content
		c.Content = base.Content
		for pair := range slices.Chunk(own, 2) {
			set(&c, pair[0].Value, pair[1])
		}
	}
	return &c
}

func walk(n *yaml.Node, visit func(*yaml.Node)) {
	visit(n)
	for _, c := range n.Content {
		walk(c, visit)
	}
}

// at returns the value below a mapping, nil when there is none.
func at(n *yaml.Node, path ...string) *yaml.Node {
	for _, key := range path {
		if n == nil || n.Kind != yaml.MappingNode {
			return nil
		}
		i := 0
		for i < len(n.Content) && n.Content[i].Value != key {
			i += 2
		}
		if i == len(n.Content) {
			return nil
		}
		n = n.Content[i+1]
	}
	return n
}

// value returns the scalar below a mapping, "" when there is none.
func value(n *yaml.Node, key string) string {
	if v := at(n, key); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

func content(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	return n.Content
}

func set(n *yaml.Node, key string, v *yaml.Node) {
	if old := at(n, key); old != nil {
		*old = *v
		return
	}
	n.Content = append(n.Content, text(key), v)
}

// keep takes the other keys out of a mapping, and reports whether there were any.
func keep(n *yaml.Node, wanted func(key string) bool) bool {
	var kept []*yaml.Node
	for pair := range slices.Chunk(n.Content, 2) {
		if wanted(pair[0].Value) {
			kept = append(kept, pair...)
		}
	}
	removed := len(kept) < len(n.Content)
	n.Content = kept
	return removed
}

// node turns a value into YAML.
func node(v any) *yaml.Node {
	var n yaml.Node
	if err := n.Encode(v); err != nil {
		panic(fmt.Sprint(v, " is no YAML: ", err))
	}
	return &n
}

func text(s string) *yaml.Node { return node(s) }

func list(values []string) *yaml.Node {
	n := node(values)
	n.Style = yaml.FlowStyle
	return n
}
