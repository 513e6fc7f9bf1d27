package main

import (
	"bytes"
	"fmt"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// sharedFile is what the documents share; they refer to its parts by prefix.
const (
	sharedFile = "common.yaml"
	prefix     = "../" + sharedFile + "#/"
)

// document is a contract with all that it refers to, in its author's order.
type document struct {
	root   *yaml.Node
	shared *yaml.Node
	copied map[string]bool // the shared schemas that it has, by name
}

// bundle copies into a contract what it refers to in the shared file, and adds to each operation the errors that the catalogue
// has for it and the headers that every answer has.
func bundle(own, shared *yaml.Node) document {
	d := document{own, shared, map[string]bool{}}
	info, sharedInfo := at(own, "info"), at(shared, "info")
	at(info, "description").Value += "\n" + at(sharedInfo, "description").Value
	set(info, "version", text("0.0.0")) // the program's own when it is served
	for _, key := range []string{"contact", "license"} {
		set(info, key, clone(at(sharedInfo, key)))
	}
	set(own, "servers", clone(at(shared, "servers")))
	at(own, "tags").Content = append(at(own, "tags").Content, clone(at(shared, "tags")).Content...)
	for _, op := range d.operations() {
		d.addErrors(op)
		d.addHeaders(op)
	}
	d.inline(own)
	set(at(own, "components", "schemas", "ErrorCode"), extensible, list(codeNames()))
	return d
}

// inline replaces references to the shared file below n. A component becomes one of the document's own, under the same name.
// A path, and a reference beside which something stands that differs here, becomes a copy in its place.
func (d document) inline(n *yaml.Node) {
	target, found := strings.CutPrefix(value(n, "$ref"), prefix)
	if found {
		steps := strings.Split(target, "/")
		for i := range steps {
			steps[i] = strings.ReplaceAll(steps[i], "~1", "/")
		}
		part := at(d.shared, steps...)
		if part == nil {
			panic(fmt.Sprintf("%s has no %s", sharedFile, target))
		}
		part = localRefs(clone(part))
		switch {
		case steps[0] != "components" || steps[1] == "securitySchemes" || len(n.Content) > 2:
			for i := 2; i+1 < len(n.Content); i += 2 {
				set(part, n.Content[i].Value, n.Content[i+1])
			}
			*n = *part
		default:
			if component := d.component(steps[1], steps[2]); component == nil {
				if steps[1] == "schemas" {
					d.copied[steps[2]] = true
				}
				set(child(child(d.root, "components"), steps[1]), steps[2], part)
				d.inline(part)
			}
			set(n, "$ref", text("#/"+target))
			return
		}
	}
	for _, c := range n.Content {
		d.inline(c)
	}
}

// localRefs makes the references inside a shared part ones to the shared file.
func localRefs(n *yaml.Node) *yaml.Node {
	if ref := value(n, "$ref"); strings.HasPrefix(ref, "#/") {
		set(n, "$ref", text(prefix+strings.TrimPrefix(ref, "#/")))
	}
	for _, c := range n.Content {
		localRefs(c)
	}
	return n
}

func (d document) component(kind, name string) *yaml.Node {
	return at(d.root, "components", kind, name)
}

const (
	extensible = "x-extensible-enum" // values that a response may have, to which others may be added
	goPrefix   = "x-go-"             // what only the Go generator reads
)

// served returns the document as partners see it: without what is for the Go generator, and with response schemas that say that
// fields may be added, because some generators refuse a field that they do not know.
func (d document) served() *yaml.Node {
	root := clone(d.root)
	walk(root, func(n *yaml.Node) {
		for i := 0; i+1 < len(n.Content); i += 2 {
			if n.Kind == yaml.MappingNode && strings.HasPrefix(n.Content[i].Value, goPrefix) {
				n.Content = slices.Delete(n.Content, i, i+2)
				i -= 2
			}
		}
		object := value(n, "type") == "object" && at(n, "properties") != nil || at(n, "allOf") != nil
		if object && at(n, "additionalProperties") == nil {
			set(n, "additionalProperties", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
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

// compiled returns the document as the Go generator wants it: references to shared schemas, which are Go types elsewhere, known
// values as constants, and fields in their author's order.
func (d document) compiled() *yaml.Node {
	root := clone(d.root)
	walk(root, func(n *yaml.Node) {
		if name, found := strings.CutPrefix(value(n, "$ref"), "#/components/schemas/"); found && d.copied[name] {
			set(n, "$ref", text(prefix+"components/schemas/"+name))
		}
	})
	schemas := at(root, "components", "schemas")
	schemas.Content = slices.Concat(slices.Collect(func(yield func([]*yaml.Node) bool) {
		for pair := range slices.Chunk(schemas.Content, 2) {
			if !d.copied[pair[0].Value] && !yield(pair) {
				return
			}
		}
	})...)
	return forGo(root)
}

func forGo(root *yaml.Node) *yaml.Node {
	walk(root, func(n *yaml.Node) {
		if values := at(n, extensible); values != nil {
			set(n, "enum", values)
		}
		if properties := at(n, "properties"); properties != nil && value(n, "type") == "object" {
			for i := 1; i < len(properties.Content); i += 2 {
				p := properties.Content[i]
				if value(p, "$ref") != "" { // nothing may stand beside a reference
					all := &yaml.Node{Kind: yaml.MappingNode}
					set(all, "$ref", p.Content[1])
					*p = *all
				}
				set(p, "x-order", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!int", Value: fmt.Sprint(i)})
			}
		}
	})
	return root
}

// operation is one of a document.
type operation struct {
	id, path string
	node     *yaml.Node
	params   []*yaml.Node // the path's too; references are looked up
}

func (d document) operations() (all []operation) {
	paths := at(d.root, "paths")
	for i := 0; i+1 < len(paths.Content); i += 2 {
		item := paths.Content[i+1]
		if strings.HasPrefix(value(item, "$ref"), prefix) {
			d.inline(item)
		}
		for _, method := range []string{"get", "put", "post", "delete", "patch"} {
			if node := at(item, method); node != nil {
				op := operation{id: value(node, "operationId"), path: paths.Content[i].Value, node: node}
				for _, list := range []*yaml.Node{at(item, "parameters"), at(node, "parameters")} {
					if list != nil {
						op.params = append(op.params, list.Content...)
					}
				}
				all = append(all, op)
			}
		}
	}
	return all
}

// The rest reads and changes YAML nodes.

func read(file string) (*yaml.Node, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var n yaml.Node
	if err := yaml.Unmarshal(content, &n); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	return clone(n.Content[0]), nil
}

func write(file string, root *yaml.Node) error {
	var b bytes.Buffer
	b.WriteString("# Generated from openapi.yaml, ../" + sharedFile + " and the catalogue of error codes by make generate. DO NOT EDIT.\n")
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// clone returns a copy without anchors and comments.
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
		i := -1
		if n.Kind == yaml.MappingNode {
			for k := 0; k+1 < len(n.Content); k += 2 {
				if n.Content[k].Value == key {
					i = k + 1
				}
			}
		}
		if i < 0 {
			return nil
		}
		n = n.Content[i]
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

func set(n *yaml.Node, key string, v *yaml.Node) {
	if old := at(n, key); old != nil {
		*old = *v
		return
	}
	n.Content = append(n.Content, text(key), v)
}

// child returns the mapping below n, which it makes when there is none.
func child(n *yaml.Node, key string) *yaml.Node {
	if at(n, key) == nil {
		set(n, key, &yaml.Node{Kind: yaml.MappingNode})
	}
	return at(n, key)
}

func text(s string) *yaml.Node {
	var n yaml.Node
	n.SetString(s)
	return &n
}

func list(values []string) *yaml.Node {
	n := &yaml.Node{Kind: yaml.SequenceNode, Style: yaml.FlowStyle}
	for _, v := range values {
		n.Content = append(n.Content, text(v))
	}
	return n
}
