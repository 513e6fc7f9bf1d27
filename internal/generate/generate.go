// Package generate holds the programs behind make generate, a folder for each thing that they make. The
// programs run in the order below: the Postman collection and the Go SDK are made from the documents and the
// clients that the first program writes. Each program takes the root of the repository.
package generate

//go:generate go run ./openapi ../..
//go:generate go run ./configuration ../..
//go:generate go run ./schema ../..
//go:generate go run ./postman ../..
//go:generate go run ./gosdk ../..
