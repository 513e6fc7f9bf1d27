package main

import (
	"fmt"
	"slices"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/generate/nodes"
)

// clone returns a copy without anchors and comments. Aliases and merge keys are resolved.
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
	if base := nodes.At(&c, "<<"); base != nil { // a key beside << overrides the merged key
		keep(&c, func(key string) bool { return key != "<<" })
		own := c.Content
		c.Content = base.Content
		for pair := range slices.Chunk(own, 2) {
			set(&c, pair[0].Value, pair[1])
		}
	}
	return &c
}

// value returns the scalar at a key of a mapping, or "" when the mapping has no scalar at the key.
func value(n *yaml.Node, key string) string {
	if v := nodes.At(n, key); v != nil && v.Kind == yaml.ScalarNode {
		return v.Value
	}
	return ""
}

func keys(n *yaml.Node) (all []string) {
	for pair := range slices.Chunk(n.Content, 2) {
		all = append(all, pair[0].Value)
	}
	return all
}

func isTrue(n *yaml.Node, key string) bool { return value(n, key) == "true" }

// content returns the children of a node that may be nil.
func content(n *yaml.Node) []*yaml.Node {
	if n == nil {
		return nil
	}
	return n.Content
}

// set sets the value of a key of a mapping. A new key comes last.
func set(n *yaml.Node, key string, v *yaml.Node) {
	if old := nodes.At(n, key); old != nil {
		*old = *v
		return
	}
	n.Content = append(n.Content, text(key), v)
}

// keep removes the keys that are not wanted from a mapping, and reports whether it has removed any key.
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

// node turns a value into YAML. It panics when YAML cannot represent the value.
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
