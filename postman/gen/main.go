// Command gen writes the Postman collection and its environment: every operation of every document with its example, and the flows
// of flows.yaml. It fails when no step provokes a code of the catalogue that a client can provoke.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"log"
	"maps"
	"os"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/internal/apperr"
)

const (
	name = "B2B-Order-Management"
	// about is for whoever opens the collection.
	about = "All three services. **Requests** has every operation with its example from the documents; it is for the sample data. " +
		"**Flows** tells stories and provokes every error that a client can provoke; it makes what it needs.\n\n" +
		"Run all of it, as often as you like. Addresses and tokens are variables: take them from the environment file, or change the " +
		"collection's. An empty `token` sends none, which is enough where calls without a token are let in.\n\n" +
		"No client can provoke these errors at will:\n"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("postman: ")
	if err := run(); err != nil {
		log.Fatal(err)
	}
}

func run() error {
	var table table
	content, err := os.ReadFile("flows.yaml")
	if err != nil {
		return err
	}
	d := yaml.NewDecoder(bytes.NewReader(content))
	d.KnownFields(true) // a misspelt one would assert nothing
	if err := d.Decode(&table); err != nil {
		return fmt.Errorf("flows.yaml: %w", err)
	}
	g := &generator{table: table, calls: map[string]call{}}
	requests := folder{Name: "Requests", Description: "Every operation, with the example of its document, on the sample data."}
	for i := range services {
		s, err := g.service(&services[i])
		if err != nil {
			return fmt.Errorf("%s: %w", services[i].variable, err)
		}
		requests.Items = append(requests.Items, s)
	}
	flows := folder{Name: "Flows", Description: "Stories from beginning to end."}
	for _, f := range table.Flows {
		made, err := g.flow(f)
		if err != nil {
			return fmt.Errorf("%s: %w", f.Name, err)
		}
		flows.Items = append(flows.Items, made)
	}
	about := about
	for _, code := range slices.Sorted(maps.Keys(table.Unprovoked)) {
		about += fmt.Sprintf("\n- `%s`: %s", code, table.Unprovoked[code])
	}
	if err := g.checkCodes(); err != nil {
		return err
	}
	collection := collection{
		Info: info{Name: "B2B Order Management", Description: about, Schema: "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"},
		Item: []any{flows, requests}, Auth: bearer("token"), Event: []event{script("prerequest", withoutToken), script("test", envelope)}, Variable: g.variables(),
	}
	environment := environment{ID: "b2b-order-management", Name: "B2B Order Management", Scope: "environment"}
	for _, v := range addresses() {
		environment.Values = append(environment.Values, environmentValue{Key: v.Key, Value: v.Value, Type: cmp.Or(v.secret, "default"), Enabled: true})
	}
	if err := write(name+".postman_collection.json", collection); err != nil {
		return err
	}
	return write(name+".postman_environment.json", environment)
}

// checkCodes returns an error for a code that neither a step provokes nor the table says why none can, and for one that both do.
func (g *generator) checkCodes() error {
	for _, c := range apperr.Catalogue() {
		provoked := slices.Contains(g.provoked, fmt.Sprint(c.Status, " ", c.Name))
		_, excused := g.Unprovoked[c.Name]
		switch {
		case !provoked && !excused:
			return fmt.Errorf("no step of flows.yaml provokes %d %s, and it is not among those that no client can provoke", c.Status, c.Name)
		case provoked && excused:
			return fmt.Errorf("flows.yaml provokes %d %s, and says that no client can", c.Status, c.Name)
		}
	}
	for code := range g.Unprovoked {
		if !slices.ContainsFunc(apperr.Catalogue(), func(c *apperr.Code) bool { return c.Name == code }) {
			return fmt.Errorf("the catalogue does not have %s", code)
		}
	}
	return nil
}

func write(file string, v any) error {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}

// asJSON writes a YAML value as JSON, in its order, on several lines. A text that is nothing but a variable whose name ends in Id
// becomes that number.
func asJSON(n *yaml.Node) string {
	var b bytes.Buffer
	encode(&b, n)
	var indented bytes.Buffer
	if err := json.Indent(&indented, b.Bytes(), "", "  "); err != nil {
		panic(err) // encode writes JSON
	}
	return idVariable.ReplaceAllString(indented.String(), "$1")
}

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
			panic(err) // a scalar
		}
		b.WriteString(literal(v))
	}
}

// literal is a value in JSON, which is JavaScript, too.
func literal(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	if err := e.Encode(v); err != nil {
		panic(err) // of a YAML scalar or a text
	}
	return strings.TrimSpace(b.String())
}
