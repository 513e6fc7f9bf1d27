package main

import (
	"fmt"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"
)

// local is where each contract's service listens when nobody says otherwise: the joined document names these addresses, and who
// serves it puts in their place what it knows.
var local = map[string]string{
	"customersapi":    "http://localhost:3001",
	"ordersapi":       "http://localhost:3002",
	"orchestratorapi": "http://localhost:3000",
}

const introduction = `The services of this system in one document, for who makes one client of all. Each path names in ` + "`servers`" + ` the service that
has it. ` + "`/health`, `/ready`" + ` and each document by itself are at every service, and not in this one.
`

// join makes one document of all, which share names only for what is the same (TestNamesMeanOneThing). What every service has under
// one path is left out. It fails when nobody knows where a service is, or two have one path.
func join(contracts []string, documents []document, shared *yaml.Node) (*yaml.Node, error) {
	info, tags, paths, components := mapping(), &yaml.Node{Kind: yaml.SequenceNode}, mapping(), mapping()
	set(info, "title", text("B2B order management"))
	set(info, "description", text(introduction))
	common := value(at(shared, "info"), "description")
	for i, d := range documents {
		title, address := value(at(d.Node, "info"), "title"), local[contracts[i]]
		if address == "" {
			return nil, fmt.Errorf("join.go does not know where the %s is", title)
		}
		own := strings.TrimSuffix(value(at(d.Node, "info"), "description"), common)
		at(info, "description").Value += "\n# " + title + "\n\n" + strings.TrimSpace(own) + "\n"
		server := map[string]string{"url": address, "description": title}
		for path := range slices.Chunk(at(d.Node, "paths").Content, 2) {
			name, item := path[0].Value, clone(path[1])
			switch {
			case at(shared, "paths", name) != nil:
				continue
			case at(paths, name) != nil:
				return nil, fmt.Errorf("%s is in two documents", name)
			}
			set(item, "servers", node([]any{server}))
			set(paths, name, item)
		}
		for _, tag := range at(d.Node, "tags").Content {
			if !slices.ContainsFunc(content(at(shared, "tags")), func(t *yaml.Node) bool { return value(t, "name") == value(tag, "name") }) {
				tags.Content = append(tags.Content, clone(tag))
			}
		}
		merge(components, lacking(components, at(d.Node, "components")))
	}
	at(info, "description").Value += "\n# All of them\n\n" + common
	merge(info, clone(at(shared, "info")))
	root := mapping()
	set(root, "openapi", text(value(documents[0].Node, "openapi")))
	set(root, "info", info)
	set(root, "tags", tags)
	set(root, "paths", paths)
	set(root, "components", components)
	set(root, "servers", node([]any{map[string]string{"url": local["orchestratorapi"], "description": "Where callers begin."}}))
	joined := document{Node: root}
	joined.prune()
	return joined.served(), nil
}

// lacking returns the components that are not there yet.
func lacking(there, components *yaml.Node) *yaml.Node {
	all := clone(components)
	for kind := range slices.Chunk(all.Content, 2) {
		keep(kind[1], func(name string) bool { return at(there, kind[0].Value, name) == nil })
	}
	return all
}

func mapping() *yaml.Node { return &yaml.Node{Kind: yaml.MappingNode} }
