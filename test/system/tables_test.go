package system_test

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/documents"
)

// sectionOf returns the part of a page below a heading, up to the next heading of the same level.
func sectionOf(t *testing.T, text, heading string) string {
	t.Helper()
	_, rest, found := strings.Cut(text, "\n"+heading+"\n")
	if !found {
		t.Fatalf("there is no heading %q", heading)
	}
	level, _, _ := strings.Cut(heading, " ")
	section, _, _ := strings.Cut(rest, "\n"+level+" ")
	return section
}

// rowsOf returns the rows of all tables of a text, without the heads of the tables.
func rowsOf(text string) (rows []string) {
	lines := strings.Split(text, "\n")
	for i, line := range lines {
		isHead := i+1 < len(lines) && strings.HasPrefix(lines[i+1], "|---")
		if strings.HasPrefix(line, "| ") && !isHead {
			rows = append(rows, line)
		}
	}
	return rows
}

func wantRows(t *testing.T, where string, got, want []string) {
	t.Helper()
	for _, row := range want {
		if !slices.Contains(got, row) {
			t.Errorf("%s lacks\n%s", where, row)
		}
	}
	for _, row := range got {
		if !slices.Contains(want, row) {
			t.Errorf("%s has\n%s", where, row)
		}
	}
	if len(want) == 0 {
		t.Errorf("nothing was expected of %s", where)
	}
}

// TestEndpoints compares the tables of docs/endpoints.md with the documents: operations, summaries, scopes
// and headers.
func TestEndpoints(t *testing.T) {
	text := page(t, "docs/endpoints.md")
	for _, d := range documents.All {
		doc := webtest.Spec(t, d.Content)
		var want []string
		for path, item := range doc.Paths.Map() {
			for method, operation := range item.Operations() {
				var headers []string
				for _, p := range slices.Concat(item.Parameters, operation.Parameters) {
					if p.Value.In != "header" {
						continue
					}
					header := "`" + p.Value.Name + "`"
					if p.Value.Required {
						header += " (required)"
					}
					headers = append(headers, header)
				}
				row := fmt.Sprintf("| `%s %s` | %s | %s | %s |",
					method, path, operation.Summary, tokenOf(operation), strings.Join(headers, ", "))
				want = append(want, strings.ReplaceAll(row, "|  |", "| |"))
			}
		}
		section := sectionOf(t, text, "## "+doc.Info.Title)
		wantRows(t, doc.Info.Title+" in docs/endpoints.md", rowsOf(section), want)
	}
}

// tokenOf returns the token that an operation needs, in the words of docs/endpoints.md.
func tokenOf(operation *openapi3.Operation) string {
	if operation.Security == nil || len(*operation.Security) == 0 {
		return "none"
	}
	var scopes []string
	for _, scope := range (*operation.Security)[0]["bearerAuth"] {
		scopes = append(scopes, "`"+scope+"`")
	}
	if scopes == nil {
		return "the service token"
	}
	token := strings.Join(scopes, ", ")
	if operation.Extensions["x-concerns-all-customers"] == true {
		token += "; not for a partner"
	}
	return token
}

// TestAWSPage compares docs/aws.md with the templates of the Lambda functions, and with the ports of the
// configuration.
func TestAWSPage(t *testing.T) {
	text := page(t, "docs/aws.md")
	for part, section := range map[string]string{
		"orchestrator": sectionOf(t, text, "## Lambda"), "services": sectionOf(t, text, "## The APIs in Lambda"),
	} {
		type environment struct {
			Environment struct {
				Variables map[string]string `yaml:"Variables"`
			} `yaml:"Environment"`
		}
		var template struct {
			Parameters map[string]struct {
				Default *string `yaml:"Default"`
			} `yaml:"Parameters"`
			Globals struct {
				Function environment `yaml:"Function"`
			} `yaml:"Globals"`
			Resources map[string]struct {
				Type       string      `yaml:"Type"`
				Properties environment `yaml:"Properties"`
			} `yaml:"Resources"`
		}
		if err := yaml.Unmarshal([]byte(page(t, "deploy/lambda/"+part+".yaml")), &template); err != nil {
			t.Fatal(err)
		}
		variables := template.Globals.Function.Environment.Variables
		if variables == nil {
			variables = map[string]string{}
		}
		var named []string
		for name, r := range template.Resources {
			for variable, value := range r.Properties.Environment.Variables {
				variables[variable] = value
			}
			if r.Type == "AWS::Serverless::Function" && part == "services" || strings.HasSuffix(r.Type, "Alarm") {
				named = append(named, name)
			}
		}
		var want []string
		for variable, parameter := range variables {
			p, ok := template.Parameters[parameter]
			if !ok {
				if fixed := "`" + variable + "` is fixed at " + parameter; !strings.Contains(joined(text), fixed) &&
					!strings.Contains(parameter, "${") && !slices.Contains([]string{
					"DB_HOST", "DB_TLS", "OTEL_SERVICE_NAME"}, variable) {
					t.Errorf("docs/aws.md does not say that %s", fixed)
				}
				continue
			}
			value := "none: it must be given"
			if p.Default != nil && *p.Default == "" {
				value = "empty"
			} else if p.Default != nil {
				value = "`" + *p.Default + "`"
			}
			want = append(want, fmt.Sprintf("| `%s` | `%s` | %s |", parameter, variable, value))
		}
		rows := rowsOf(section)
		for _, row := range want {
			if !slices.Contains(rows, row) {
				t.Errorf("docs/aws.md: %s lacks %s", part, row)
			}
		}
		for _, row := range rows {
			variable := regexp.MustCompile("^\\| `\\w+` \\| `[A-Z_]+` \\|").FindString(row)
			if variable != "" && !slices.Contains(want, row) {
				t.Errorf("docs/aws.md: %s has no %s", part, row)
			}
		}
		for parameter := range template.Parameters {
			if !strings.Contains(text, "`"+parameter+"`") {
				t.Errorf("docs/aws.md does not name the parameter %s", parameter)
			}
		}
		for _, name := range named {
			service := regexp.MustCompile(`^(Customers|Orders|Jobs)(Function|Api)`)
			alarm := strings.NewReplacer("ApiFails", "HttpApiFails").Replace(service.ReplaceAllString(name, "$2"))
			if !strings.Contains(text, "`"+name+"`") && !strings.Contains(text, "`"+alarm+"`") {
				t.Errorf("docs/aws.md does not name %s", name)
			}
		}
	}

	var services []string
	for port, service := range servicePorts() {
		for _, v := range config.Variables() {
			if v.Name == port {
				services = append(services, service+" "+v.Default)
			}
		}
	}
	var listed []string
	for _, row := range regexp.MustCompile("(?m)^\\| `(\\w+)` \\| (\\d+) \\|$").FindAllStringSubmatch(text, -1) {
		listed = append(listed, row[1]+" "+row[2])
	}
	slices.Sort(services)
	slices.Sort(listed)
	if !slices.Equal(listed, services) {
		t.Errorf("docs/aws.md has %v, the configuration %v", listed, services)
	}
}

// joined returns a text as a single line, with single spaces.
func joined(text string) string { return strings.Join(strings.Fields(text), " ") }

// TestVariablesInPages checks that the pages name only variables that exist. TestFromNodejs checks the page
// about the Node.js original.
func TestVariablesInPages(t *testing.T) {
	isName := regexp.MustCompile(`^([A-Z][A-Z0-9]*(?:_[A-Z0-9]+)+)(?:=.*)?$`)
	for _, name := range []string{
		"docs/aws.md", "docs/import-export.md", "docs/orders.md", "docs/reference.md", "docs/security.md",
		"docs/timeouts.md", "docs/troubleshooting.md",
	} {
		found := 0
		for _, m := range codeSpan.FindAllStringSubmatch(page(t, name), -1) {
			if variable := isName.FindStringSubmatch(m[1]); variable != nil {
				found++
				// the ARN of a secret, for Lambda functions: see docs/aws.md
				plain, isARN := strings.CutSuffix(variable[1], "_ARN")
				standard := strings.HasPrefix(variable[1], "OTEL_")
				if !isVariable(plain) && !standard || isARN && !slices.Contains(config.Secrets(), plain) {
					t.Errorf("%s names %s, which is no variable of internal/config", name, variable[1])
				}
			}
		}
		if found == 0 {
			t.Errorf("%s names no variable", name)
		}
	}
}

// TestComposeCommands reads the commands of docker compose in the pages. Each container in a command must be a
// service of docker-compose.yml.
func TestComposeCommands(t *testing.T) {
	var file struct{ Services map[string]any }
	if err := yaml.Unmarshal([]byte(page(t, "docker-compose.yml")), &file); err != nil {
		t.Fatal(err)
	}
	takesServices := []string{"up", "logs", "restart", "stop"}
	takesCommand := []string{"exec", "run"} // of a service, whose name comes first
	takesNone := []string{"up", "logs", "down", "ps", "stop", "start", "restart", "build"}
	command := regexp.MustCompile("(?m)(?:^|`)docker compose(?: -f \\S+)*( [^`\n]+)")
	found := 0
	for _, name := range []string{"docs/operations.md", "docs/troubleshooting.md", "docs/from-nodejs.md"} {
		for _, m := range command.FindAllStringSubmatch(page(t, name), -1) {
			found++
			isFlag := func(word string) bool { return strings.HasPrefix(word, "-") }
			words := slices.DeleteFunc(strings.Fields(m[1]), isFlag)
			what := words[0]
			if len(words) == 1 {
				if !slices.Contains(takesNone, what) {
					t.Errorf("%s: docker compose%s", name, m[1])
				}
				continue
			}
			services := words[1:]
			if slices.Contains(takesCommand, what) {
				services = words[1:2]
			} else if !slices.Contains(takesServices, what) {
				t.Errorf("%s: docker compose%s", name, m[1])
			}
			for _, service := range services {
				if _, exists := file.Services[service]; !exists {
					t.Errorf("%s: docker compose%s; containers are %v", name, m[1],
						slices.Sorted(maps.Keys(file.Services)))
				}
			}
		}
	}
	if found < 10 {
		t.Errorf("only %d commands", found)
	}
}
