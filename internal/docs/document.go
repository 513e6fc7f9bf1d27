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
	placeholder, version := "version: "+spec.Info.Version, "version: "+strconv.Quote(buildinfo.Version())
	spec.Info.Version = buildinfo.Version()
	return bytes.Replace(document, []byte(placeholder), []byte(version), 1), spec
}

// bearerAuth matches the beginning of an operation's security by a caller's token.
var bearerAuth = regexp.MustCompile(`(?m)^( +)- bearerAuth:`)
