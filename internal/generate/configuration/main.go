// Command configuration writes everything in the repository that depends on the variables of package config.
// It writes .env.example and docs/configuration.md, which list the variables. It writes the ports into the
// Dockerfile, README and docs/aws.md, and the ports and the variables of the containers into
// docker-compose.yml. It writes the services of docker-compose.yml into deploy/compose.
package main

import (
	"bytes"
	_ "embed"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/generate"
)

func main() {
	generate.Run(func(root string) error { return run(root, config.Variables()) })
}

// run writes all files below the folder root.
func run(root string, variables []config.Variable) error {
	return errors.Join(
		os.WriteFile(filepath.Join(root, ".env.example"), example(variables), 0o644),
		os.WriteFile(filepath.Join(root, "docs", "configuration.md"), page(variables), 0o644),
		rewrite(filepath.Join(root, "docker-compose.yml"), variables, passOn),
		rewrite(filepath.Join(root, "docker-compose.yml"), variables, publish),
		rewrite(filepath.Join(root, "Dockerfile"), variables, expose),
		rewrite(filepath.Join(root, "README.md"), variables, listPorts("ports", "and")),
		rewrite(filepath.Join(root, "README.es.md"), variables, listPorts("puertos", "y")),
		rewrite(filepath.Join(root, "docs", "aws.md"), variables, commands),
		observe(root))
}

func rewrite(file string, variables []config.Variable, change func([]byte, []config.Variable) []byte) error {
	return generate.Rewrite(file, func(content []byte) ([]byte, error) { return change(content, variables), nil })
}

const exampleHead = "# Copy this file to .env and change what you need. " +
	"These are the defaults; a line behind # has none, or is better left out.\n" +
	"# A $ stands for itself; put a value that has one between single quotes, because Docker Compose reads this file, too.\n" +
	"# Made by make generate.\n"

func example(variables []config.Variable) []byte {
	var b bytes.Buffer
	b.WriteString(exampleHead)
	group := ""
	for _, v := range variables {
		if v.Group != group {
			group = v.Group
			b.WriteString("\n")
		}
		fmt.Fprintf(&b, "# %s\n", v.Meaning)
		if v.Default == "" {
			b.WriteString("#")
		}
		fmt.Fprintf(&b, "%s=%s\n", v.Name, v.Default)
	}
	return b.Bytes()
}

//go:embed page.md
var pageHead string // beginning of docs/configuration.md, with the head of its table

func page(variables []config.Variable) []byte {
	var b bytes.Buffer
	b.WriteString("<!-- Generated from internal/config by make generate. DO NOT EDIT. -->\n" + pageHead)
	for _, v := range variables {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.Name, v.DefaultText("`"), v.Meaning)
	}
	return b.Bytes()
}

var passedOn = regexp.MustCompile(`(?s)(  # variables: made by make generate\n).*?(  # end of variables\n)`)

// passOn rewrites the lines between the two marks in a compose file. These lines pass variables on to the
// containers: each variable that the rest of the file does not name.
func passOn(compose []byte, variables []config.Variable) []byte {
	elsewhere := passedOn.ReplaceAll(compose, nil)
	var lines strings.Builder
	for _, v := range variables {
		if v.Group == "Calling" || v.Group == "Mounting" {
			continue // these variables are for commands and for the Lambda function, which no container runs
		}
		if !regexp.MustCompile(`\b` + v.Name + `\b`).Match(elsewhere) {
			fmt.Fprintf(&lines, "  %s: ${%s:-%s}\n", v.Name, v.Name, v.Default)
		}
	}
	escaped := strings.ReplaceAll(lines.String(), "$", "$$")
	return passedOn.ReplaceAll(compose, []byte("${1}"+escaped+"${2}"))
}

// publish rewrites the ports in a compose file: the port that a service publishes to the host, and the port
// in the address by which other containers call the service.
func publish(compose []byte, variables []config.Variable) []byte {
	for _, v := range portsOf(variables) {
		published := regexp.MustCompile(`\$\{` + v.Name + `:-\d+\}:\d+`)
		mapping := fmt.Sprintf("$${%s:-%s}:%s", v.Name, v.Default, v.Default)
		compose = published.ReplaceAll(compose, []byte(mapping))
		service := strings.ToLower(strings.TrimSuffix(v.Name, "_PORT"))
		inside := regexp.MustCompile(`(http://` + service + `-api:)\d+`)
		compose = inside.ReplaceAll(compose, []byte("${1}"+v.Default))
	}
	return compose
}

var exposed = regexp.MustCompile(`(?m)^EXPOSE .*$`)

// expose rewrites the line of a Dockerfile with the ports of the services.
func expose(dockerfile []byte, variables []config.Variable) []byte {
	line := "EXPOSE"
	for _, v := range portsOf(variables) {
		line += " " + v.Default
	}
	return exposed.ReplaceAll(dockerfile, []byte(line))
}

// listPorts returns a function that rewrites the list of all ports in a text, such as "ports 3001, 3002 and
// 3000".
func listPorts(ports, and string) func([]byte, []config.Variable) []byte {
	list := regexp.MustCompile(ports + ` (?:\d+,?\s)+` + and + ` \d+`)
	return func(text []byte, variables []config.Variable) []byte {
		var numbers []string
		for _, v := range portsOf(variables) {
			numbers = append(numbers, v.Default)
		}
		last := len(numbers) - 1
		all := fmt.Sprintf("%s %s %s %s", ports, strings.Join(numbers[:last], ", "), and, numbers[last])
		return list.ReplaceAll(text, []byte(all))
	}
}

var commandRows = regexp.MustCompile(`(\| service: its command \|[^\n]*\n\|---\|---\|\n)(?:\|[^\n]*\n)*`)

// commands rewrites the table of commands in a page: a row has the command that runs a service, and the port
// of the service.
func commands(page []byte, variables []config.Variable) []byte {
	rows := "${1}"
	for _, v := range portsOf(variables) {
		rows += fmt.Sprintf("| `%s` | %s |\n", strings.ToLower(strings.TrimSuffix(v.Name, "_PORT")), v.Default)
	}
	return commandRows.ReplaceAll(page, []byte(rows))
}

var (
	container = regexp.MustCompile(`(?m)^  ([\w-]+):\n    <<: \*service$`)
	observed  = regexp.MustCompile(`(?s)(  # services: made by make generate\n).*?(  # end of services\n)`)
	targets   = regexp.MustCompile(`(# made by make generate\n *- targets: )\[.*\]`)
)

// observe lists the services of docker-compose.yml in the files of deploy/compose that collect their traces
// and metrics: observe.yml and prometheus.yml.
func observe(root string) error {
	compose, err := os.ReadFile(filepath.Join(root, "docker-compose.yml"))
	if err != nil {
		return err
	}
	var traces, metrics []string
	for _, m := range container.FindAllStringSubmatch(string(compose), -1) {
		traces = append(traces,
			fmt.Sprintf("  %s:\n    environment: { <<: *observed, OTEL_SERVICE_NAME: %[1]s }\n", m[1]))
		metrics = append(metrics, m[1]+":9464")
	}
	folder := filepath.Join(root, "deploy", "compose")
	return errors.Join(
		rewrite(filepath.Join(folder, "observe.yml"), nil, func(text []byte, _ []config.Variable) []byte {
			return observed.ReplaceAll(text, []byte("${1}"+strings.Join(traces, "\n")+"${2}"))
		}),
		rewrite(filepath.Join(folder, "prometheus.yml"), nil, func(text []byte, _ []config.Variable) []byte {
			return targets.ReplaceAll(text, []byte("${1}["+strings.Join(metrics, ", ")+"]"))
		}))
}

func portsOf(variables []config.Variable) (all []config.Variable) {
	for _, v := range variables {
		if v.Group == "Ports" {
			all = append(all, v)
		}
	}
	return all
}
