// Package generate holds the programs of make generate, in a folder for each product. The programs run in the
// order below: the first program writes the documents and clients, and the Postman collection, the Go SDK and
// the samples are made from them. The argument of each program is the root of the repository.
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

// Rewrite replaces the content of a file by the result of the function change. When change returns an error,
// Rewrite leaves the file as it is, and returns the error with the name of the file.
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
