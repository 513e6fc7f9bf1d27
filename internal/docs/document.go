package docs

import (
	"bytes"
	"regexp"
	"strconv"

	"github.com/getkin/kin-openapi/openapi3"

	"example.com/b2b/internal/buildinfo"
)

// Served returns a document for callers, as YAML and as a model, with the version of this program; with open,
// callers need no token. It panics when the document, a part of the program, cannot be read.
func Served(document []byte, open bool) ([]byte, *openapi3.T) {
	if open {
		document = bearerAuth.ReplaceAll(document, []byte("$1- {}\n$0"))
	}
	spec, err := openapi3.NewLoader().LoadFromData(document)
	if err != nil {
		panic(err)
	}
	version := buildinfo.Version()
	document = bytes.Replace(document,
		[]byte("version: "+spec.Info.Version), []byte("version: "+strconv.Quote(version)), 1)
	spec.Info.Version = version
	return document, spec
}

// bearerAuth matches the beginning of an operation's security by a caller's token.
var bearerAuth = regexp.MustCompile(`(?m)^( +)- bearerAuth:`)
