package main

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"

	"github.com/oapi-codegen/oapi-codegen/v2/pkg/codegen"
	"github.com/oapi-codegen/oapi-codegen/v2/pkg/util"
	"go.yaml.in/yaml/v3"
)

const (
	module         = "example.com/b2b/"
	sharedPackage  = module + "openapi/contract"
	generatedFiles = ".gen.go"
)

// generateShared makes the Go types of what documents share.
func generateShared(dir string, shared *yaml.Node) error {
	root := forGo(clone(shared))
	set(at(root, "components", "schemas", "ErrorCode"), "enum", list(codeNames()))
	c := configuration("contract", "Time")
	c.Generate.Models, c.OutputOptions.SkipPrune = true, true
	for _, kind := range []string{"parameters", "headers", "responses"} {
		set(at(root, "components"), kind, &yaml.Node{Kind: yaml.MappingNode})
	}
	set(root, "paths", &yaml.Node{Kind: yaml.MappingNode})
	return generate(filepath.Join(dir, "contract"+generatedFiles), root, c)
}

// generateService makes the models and client of a contract in dir, and its server in the folder server below.
func generateService(dir string, d document) error {
	name := filepath.Base(dir)
	client := configuration(name, "contract.Time")
	client.ImportMapping = map[string]string{"../" + sharedFile: sharedPackage}
	client.Generate.Models, client.Generate.Client = true, true
	server := client
	server.PackageName = "server"
	server.Generate = codegen.GenerateOptions{GinServer: true, Strict: true}
	server.AdditionalImports = []codegen.AdditionalImport{{Alias: ".", Package: module + "openapi/" + name}}
	if err := os.MkdirAll(filepath.Join(dir, "server"), 0o755); err != nil {
		return err
	}
	return errors.Join(
		generate(filepath.Join(dir, "client"+generatedFiles), d.compiled(), client),
		generate(filepath.Join(dir, "server", "server"+generatedFiles), d.compiled(), server))
}

func configuration(name, timeType string) codegen.Configuration {
	timestamp := codegen.SimpleTypeSpec{Type: timeType}
	if strings.Contains(timeType, ".") {
		timestamp.Import = sharedPackage
	}
	c := codegen.Configuration{PackageName: name, NoVCSVersionOverride: new("")}
	c.OutputOptions.NameNormalizer = string(codegen.NameNormalizerFunctionToCamelCaseWithInitialisms)
	c.OutputOptions.TypeMapping = &codegen.TypeMapping{String: codegen.FormatMapping{Formats: map[string]codegen.SimpleTypeSpec{
		"date-time": timestamp,
		"email":     {Type: "string"},
	}}}
	c.Compatibility.OldMergeSchemas = true // an allOf embeds: an order is its summary and its items
	return c
}

// generate writes the Go code of a document, which must lie beside its contract while the generator reads it, because of its
// references.
func generate(out string, root *yaml.Node, c codegen.Configuration) error {
	dir := filepath.Dir(out)
	if c.PackageName == "server" {
		dir = filepath.Dir(dir)
	}
	temporary := filepath.Join(dir, ".compiled.yaml")
	defer os.Remove(temporary)
	if err := write(temporary, root); err != nil {
		return err
	}
	spec, err := util.LoadSwagger(temporary)
	if err != nil {
		return err
	}
	code, err := codegen.Generate(spec, c)
	if err != nil {
		return err
	}
	return os.WriteFile(out, []byte(code), 0o644)
}

// node turns a value that JSON can hold into YAML, with the fields in the order in which JSON has them.
func node(v any) *yaml.Node {
	encoded, err := json.Marshal(v)
	if err != nil {
		panic(err)
	}
	var n yaml.Node
	if err := yaml.Unmarshal(encoded, &n); err != nil {
		panic(err)
	}
	walk(&n, func(n *yaml.Node) { n.Style = 0 })
	return n.Content[0]
}
