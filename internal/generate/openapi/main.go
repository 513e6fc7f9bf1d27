// Command openapi writes the documents and the Go code of the contracts in openapi/*api. For each contract,
// it writes the self-contained document openapi.gen.yaml for the service to serve, the typed client with its
// models, and the gin server in a package of its own. For all contracts together, it writes the Go types of
// openapi/common.yaml in openapi/contract, the joined document openapi/openapi.gen.yaml, Go constants for the
// addresses in the joined document, the list of all documents in openapi/documents, docs/errors.md, the
// tables of docs/endpoints.md, and the rows of new services in docs/reference.md.
//
// The program imports no package that it generates, so that it also runs when generated code does not
// compile. TestArrows checks this.
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/generate"
)

// contract is the document of a service, with the default address of the service on localhost.
type contract struct {
	document
	service, address string // such as orders, http://localhost:3002
}

func main() { generate.Run(run) }

func run(root string) error {
	folder := filepath.Join(root, "openapi")
	shared, err := read(filepath.Join(folder, "common.yaml"))
	if err != nil {
		return err
	}
	if err := writeShared(filepath.Join(folder, "contract"), shared); err != nil {
		return err
	}
	sources, err := filepath.Glob(filepath.Join(folder, "*api", "openapi.yaml"))
	if err != nil {
		return err
	}
	all := authored{}
	for _, source := range sources {
		if all[folderOf(source)], err = read(source); err != nil {
			return err
		}
	}
	contracts := make([]contract, len(sources))
	for i, source := range sources {
		if contracts[i], err = writeDocument(source, all, shared); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
	}
	for i, source := range sources { // the code may refer to all documents
		if err := writeCode(filepath.Dir(source), contracts[i].document); err != nil {
			return fmt.Errorf("%s: %w", source, err)
		}
	}
	joined, err := join(contracts, shared)
	if err != nil {
		return err
	}
	constants, err := addresses(contracts)
	if err != nil {
		return err
	}
	list, err := documentList(contracts)
	if err != nil {
		return err
	}
	listed := filepath.Join(folder, "documents", "documents.gen.go")
	return errors.Join(
		checkCatalogue(contracts),
		write(filepath.Join(folder, "openapi.gen.yaml"), joined),
		os.WriteFile(filepath.Join(folder, "addresses.gen.go"), constants, 0o644),
		os.MkdirAll(filepath.Dir(listed), 0o755),
		os.WriteFile(listed, list, 0o644),
		os.WriteFile(filepath.Join(root, "docs", "errors.md"), errorsPage(), 0o644),
		writeEndpoints(root, contracts))
}

// authored has the documents as their authors write them, by folder, such as ordersapi.
type authored map[string]*yaml.Node

func folderOf(source string) string { return filepath.Base(filepath.Dir(source)) }

// writeDocument writes the served document of a contract into the folder of its source.
func writeDocument(source string, all authored, shared *yaml.Node) (contract, error) {
	folder := folderOf(source)
	c := contract{document: bundle(folder, all, shared), service: strings.TrimSuffix(folder, "api")}
	var err error
	if c.address, err = config.LocalAddress(strings.ToUpper(c.service) + "_PORT"); err != nil {
		return c, err
	}
	return c, write(filepath.Join(filepath.Dir(source), "openapi.gen.yaml"), c.served())
}

// read parses a file, and returns the document without anchors and comments.
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

const head = "# Generated from openapi.yaml, common.yaml and the catalogue of error codes " +
	"by make generate. DO NOT EDIT.\n"

func write(file string, root *yaml.Node) error {
	var b bytes.Buffer
	b.WriteString(head)
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	if err := e.Encode(root); err != nil {
		return err
	}
	return os.WriteFile(file, b.Bytes(), 0o644)
}
