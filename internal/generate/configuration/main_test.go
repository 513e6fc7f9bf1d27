package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/config"
)

// TestConfiguration writes every file for three variables, and expects the hand-written rest of the compose
// file and the Dockerfile to stay.
func TestConfiguration(t *testing.T) {
	variables := []config.Variable{
		{Name: "LOG_LEVEL", Group: "Logging", Default: "info", Meaning: "least level"},
		{Name: "JWT_SECRET", Group: "JWT", Meaning: "secret",
			DefaultIn: map[string]string{config.Development: "known"}},
		{Name: "ORDERS_PORT", Group: "Ports", Default: "4002", Meaning: "port"},
	}
	root := t.TempDir()
	file := func(name string) string { return filepath.Join(root, name) }
	if err := os.Mkdir(file("docs"), 0o755); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"Dockerfile": "FROM scratch\nEXPOSE 3001 3002\nENTRYPOINT [\"b2b\"]\n",
		"docker-compose.yml": `common:
  # variables: made by make generate
  OLD: ${OLD:-1}
  # end of variables
  JWT_SECRET: by hand
orders-api:
  ports: ["${ORDERS_PORT:-3002}:3002"]
orchestrator:
  ORDERS_API_BASE: http://orders-api:3002
`,
	} {
		if err := os.WriteFile(file(name), []byte(text), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for range 2 { // the second run changes nothing
		if err := run(root, variables); err != nil {
			t.Fatal(err)
		}
	}
	for name, want := range map[string]string{
		".env.example": exampleHead +
			"\n# least level\nLOG_LEVEL=info\n\n# secret\n#JWT_SECRET=\n\n# port\nORDERS_PORT=4002\n",
		"docs/configuration.md": "| `LOG_LEVEL` | `info` | least level |\n" +
			"| `JWT_SECRET` | `known` in development | secret |\n| `ORDERS_PORT` | `4002` | port |\n",
		"Dockerfile": "FROM scratch\nEXPOSE 4002\nENTRYPOINT [\"b2b\"]\n",
		"docker-compose.yml": `common:
  # variables: made by make generate
  LOG_LEVEL: ${LOG_LEVEL:-info}
  # end of variables
  JWT_SECRET: by hand
orders-api:
  ports: ["${ORDERS_PORT:-4002}:4002"]
orchestrator:
  ORDERS_API_BASE: http://orders-api:4002
`,
	} {
		got, err := os.ReadFile(file(name))
		if err != nil || !strings.HasSuffix(string(got), want) {
			t.Errorf("%s: %v\n%s\nwant at the end\n%s", name, err, got, want)
		}
	}
}

func TestMissingFile(t *testing.T) {
	if err := run(t.TempDir(), nil); err == nil || !strings.Contains(err.Error(), "docker-compose.yml") {
		t.Errorf("%v", err)
	}
}
