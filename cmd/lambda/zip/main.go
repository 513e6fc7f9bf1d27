// Command zip packs a Lambda bootstrap: zip BOOTSTRAP ARCHIVE. The same bootstrap always makes the same archive.
package main

import (
	"archive/zip"
	"errors"
	"fmt"
	"os"
	"time"
)

func main() {
	if len(os.Args) != 3 {
		fmt.Fprintln(os.Stderr, "usage: zip BOOTSTRAP ARCHIVE")
		os.Exit(2)
	}
	if err := run(os.Args[1], os.Args[2]); err != nil {
		fmt.Fprintln(os.Stderr, "zip:", err)
		os.Exit(1)
	}
}

func run(bootstrap, archive string) error {
	program, err := os.ReadFile(bootstrap)
	if err != nil {
		return err
	}
	out, err := os.Create(archive)
	if err != nil {
		return err
	}
	z := zip.NewWriter(out)
	header := &zip.FileHeader{Name: "bootstrap", Method: zip.Deflate, Modified: time.Date(1980, 1, 1, 0, 0, 0, 0, time.UTC)}
	header.SetMode(0o755) // Lambda runs it as it is in the archive
	w, err := z.CreateHeader(header)
	if err == nil {
		_, err = w.Write(program)
	}
	return errors.Join(err, z.Close(), out.Close())
}
