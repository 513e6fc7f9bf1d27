package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/config"
)

// TestConfiguration generates the parts of files that list variables, such as docker-compose.yml, for four
// variables. The hand-written parts of the files must stay.
func TestConfiguration(t *testing.T) {
	variables := []config.Variable{
		{Name: "LOG_LEVEL", Group: "Logging", Default: "info", Meaning: "least level"},
		{Name: "JWT_SECRET", Group: "JWT", Meaning: "secret",
			DefaultIn: map[string]string{config.Development: "known"}},
		{Name: "ORDERS_PORT", Group: "Ports", Default: "4002", Meaning: "port"},
		{Name: "START_PORT", Group: "Ports", Default: "4000", Meaning: "port"},
	}
	root := t.TempDir()
	file := func(name string) string { return filepath.Join(root, name) }
	for _, folder := range []string{"docs", "deploy/compose"} {
		if err := os.MkdirAll(file(folder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for name, text := range map[string]string{
		"Dockerfile": "FROM scratch\nEXPOSE 3001 3002\nENTRYPOINT [\"b2b\"]\n",
		"docker-compose.yml": `common:
  # variables: made by make generate
  OLD: ${OLD:-1}
  # end of variables
  JWT_SECRET: by hand
services:
  migrate:
    <<: *container
  orders-api:
    <<: *service
    ports: ["${ORDERS_PORT:-3002}:3002"]
  start:
    <<: *service
    ports: ["${START_PORT:-3000}:3000"]
    ORDERS_API_BASE: http://orders-api:3002
`,
		"docs/aws.md":  "| service: its command | port |\n|---|---|\n| `old` | 1 |\n\nBy hand.\n",
		"README.md":    "On ports 3002,\n3001 and 3000, and so on.\n",
		"README.es.md": "En los puertos 3002 y 3000, y así.\n",
		"deploy/compose/observe.yml": `services:
  # services: made by make generate
  old:
  # end of services
  jaeger:
`,
		"deploy/compose/prometheus.yml": "static_configs: # made by make generate\n  - targets: [old:9464]\n",
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
			"\n# least level\nLOG_LEVEL=info\n\n# secret\n#JWT_SECRET=\n\n# port\nORDERS_PORT=4002\n# port\nSTART_PORT=4000\n",
		"docs/configuration.md": "| `LOG_LEVEL` | `info` | least level |\n" +
			"| `JWT_SECRET` | `known` in development | secret |\n| `ORDERS_PORT` | `4002` | port |\n" +
			"| `START_PORT` | `4000` | port |\n",
		"Dockerfile": "FROM scratch\nEXPOSE 4002 4000\nENTRYPOINT [\"b2b\"]\n",
		"docker-compose.yml": `common:
  # variables: made by make generate
  LOG_LEVEL: ${LOG_LEVEL:-info}
  # end of variables
  JWT_SECRET: by hand
services:
  migrate:
    <<: *container
  orders-api:
    <<: *service
    ports: ["${ORDERS_PORT:-4002}:4002"]
  start:
    <<: *service
    ports: ["${START_PORT:-4000}:4000"]
    ORDERS_API_BASE: http://orders-api:4002
`,
		"docs/aws.md":  "command | port |\n|---|---|\n| `orders` | 4002 |\n| `start` | 4000 |\n\nBy hand.\n",
		"README.md":    "On ports 4002 and 4000, and so on.\n",
		"README.es.md": "En los puertos 4002 y 4000, y así.\n",
		"deploy/compose/observe.yml": `services:
  # services: made by make generate
  orders-api:
    environment: { <<: *observed, OTEL_SERVICE_NAME: orders-api }

  start:
    environment: { <<: *observed, OTEL_SERVICE_NAME: start }
  # end of services
  jaeger:
`,
		"deploy/compose/prometheus.yml": "static_configs: # made by make generate\n  - targets: [orders-api:9464, start:9464]\n",
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
