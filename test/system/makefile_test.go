package system_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestMakeRunCompiles checks that the first `make run` of a clone prints that it compiles, and that a later
// `make run` does not print this.
func TestMakeRunCompiles(t *testing.T) {
	clone := t.TempDir()
	compiler := "#!/bin/sh\nmkdir -p bin; echo echo started > bin/b2b; chmod +x bin/b2b\n"
	for name, content := range map[string]string{"go": compiler, "Makefile": page(t, "Makefile")} {
		if err := os.WriteFile(filepath.Join(clone, name), []byte(content), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	for _, first := range []bool{true, false} {
		run := exec.Command("make", "run")
		run.Dir = clone
		// Remove the variables of an outer make, such as make test: with them, make run would print lines of
		// an inner make.
		run.Env = append(os.Environ(), "PATH="+clone+":"+os.Getenv("PATH"), "MAKELEVEL=", "MAKEFLAGS=", "MFLAGS=")
		out, err := run.CombinedOutput()
		lines := strings.Split(strings.TrimSpace(string(out)), "\n")
		if err != nil || strings.Contains(lines[0], "compiling") != first || lines[len(lines)-1] != "started" {
			t.Errorf("first %t: %s (%v)", first, out, err)
		}
	}
}
