package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"
)

const (
	document = `
info: { title: Orders, version: 0.0.0 }
paths:
  /orders:
    parameters: [{ name: id, in: query }]
    get: { operationId: listOrders, security: [{ bearerAuth: ["orders:read"] }] }
    post: { operationId: createOrder, security: [{ bearerAuth: ["orders:write"] }] }
  /health:
    get: { operationId: getHealth, security: [] }
components:
  securitySchemes:
    bearerAuth: { type: http }
    other: { type: http }
`
	source = `
Resources:
  Function:
    Properties: { Architectures: [arm64] } # a comment
  HttpApi:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        Document: api/openapi.yaml
        Operation: { x-integration: !Sub "${Function.Arn}" }
        Secured: { security: !If [HasIssuer, [{ bearerAuth: [] }], !Ref "AWS::NoValue"] }
        SecuritySchemes: { bearerAuth: { type: oauth2 } }
`
	secured = `x-integration: !Sub "${Function.Arn}", ` +
		`security: !If [HasIssuer, [{bearerAuth: []}], !Ref "AWS::NoValue"]`
	wanted = `# Made by make lambda from source.yaml. DO NOT EDIT.
Resources:
  Function:
    Properties: {Architectures: [x86_64]}
  HttpApi:
    Type: AWS::Serverless::HttpApi
    Properties:
      DefinitionBody:
        info: {title: Orders, version: 2.1.0}
        paths:
          /orders:
            parameters: [{name: id, in: query}]
            get: {operationId: listOrders, ` + secured + `}
            post: {operationId: createOrder, ` + secured + `}
          /health:
            get: {operationId: getHealth, x-integration: !Sub "${Function.Arn}"}
          /$default:
            x-amazon-apigateway-any-method:
              isDefaultRoute: true
              x-integration: !Sub "${Function.Arn}"
        components:
          securitySchemes:
            other: {type: http}
            bearerAuth: {type: oauth2}
`
)

func write(t *testing.T, root, name, content string) string {
	t.Helper()
	path := filepath.Join(root, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestBuild builds the template of a small document. Then it breaks the source in several ways, and expects
// an error for each.
func TestBuild(t *testing.T) {
	root := t.TempDir()
	write(t, root, "api/openapi.yaml", document)
	file := write(t, root, "source.yaml", source)
	got, err := build(root, file, "amd64", "2.1.0")
	if err != nil || string(got) != wanted {
		t.Errorf("%v\n%s", err, got)
	}
	var parsed any
	if err := yaml.Unmarshal(got, &parsed); err != nil {
		t.Error(err)
	}
	for _, broken := range []struct{ old, new, architecture, want string }{
		{"", "", "mips", "mips"},
		{"api/openapi.yaml", "api/other.yaml", "arm64", "other.yaml"},
		{"Document", "Documents", "arm64", "no Document"},
		{"HttpApi\n", "Api\n", "arm64", "no HTTP API"},
		{"Architectures", "Architecture", "arm64", "no architecture"},
	} {
		file := write(t, root, "source.yaml", strings.Replace(source, broken.old, broken.new, 1))
		if _, err := build(root, file, broken.architecture, ""); err == nil ||
			!strings.Contains(err.Error(), broken.want) {
			t.Errorf("%v, want %s", err, broken.want)
		}
	}
}
