// Command run runs go test on SQLite and on each other engine that it finds, and prints the engines at the
// end. It uses the servers that TEST_MYSQL_DSN, TEST_MARIADB_DSN and TEST_TIDB_DSN name. When the variable of
// MySQL or MariaDB is not set, but its server program is installed, the command starts a server in a
// temporary folder. With -require, the command fails when an engine in the list is missing. With -only, it
// also leaves out all other engines except SQLite.
//
//	go run ./db/dbtest/run [-require MySQL,MariaDB | -only TiDB] [arguments of go test]
package main

import (
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
	signal.Notify(make(chan os.Signal, 1), os.Interrupt) // Ctrl-C ends go test, and then this command
	ran := []string{"SQLite"}
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
			ran = append(ran, s.Engine+" "+version)
		} else if slices.Contains(required, s.Engine) {
			return fmt.Errorf("%s is required: install it or set %s", s.Engine, s.Variable)
		}
	}
	if slices.Contains(args, "-race") {
		os.Setenv("CGO_ENABLED", "1") // only the race detector needs cgo
	}
	test := exec.Command("go", append([]string{"test"}, args...)...)
	test.Stdout, test.Stderr = os.Stdout, os.Stderr
	err = test.Run()
	fmt.Println("The tests ran on", strings.Join(ran, ", ")+".")
	return err
}
