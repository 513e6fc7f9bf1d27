// Command bundle makes, for every contract in openapi/*api, what is served and what is compiled: the self-contained document
// openapi.gen.yaml, the typed client with its models, and beside them the gin server in a package of its own. The parts that
// contracts share become Go once, in openapi/contract. It also writes openapi/openapi.gen.yaml, the documents joined, and docs/errors.md.
//
//go:generate go run . ../..
package main

import (
	"bytes"
	"errors"
	"fmt"
	"log"
	"os"
	"path/filepath"

	"go.yaml.in/yaml/v3"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("bundle: ")
	if len(os.Args) != 2 {
		log.Fatal("usage: bundle ROOT")
	}
	if err := run(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

func run(root string) error {
	sources, err := filepath.Glob(filepath.Join(root, "openapi", "*api", "openapi.yaml"))
	if err != nil {
		return err
	}
	shared, err := read(filepath.Join(root, "openapi", "common.yaml"))
	if err != nil {
		return err
	}
	if err := generateShared(filepath.Join(root, "openapi", "contract"), shared); err != nil {
		return err
	}
	operations, contracts, documents := map[string]bool{}, []string{}, []document{}
	for _, source := range sources {
		own, err := read(source)
		if err != nil {
			return err
		}
		d := bundle(own, shared)
		for _, op := range d.operations() {
			operations[op.id] = true
		}
		dir := filepath.Dir(source)
		contracts, documents = append(contracts, filepath.Base(dir)), append(documents, d)
		if err := errors.Join(write(filepath.Join(dir, "openapi.gen.yaml"), d.served()), generateService(dir, d)); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
	}
	joined, err := join(contracts, documents, shared)
	if err != nil {
		return err
	}
	return errors.Join(checkCatalogue(operations), write(filepath.Join(root, "openapi", "openapi.gen.yaml"), joined), os.WriteFile(filepath.Join(root, "docs", "errors.md"), errorsPage(), 0o644))
}

// read returns a document without anchors and comments.
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
	b.WriteString("# Generated from openapi.yaml, common.yaml and the catalogue of error codes by make generate. DO NOT EDIT.\n")
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
