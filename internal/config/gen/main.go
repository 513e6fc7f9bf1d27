// Command gen writes what follows from the variables of package config: .env.example, docs/configuration.md, in docker-compose.yml
// the variables that are passed on to every container, and in the Dockerfile the ports.
//
//go:generate go run . ../../..
package main

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"example.com/b2b/internal/config"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: gen ROOT")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, "gen:", err)
		os.Exit(1)
	}
}

func run(root string) error {
	if err := os.WriteFile(filepath.Join(root, ".env.example"), example(), 0o644); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(root, "docs", "configuration.md"), page(), 0o644); err != nil {
		return err
	}
	return errors.Join(rewrite(filepath.Join(root, "docker-compose.yml"), passOn), rewrite(filepath.Join(root, "Dockerfile"), expose))
}

func rewrite(file string, change func([]byte) []byte) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	return os.WriteFile(file, change(content), 0o644)
}

func example() []byte {
	var b bytes.Buffer
	b.WriteString("# Copy this file to .env and change what you need. These are the defaults; a line behind # has none, or is better left out.\n" +
		"# Made by make generate.\n")
	group := ""
	for _, v := range config.Variables() {
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

const production = `## Production

The services run in production when ` + "`APP_ENV=production`" + ` says so, and by default on MySQL and as the Lambda function. A lone orchestrator has
no database: set it there. Before any connection is made, the start is refused, with one line for each reason, for

- a ` + "`SERVICE_TOKEN`" + ` or ` + "`JWT_SECRET`" + ` that a file of this system shows, or that is shorter than 32 bytes (` + "`openssl rand -hex 32`" + ` makes one),
- neither ` + "`JWT_SECRET`" + ` nor ` + "`JWT_JWKS_URL`" + `, unless ` + "`AUTH_MODE=open`" + `,
- ` + "`AUTH_MODE=open`" + ` without ` + "`AUTH_OPEN_IN_PRODUCTION=true`" + `,
- a database on another machine without a password, or with the one of the compose file.

To change a service token without an outage: give every service ` + "`OLD,NEW`" + `, then ` + "`NEW,OLD`" + `, then ` + "`NEW`" + `.

## Variables
`

func page() []byte {
	var b bytes.Buffer
	b.WriteString("<!-- Generated from internal/config by make generate. DO NOT EDIT. -->\n# Configuration\n\n" +
		"Environment variables, also read from a file `.env` in the current folder. A value that is not allowed stops the start, with one\n" +
		"line for each. A command reads only what it uses. `AWS_REGION` of older `.env` files is ignored.\n\n" + production +
		"\n| variable | default | meaning |\n|---|---|---|\n")
	for _, v := range config.Variables() {
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.Name, v.DefaultText("`"), v.Meaning)
	}
	return b.Bytes()
}

var passedOn = regexp.MustCompile(`(?s)(  # variables: made by make generate\n).*?(  # end of variables\n)`)

// passOn rewrites the marked lines of a compose file: every variable that the file does not name elsewhere.
func passOn(compose []byte) []byte {
	elsewhere := passedOn.ReplaceAll(compose, nil)
	var lines strings.Builder
	for _, v := range config.Variables() {
		if v.Group == "Calling" {
			continue // no service
		}
		if !regexp.MustCompile(`\b` + v.Name + `\b`).Match(elsewhere) {
			fmt.Fprintf(&lines, "  %s: ${%s:-%s}\n", v.Name, v.Name, v.Default)
		}
	}
	return passedOn.ReplaceAll(compose, []byte("${1}"+strings.ReplaceAll(lines.String(), "$", "$$")+"${2}"))
}

var exposed = regexp.MustCompile(`(?m)^EXPOSE .*$`)

// expose rewrites the line of a Dockerfile that names the ports of the services.
func expose(dockerfile []byte) []byte {
	line := "EXPOSE"
	for _, v := range config.Variables() {
		if strings.HasSuffix(v.Name, "_PORT") && v.Group != "Database" {
			line += " " + v.Default
		}
	}
	return exposed.ReplaceAll(dockerfile, []byte(line))
}
