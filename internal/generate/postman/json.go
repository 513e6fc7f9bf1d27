package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// asJSON returns a YAML value as indented JSON, in the author's order. A string that is only a variable whose
// name ends in Id, such as "{{orderId}}", loses its quotes, because the value of the variable is a number.
func asJSON(n *yaml.Node) string {
	var b bytes.Buffer
	encode(&b, n)
	var indented bytes.Buffer
	if err := json.Indent(&indented, b.Bytes(), "", "  "); err != nil {
		panic(err) // impossible: encode writes JSON
	}
	return idVariable.ReplaceAllString(indented.String(), "$1")
}

var idVariable = regexp.MustCompile(`"(\{\{\w+Id\}\})"`)

func encode(b *bytes.Buffer, n *yaml.Node) {
	switch n.Kind {
	case yaml.MappingNode:
		b.WriteByte('{')
		for i := 0; i < len(n.Content); i += 2 {
			if i > 0 {
				b.WriteByte(',')
			}
			fmt.Fprintf(b, "%s:", literal(n.Content[i].Value))
			encode(b, n.Content[i+1])
		}
		b.WriteByte('}')
	case yaml.SequenceNode:
		b.WriteByte('[')
		for i, item := range n.Content {
			if i > 0 {
				b.WriteByte(',')
			}
			encode(b, item)
		}
		b.WriteByte(']')
	case yaml.AliasNode:
		encode(b, n.Alias)
	default:
		var v any
		if err := n.Decode(&v); err != nil {
			panic(err) // impossible for a scalar
		}
		b.WriteString(literal(v))
	}
}

// literal returns a value as JSON, which is also JavaScript.
func literal(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // impossible for a scalar or a string
	}
	return strings.TrimSpace(b.String())
}
