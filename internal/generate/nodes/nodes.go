// Package nodes finds nodes of YAML documents, for the generators.
package nodes

import "go.yaml.in/yaml/v3"

// Walk visits n and all nodes below it. A visit may change the node.
func Walk(n *yaml.Node, visit func(*yaml.Node)) {
	visit(n)
	for _, c := range n.Content {
		Walk(c, visit)
	}
}

// At returns the value at a path of keys, or nil when a key is missing.
func At(n *yaml.Node, path ...string) *yaml.Node {
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
