// Command postman writes the Postman collection and its environment. The collection has every operation of
// every document with its example, and the flows of flows.yaml. Each error code must either be the answer to
// a step of flows.yaml, or have a reason in the catalogue why no client can provoke it. Otherwise the program
// fails.
package main

import (
	"bytes"
	"cmp"
	"encoding/json"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/generate"
)

const (
	name   = "B2B-Order-Management"
	schema = "https://schema.getpostman.com/json/collection/v2.1.0/collection.json"
	about  = "All services. " +
		"**Requests** has every operation with its example from the documents; it is for the sample data. " +
		"**Flows** tells stories and provokes every error that a client can provoke; " +
		"it makes what it needs.\n\n" +
		"Run all of it, as often as you like. " +
		"Addresses and tokens are variables: " +
		"take them from the environment file, or change the collection's. " +
		"An empty `token` sends none, which is enough where calls without a token are let in.\n\n" +
		"No client can provoke these errors at will:\n"
)

func main() { generate.Run(run) }

// run reads postman/flows.yaml below the folder root, and writes the collection and the environment to the
// folder of that file.
func run(root string) error {
	folder := filepath.Join(root, "postman")
	content, err := os.ReadFile(filepath.Join(folder, "flows.yaml"))
	if err != nil {
		return err
	}
	g, err := newGenerator(content, services())
	if err != nil {
		return fmt.Errorf("flows.yaml: %w", err)
	}
	c, err := g.collection()
	if err != nil {
		return err
	}
	if err := g.checkCodes(apperr.Catalogue()); err != nil {
		return err
	}
	if err := write(filepath.Join(folder, name+".postman_collection.json"), c); err != nil {
		return err
	}
	return write(filepath.Join(folder, name+".postman_environment.json"), g.environment())
}

// newGenerator parses flows.yaml. It refuses unknown keys: a test with a misspelt key would test nothing.
func newGenerator(flows []byte, services []service) (*generator, error) {
	g := &generator{services: services, calls: map[string]call{}}
	d := yaml.NewDecoder(bytes.NewReader(flows))
	d.KnownFields(true)
	return g, d.Decode(&g.table)
}

func (g *generator) collection() (c collection, err error) {
	requests := folder{Name: "Requests"}
	requests.Description = "Every operation, with the example of its document, on the sample data."
	for i := range g.services {
		s, err := g.service(&g.services[i])
		if err != nil {
			return c, fmt.Errorf("%s: %w", g.services[i].variable, err)
		}
		requests.Items = append(requests.Items, s)
	}
	flows := folder{Name: "Flows", Description: "Stories from beginning to end."}
	for _, f := range g.Flows {
		made, err := g.flow(f)
		if err != nil {
			return c, fmt.Errorf("%s: %w", f.Name, err)
		}
		flows.Items = append(flows.Items, made)
	}
	description := about
	reasons := unprovoked(apperr.Catalogue())
	for _, code := range slices.Sorted(maps.Keys(reasons)) {
		description += fmt.Sprintf("\n- `%s`: %s", code, reasons[code])
	}
	return collection{
		Info:     info{Name: "B2B Order Management", Description: description, Schema: schema},
		Item:     []any{flows, requests},
		Auth:     bearer("token"),
		Event:    []event{script("prerequest", withoutToken), script("test", envelope)},
		Variable: append(g.addresses(), g.initial...),
	}, nil
}

func (g *generator) environment() environment {
	e := environment{ID: "b2b-order-management", Name: "B2B Order Management", Scope: "environment"}
	for _, v := range g.addresses() {
		kind := cmp.Or(v.secret, "default")
		e.Values = append(e.Values, environmentValue{Key: v.Key, Value: v.Value, Type: kind, Enabled: true})
	}
	return e
}

// unprovoked returns the reasons why no client can provoke an error, by the names of the codes.
func unprovoked(codes []*apperr.Code) map[string]string {
	reasons := map[string]string{}
	for _, c := range codes {
		if c.Unprovoked != "" {
			reasons[c.Name] = c.Unprovoked
		}
	}
	return reasons
}

// checkCodes returns an error for a code without a step that provokes it and without a reason in Unprovoked,
// and for a code with both. Of several codes with the same name, only one needs a reason.
func (g *generator) checkCodes(codes []*apperr.Code) error {
	reasons := unprovoked(codes)
	for _, c := range codes {
		provoked := slices.Contains(g.provoked, fmt.Sprint(c.Status, " ", c.Name))
		switch excused := reasons[c.Name] != ""; {
		case !provoked && !excused:
			return fmt.Errorf("flows.yaml neither provokes %d %s nor has the catalogue a reason in Unprovoked",
				c.Status, c.Name)
		case provoked && excused:
			return fmt.Errorf("flows.yaml provokes %d %s, and the catalogue has a reason in Unprovoked",
				c.Status, c.Name)
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
