// Command run runs go test on SQLite and on each other engine that it finds, and prints the engines at the
// end. It uses the servers that TEST_MYSQL_DSN, TEST_MARIADB_DSN and TEST_TIDB_DSN name. When the variable of
// MySQL or MariaDB is not set, but its server program is installed, the command starts a server in a
// temporary folder. With -require, the command fails when an engine in the list is missing. With -only, it
// also fails then, and leaves out every engine that is neither SQLite nor in the list.
//
// With -race and without -run, the race detector watches SQLite and the first server. Then the packages with
// tests on a database run on the other servers without the detector, in a sixth of the CPU time. The detector
// would find little there, because nearly all Go code is the same for every server.
//
//	go run ./db/dbtest/run [-require MySQL,MariaDB | -only TiDB] [arguments of go test]
package main

import (
	"errors"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strings"

	"example.com/b2b/v2/db/dbtest"
	"example.com/b2b/v2/db/dbtest/server"
)

func main() {
	log.SetFlags(0)
	args := os.Args[1:]
	var required []string
	var only bool
	if len(args) > 1 && (args[0] == "-require" || args[0] == "-only") {
		only, required, args = args[0] == "-only", strings.Split(args[1], ","), args[2:]
	}
	if err := run(required, only, args); err != nil {
		log.Fatal("run: ", err)
	}
}

func run(required []string, only bool, args []string) error {
	dir, err := os.MkdirTemp("", "b2b-test-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt) // Ctrl-C ends go test, and then this command
	ran, engines := []string{"SQLite"}, []string{"SQLite"}
	for _, s := range dbtest.Servers {
		if only && !slices.Contains(required, s.Engine) {
			os.Unsetenv(s.Variable)
			continue
		}
		if program := server.Find(s.Engine); program != "" && os.Getenv(s.Variable) == "" {
			// These servers do not wait for the disk: their data need not survive a crash. A test that kills
			// a server starts a server of its own.
			private, err := server.Start(s.Engine, program, filepath.Join(dir, s.Engine),
				"--innodb-flush-log-at-trx-commit=2", "--innodb-flush-method=nosync")
			if err != nil {
				return fmt.Errorf("%s could not be started: %w", program, err)
			}
			defer private.Stop()
			os.Setenv(s.Variable, private.DSN)
		}
		if dsn := os.Getenv(s.Variable); dsn != "" {
			version, err := server.Version(dsn)
			if err != nil {
				return fmt.Errorf("%s: %w", s.Variable, err)
			}
			ran, engines = append(ran, s.Engine+" "+version), append(engines, s.Engine)
		} else if slices.Contains(required, s.Engine) {
			return fmt.Errorf("%s is required: install it or set %s", s.Engine, s.Variable)
		}
	}
	packages := slices.IndexFunc(args, func(arg string) bool { return strings.HasPrefix(arg, ".") })
	chosen := slices.ContainsFunc(args, func(arg string) bool { return strings.HasPrefix(arg, "-run") })
	if packages >= 0 && !chosen && slices.Contains(args, "-race") && len(engines) > 2 {
		err = test(args, engines[:2])
		if len(interrupted) == 0 {
			err = errors.Join(err, testUnwatched(args[:packages], args[packages:], engines[2:]))
		}
	} else {
		err = test(args, engines)
	}
	fmt.Println("The tests ran on", strings.Join(ran, ", ")+".")
	return err
}

// testUnwatched runs the packages with tests on a database, without the race detector.
func testUnwatched(flags, packages, engines []string) error {
	list := append([]string{"list", "-f", "{{.ImportPath}} {{.TestImports}} {{.XTestImports}}"}, packages...)
	cmd := exec.Command("go", list...)
	cmd.Stderr = os.Stderr
	out, err := cmd.Output()
	if err != nil {
		return err
	}
	args := slices.DeleteFunc(slices.Clone(flags), func(flag string) bool {
		return flag == "-race" || strings.HasPrefix(flag, "-gcflags=")
	})
	for line := range strings.Lines(string(out)) {
		if name, imports, _ := strings.Cut(line, " "); strings.Contains(imports, "/db/dbtest") {
			args = append(args, name)
		}
	}
	return test(args, engines)
}

func test(args, engines []string) error {
	cmd := exec.Command("go", append([]string{"test"}, args...)...)
	cmd.Env = append(os.Environ(), server.Engines+"="+strings.Join(engines, ","))
	if slices.Contains(args, "-race") {
		cmd.Env = append(cmd.Env, "CGO_ENABLED=1") // only the race detector needs cgo
	}
	cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
	return cmd.Run()
}
