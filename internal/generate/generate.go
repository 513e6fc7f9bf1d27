// Package generate holds the programs of make generate, in a folder for each product. The programs run in the
// order below, because the Postman collection, the Go SDK and the samples are made from the documents and
// clients that the first program writes. The argument of each program is the root of the repository.
package generate

import (
	"fmt"
	"log"
	"os"
	"path/filepath"
)

//go:generate go run ./openapi ../..
//go:generate go run ./configuration ../..
//go:generate go run ./schema ../..
//go:generate go run ./postman ../..
//go:generate go run ./gosdk ../..
//go:generate go run ./samples ../..
//go:generate go run ./office ../..

// Run is the main function of each program: it calls the function write, and exits with 1 after an error.
func Run(write func(root string) error) {
	log.SetFlags(0)
	name := filepath.Base(os.Args[0])
	log.SetPrefix(name + ": ")
	if len(os.Args) != 2 {
		log.Fatalf("usage: %s ROOT", name)
	}
	if err := write(os.Args[1]); err != nil {
		log.Fatal(err)
	}
}

// Rewrite replaces the content of a file by the result of change. After an error of change, which it returns
// with the name of the file, the file is as before.
func Rewrite(file string, change func(content []byte) ([]byte, error)) error {
	content, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	if content, err = change(content); err != nil {
		return fmt.Errorf("%s: %w", file, err)
	}
	return os.WriteFile(file, content, 0o644)
}
