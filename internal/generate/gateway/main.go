// Command gateway writes a template for AWS SAM from a file of deploy/lambda, the source. The source only
// names the OpenAPI document of each HTTP API. The template contains the document, with the integration
// extensions of API Gateway in each operation.
//
// In the source, the DefinitionBody of an AWS::Serverless::HttpApi has these keys:
//   - Document: the path of the document, from the root of the repository
//   - Operation: fields for each operation, and for the route $default
//   - Secured: fields for each operation that needs a token
//   - SecuritySchemes: replacements for security schemes of the document
package main

import (
	"bytes"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"path/filepath"
	"slices"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/generate/nodes"
)

func main() {
	log.SetFlags(0)
	log.SetPrefix("gateway: ")
	root := flag.String("root", ".", "root of the repository")
	architecture := flag.String("arch", "arm64", "architecture of the functions, as Go names it: arm64 or amd64")
	version := flag.String("version", "", "version of the release, for the documents")
	flag.Usage = func() {
		fmt.Fprintln(flag.CommandLine.Output(), "usage: gateway [flags] SOURCE TARGET")
		flag.PrintDefaults()
	}
	flag.Parse()
	if flag.NArg() != 2 {
		flag.Usage()
		os.Exit(2)
	}
	template, err := build(*root, flag.Arg(0), *architecture, *version)
	if err == nil {
		err = os.WriteFile(flag.Arg(1), template, 0o644)
	}
	if err != nil {
		log.Fatal(err)
	}
}

// architectures maps the names of architectures in Go to their names in Lambda.
var architectures = map[string]string{"arm64": "arm64", "amd64": "x86_64"}

// build returns the template for the source. It fails when the source has no HTTP API or no architecture.
func build(root, source, architecture, version string) ([]byte, error) {
	template, err := read(source)
	if err != nil {
		return nil, err
	}
	lambda := architectures[architecture]
	if lambda == "" {
		return nil, fmt.Errorf("no architecture of Lambda: %s", architecture)
	}
	apis, changed := 0, 0
	nodes.Walk(template, func(n *yaml.Node) {
		if list := nodes.At(n, "Architectures"); list != nil {
			list.Content = []*yaml.Node{scalar(lambda)}
			changed++
		}
		body := nodes.At(n, "Properties", "DefinitionBody")
		if t := nodes.At(n, "Type"); err != nil || body == nil || t == nil || t.Value != "AWS::Serverless::HttpApi" {
			return
		}
		apis++
		var document *yaml.Node
		if document, err = integrated(root, body, version); err == nil {
			*body = *document
		}
	})
	if err == nil && (apis == 0 || changed == 0) {
		err = errors.New("no HTTP API, or no architecture")
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "# Made by make lambda from %s. DO NOT EDIT.\n", filepath.Base(source))
	e := yaml.NewEncoder(&b)
	e.SetIndent(2)
	err = e.Encode(template)
	return b.Bytes(), err
}

// methods are the keys of a path in OpenAPI 3.0 whose values are operations.
var methods = []string{"get", "put", "post", "delete", "options", "head", "patch", "trace"}

// integrated returns the document that body.Document names. It merges body.Operation into each operation of
// the document, and body.Secured into each operation that needs a token.
func integrated(root string, body *yaml.Node, version string) (*yaml.Node, error) {
	name := nodes.At(body, "Document")
	if name == nil || nodes.At(body, "Operation") == nil {
		return nil, errors.New("DefinitionBody has no Document, or no Operation")
	}
	document, err := read(filepath.Join(root, filepath.FromSlash(name.Value)))
	if err != nil {
		return nil, err
	}
	paths := nodes.At(document, "paths")
	for path := range slices.Chunk(paths.Content, 2) {
		for operation := range slices.Chunk(path[1].Content, 2) {
			if !slices.Contains(methods, operation[0].Value) {
				continue // another key of the path, such as parameters
			}
			secured := len(nodes.At(operation[1], "security").Content) > 0
			remove(operation[1], "security")
			merge(operation[1], nodes.At(body, "Operation"))
			if secured {
				merge(operation[1], nodes.At(body, "Secured"))
			}
		}
	}
	rest := &yaml.Node{Kind: yaml.MappingNode}
	set(rest, "isDefaultRoute", &yaml.Node{Kind: yaml.ScalarNode, Tag: "!!bool", Value: "true"})
	merge(rest, nodes.At(body, "Operation"))
	any := &yaml.Node{Kind: yaml.MappingNode}
	set(any, "x-amazon-apigateway-any-method", rest)
	set(paths, "/$default", any)
	merge(nodes.At(document, "components", "securitySchemes"), nodes.At(body, "SecuritySchemes"))
	if version != "" {
		set(nodes.At(document, "info"), "version", scalar(version))
	}
	return document, nil
}

func read(file string) (*yaml.Node, error) {
	content, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var n yaml.Node
	if err := yaml.Unmarshal(content, &n); err != nil {
		return nil, fmt.Errorf("%s: %w", file, err)
	}
	nodes.Walk(&n, func(n *yaml.Node) { n.HeadComment, n.LineComment, n.FootComment = "", "", "" })
	return n.Content[0], nil
}

// merge copies the keys of the mapping more into the mapping n, and replaces the same keys of n. more may be
// nil.
func merge(n, more *yaml.Node) {
	if more == nil {
		return
	}
	for pair := range slices.Chunk(more.Content, 2) {
		set(n, pair[0].Value, pair[1])
	}
}

func set(n *yaml.Node, key string, v *yaml.Node) {
	remove(n, key)
	n.Content = append(n.Content, scalar(key), v)
}

func remove(n *yaml.Node, key string) {
	for i := 0; i < len(n.Content); i += 2 {
		if n.Content[i].Value == key {
			n.Content = slices.Delete(n.Content, i, i+2)
			return
		}
	}
}

func scalar(text string) *yaml.Node {
	var n yaml.Node
	n.SetString(text)
	return &n
}
