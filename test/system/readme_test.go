package system_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
)

// elsewhere are the README's commands that this test does not run.
var elsewhere = []string{
	"make run", "make test", "make generate", "make lint", "make build", "make lambda", // .ci/run
	"make chaos", // its short form is TestChaos
	"npx newman run postman/B2B-Order-Management.postman_collection.json", // .ci/run
	"docker compose up --build", "sam deploy --guided --template-file orchestrator/template.yaml", // nowhere, as the README says
}

// TestReadme runs the README's curl commands from top to bottom on a fresh database; each must succeed.
func TestReadme(t *testing.T) {
	runReadme(t, start(t, append(anyPorts, "DB_PATH="+filepath.Join(t.TempDir(), "b2b.db"))))
}

func runReadme(t *testing.T, p *process) {
	t.Helper()
	if _, err := exec.LookPath("curl"); err != nil && os.Getenv("CI") == "" {
		t.Skip("this machine has no curl")
	}
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	ports := strings.NewReplacer("http://localhost:3000", p.orchestrator, "http://localhost:3001", p.customers, "http://localhost:3002", p.orders)
	ran := 0
	for _, block := range regexp.MustCompile("(?ms)^```sh\n(.*?)^```").FindAllStringSubmatch(string(readme), -1) {
		for _, command := range commands(block[1]) {
			if slices.Contains(elsewhere, command) {
				continue
			}
			if !strings.HasPrefix(command, "curl ") {
				t.Errorf("nothing runs %q", command)
				continue
			}
			ran++
			out, err := exec.Command("bash", "-c", ports.Replace("curl --fail-with-body -sS "+strings.TrimPrefix(command, "curl "))).CombinedOutput()
			if err != nil || !strings.Contains(string(out), `"success":true`) {
				t.Errorf("%s\n%v %s", command, err, out)
			}
		}
	}
	if ran < 10 {
		t.Errorf("only %d curl commands", ran)
	}
}

// commands splits a block into its commands, each with its continued lines.
func commands(block string) (all []string) {
	continued := false
	for line := range strings.Lines(block) {
		switch {
		case continued:
			all[len(all)-1] += line
		case strings.HasPrefix(line, "#") || strings.TrimSpace(line) == "":
			continue
		default:
			all = append(all, line)
		}
		text := all[len(all)-1]
		continued = strings.HasSuffix(line, "\\\n") || strings.Count(text, "'")%2 == 1 // an open quotation
	}
	for i := range all {
		all[i] = strings.TrimSpace(all[i])
	}
	return all
}
