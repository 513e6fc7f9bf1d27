// Command bundle makes, for every contract in openapi/*api, what is served and what is compiled: the self-contained document
// openapi.gen.yaml, the typed client with its models, and beside them the gin server in a package of its own. The parts that
// contracts share become Go once, in openapi/contract. It also writes docs/errors.md.
//
//go:generate go run . ../..
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: bundle ROOT")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "bundle:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	shared, err := read(filepath.Join(root, "openapi", sharedFile))
	if err != nil {
		return err
	}
	if err := generateShared(filepath.Join(root, "openapi", "contract"), shared); err != nil {
		return err
	}
	sources, err := filepath.Glob(filepath.Join(root, "openapi", "*api", "openapi.yaml"))
	if err != nil {
		return err
	}
	operations := map[string]bool{}
	for _, source := range sources {
		own, err := read(source)
		if err != nil {
			return err
		}
		dir := filepath.Dir(source)
		d := bundle(own, shared)
		for _, op := range d.operations() {
			operations[op.id] = true
		}
		if err := write(filepath.Join(dir, "openapi.gen.yaml"), d.served()); err != nil {
			return err
		}
		if err := generateService(dir, d); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
	}
	if err := checkCatalogue(operations); err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(root, "docs", "errors.md"), errorsPage(), 0o644)
}
