package main

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/formats"

	"example.com/b2b/v2/internal/generate/nodes"
)

// sharedFile is the path of the file with the shared parts, as the contracts refer to it.
const sharedFile = "../common.yaml"

// servedFile returns the path of the served document of another contract, as a compiled document refers to
// it.
func servedFile(folder string) string { return "../" + folder + "/openapi.gen.yaml" }

// document is a self-contained contract. Its parts are in the author's order.
type document struct {
	*yaml.Node
	shared  *yaml.Node        // the schemas of common.yaml
	adopted map[string]string // folder of the contract that a schema is copied from, by the schema's name
}

// bundle returns a contract as a self-contained document. It copies the shared parts and the schemas of other
// contracts into the contract, and adds error responses and headers to each operation. It fills in the lists
// that the author writes as "keyed operations" and "required: all". It completes the examples, and removes
// the components to which nothing refers.
func bundle(folder string, all authored, shared *yaml.Node) document {
	d := document{clone(all[folder]), nodes.At(shared, "components", "schemas"), map[string]string{}}
	d.adopt(all)
	nodes.At(d.Node, "info", "description").Value += "\n" + nodes.At(shared, "info", "description").Value
	merge(d.Node, clone(shared))
	nodes.Walk(d.Node, func(n *yaml.Node) {
		if ref := value(n, "$ref"); ref != "" {
			set(n, "$ref", text(strings.TrimPrefix(ref, sharedFile)))
		}
		if target := d.target(n); target != n && len(n.Content) > 2 {
			replaceRef(n, clone(target))
		}
	})
	set(nodes.At(d.Node, "components", "schemas", "ErrorCode"), extensible, list(codeNames()))
	answers := responses{document: d, codes: map[string][]string{}}
	var keyed []string
	for _, op := range d.operations() {
		answers.addErrors(op)
		answers.addHeaders(op)
		if op.isOneOf(apperr.WithKey) {
			keyed = append(keyed, op.id)
		}
	}
	nodes.Walk(d.Node, func(n *yaml.Node) {
		if value(n, extensible) == "keyed operations" {
			set(n, extensible, list(keyed))
		}
		if value(n, "required") == "all" {
			set(n, "required", list(keys(nodes.At(n, "properties"))))
		}
	})
	nodes.Walk(d.Node, func(n *yaml.Node) {
		if schema, example := nodes.At(n, "schema"), nodes.At(n, "example"); schema != nil && example != nil {
			d.complete(example, schema)
		}
	})
	d.prune()
	return d
}

// complete adds to an example the properties that its schema requires and the example lacks. Each gets the
// value of the property's own example. A property without an example stays missing.
func (d document) complete(example, schema *yaml.Node) {
	schema = d.target(schema)
	for _, part := range content(nodes.At(schema, "allOf")) {
		d.complete(example, part)
	}
	if items := nodes.At(schema, "items"); items != nil && example.Kind == yaml.SequenceNode {
		for _, item := range example.Content {
			d.complete(item, items)
		}
	}
	if properties := nodes.At(schema, "properties"); properties != nil && example.Kind == yaml.MappingNode {
		for pair := range slices.Chunk(properties.Content, 2) {
			name, property := pair[0].Value, d.target(pair[1])
			isName := func(n *yaml.Node) bool { return n.Value == name }
			own := nodes.At(property, "example")
			if there := nodes.At(example, name); there != nil {
				d.complete(there, property)
			} else if own != nil && slices.ContainsFunc(content(nodes.At(schema, "required")), isName) {
				set(example, name, clone(own))
			}
		}
	}
}

// foreign finds references to a schema of another contract, such as
// ../ordersapi/openapi.yaml#/components/schemas/Order.
var foreign = regexp.MustCompile(`^\.\./(\w+)/openapi\.yaml#/components/schemas/(\w+)$`)

// adopt copies into a contract the schemas of other contracts to which it refers, and all schemas to which
// the copied schemas refer. It panics when the other contract lacks the schema, and when the contract has
// another schema with the same name.
func (d document) adopt(all authored) {
	for again := true; again; {
		again = false
		nodes.Walk(d.Node, func(n *yaml.Node) {
			match := foreign.FindStringSubmatch(value(n, "$ref"))
			if match == nil {
				return
			}
			folder, name := match[1], match[2]
			set(n, "$ref", text("#/components/schemas/"+name))
			schema := nodes.At(all[folder], "components", "schemas", name)
			there := nodes.At(d.Node, "components", "schemas", name)
			switch {
			case schema == nil:
				panic(folder + " has no schema " + name)
			case there != nil && d.adopted[name] != folder:
				panic(fmt.Sprintf("the schema %s of %s has the name of another schema", name, folder))
			case there != nil:
				return
			}
			schema = clone(schema)
			nodes.Walk(schema, func(n *yaml.Node) {
				if ref := value(n, "$ref"); strings.HasPrefix(ref, "#/") {
					set(n, "$ref", text("../"+folder+"/openapi.yaml"+ref))
				}
			})
			set(nodes.At(d.Node, "components", "schemas"), name, schema)
			d.adopted[name], again = folder, true
		})
	}
}

// replaceRef puts the keys of the target in the place of the key $ref. Keys beside $ref override the keys of
// the target.
func replaceRef(n, target *yaml.Node) {
	own := n.Content
	n.Content, n.Style = nil, target.Style
	for pair := range slices.Chunk(own, 2) {
		if pair[0].Value == "$ref" {
			merge(n, target)
		} else {
			set(n, pair[0].Value, pair[1])
		}
	}
}

// merge adds to the node n what it lacks of the node from. A mapping gets the missing keys, at every depth. A
// list gets all elements.
func merge(n, from *yaml.Node) {
	if n.Kind == yaml.SequenceNode {
		n.Content = append(n.Content, from.Content...)
	}
	if n.Kind != yaml.MappingNode {
		return
	}
	for pair := range slices.Chunk(from.Content, 2) {
		if own := nodes.At(n, pair[0].Value); own != nil {
			merge(own, pair[1])
		} else {
			n.Content = append(n.Content, pair...)
		}
	}
}

// prune removes components without a reference and without the key x-kept. It repeats the removal, because a
// removed component may have held the last reference to another component.
func (d document) prune() {
	for again := true; again; {
		used := map[string]bool{}
		nodes.Walk(d.Node, func(n *yaml.Node) {
			used[value(n, "$ref")] = true
			if security := nodes.At(n, "security"); security != nil {
				nodes.Walk(security, func(n *yaml.Node) { used["#/components/securitySchemes/"+n.Value] = true })
			}
		})
		again = false
		for kind := range slices.Chunk(nodes.At(d.Node, "components").Content, 2) {
			if keep(kind[1], func(name string) bool {
				return used["#/components/"+kind[0].Value+"/"+name] || isTrue(nodes.At(kind[1], name), "x-kept")
			}) {
				again = true
			}
		}
	}
	components := nodes.At(d.Node, "components")
	keep(components, func(kind string) bool { return len(nodes.At(components, kind).Content) > 0 })
}

// target returns the part to which n refers, or n itself when n is not a reference. It panics when the
// document has no such part.
func (d document) target(n *yaml.Node) *yaml.Node {
	path, found := strings.CutPrefix(value(n, "$ref"), "#/")
	if !found {
		return n
	}
	part := nodes.At(d.Node, strings.Split(path, "/")...)
	if part == nil {
		panic("no document has " + path)
	}
	return part
}

// extensible is the key with the current values of a string to which a later version may add values.
const extensible = "x-extensible-enum"

// served returns the document for partners, without the keys for the Go generator. The schemas allow further
// fields, because some partners' generators would otherwise make code that refuses unknown fields.
func (d document) served() *yaml.Node {
	root := clone(d.Node)
	nodes.Walk(root, func(n *yaml.Node) {
		if n.Kind != yaml.MappingNode {
			return
		}
		keep(n, func(key string) bool { return !strings.HasPrefix(key, "x-go-") })
		if pattern := formats.All[value(n, "format")].Pattern; pattern != "" && value(n, "type") == "string" {
			set(n, "pattern", text(pattern))
		}
		if value(n, "in") == "query" && !isTrue(n, "required") {
			set(n, "allowEmptyValue", node(true)) // an empty parameter counts as omitted
		}
		if d.hasProperties(n) && nodes.At(n, "additionalProperties") == nil {
			set(n, "additionalProperties", node(true))
		}
		if values := nodes.At(n, extensible); values != nil && nodes.At(n, "description") != nil {
			var known []string
			for _, v := range values.Content {
				known = append(known, "`"+v.Value+"`")
			}
			description := nodes.At(n, "description")
			description.Value += " Extensible: others may be added to " + strings.Join(known, ", ") + "."
		}
	})
	return root
}

// hasProperties reports whether a schema, or a schema in its allOf, is an object with properties.
func (d document) hasProperties(n *yaml.Node) bool {
	has := func(part *yaml.Node) bool { return d.hasProperties(d.target(part)) }
	return value(n, "type") == "object" && nodes.At(n, "properties") != nil ||
		slices.ContainsFunc(content(nodes.At(n, "allOf")), has)
}

// compiled returns the document for the Go generator. Some schemas have their Go types in other packages, so
// compiled keeps them as references: shared schemas refer to common.yaml, for package openapi/contract, and
// adopted schemas refer to the served document of their contract, for its package.
func (d document) compiled() *yaml.Node {
	root := clone(d.Node)
	home := func(name string) string {
		switch folder := d.adopted[name]; {
		case nodes.At(d.shared, name) != nil:
			return sharedFile
		case folder != "":
			return servedFile(folder)
		}
		return ""
	}
	nodes.Walk(root, func(n *yaml.Node) {
		if name, found := strings.CutPrefix(value(n, "$ref"), "#/components/schemas/"); found {
			set(n, "$ref", text(home(name)+value(n, "$ref")))
		}
	})
	keep(nodes.At(root, "components", "schemas"), func(name string) bool { return home(name) == "" })
	for _, op := range d.operations() {
		rows := nodes.At(root, "paths", op.path, op.method, "requestBody", "content")
		if nodes.At(rows, "text/csv") != nil {
			// The generator would make a field of the same name for each media type, so only text/csv stays.
			// The generator makes a type only for the schema of a body, so the type of a row takes that
			// place.
			keep(rows, func(media string) bool { return media == "text/csv" })
			set(nodes.At(rows, "text/csv"), "schema", nodes.At(rows, "text/csv", "x-row"))
		}
	}
	return forGo(root)
}

// forGo prepares a document for the Go generator. Extensible values become an enum, so that the generator
// makes constants. The fields of an object get numbers, because the generator would sort them. An allOf with
// a single schema becomes this schema, because the generator would make a struct of the allOf.
func forGo(root *yaml.Node) *yaml.Node {
	nodes.Walk(root, func(n *yaml.Node) {
		if parts := content(nodes.At(n, "allOf")); len(parts) == 1 {
			*n = *clone(parts[0])
		}
		if values := nodes.At(n, extensible); values != nil {
			set(n, "enum", values)
		}
		if properties := nodes.At(n, "properties"); properties != nil && value(n, "type") == "object" {
			for i, pair := range slices.Collect(slices.Chunk(properties.Content, 2)) {
				set(pair[1], "x-order", node(i))
			}
		}
	})
	return root
}

type operation struct {
	id         string
	path       string
	method     string
	node       *yaml.Node
	parameters []*yaml.Node // parameters of the operation and of its path
}

func (d document) operations() (all []operation) {
	for path := range slices.Chunk(nodes.At(d.Node, "paths").Content, 2) {
		for part := range slices.Chunk(path[1].Content, 2) {
			op := operation{path: path[0].Value, method: part[0].Value, node: part[1]}
			op.id = value(op.node, "operationId")
			if op.id == "" {
				continue // another key of the path, such as parameters
			}
			shared, own := content(nodes.At(path[1], "parameters")), content(nodes.At(op.node, "parameters"))
			for _, p := range slices.Concat(shared, own) {
				op.parameters = append(op.parameters, d.target(p))
			}
			all = append(all, op)
		}
	}
	return all
}
