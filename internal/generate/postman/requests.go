package main

import (
	"fmt"
	"maps"
	"regexp"
	"slices"
	"strings"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/openapi/documents"
)

// service is the document of a service, with the Postman variable for the service's address.
type service struct {
	variable, base string
	document       []byte
}

// services returns the services, such as {ordersBase, http://localhost:3002, ...}.
func services() (all []service) {
	for _, d := range documents.All {
		all = append(all, service{d.Service + "Base", d.Address, d.Content})
	}
	return all
}

// typed encodes those characters in the value of a query parameter that have a meaning in an address. It
// leaves the others to Postman and Bruno, because Bruno would encode an encoded character again.
var typed = strings.NewReplacer("%", "%25", "&", "%26", "#", "%23", "+", "%2B", " ", "%20")

// addresses returns the variables that depend on a deployment: addresses and tokens.
func (g *generator) addresses() (all []variable) {
	for _, s := range g.services {
		all = append(all, variable{Key: s.variable, Value: s.base, Type: "string"})
	}
	return append(all,
		variable{Key: "token", Type: "string", secret: "secret",
			Description: "Your token; empty to send none."},
		variable{Key: "serviceToken", Value: "dev-service-token", Type: "string", secret: "secret",
			Description: "SERVICE_TOKEN of the services, for /internal."})
}

type document struct {
	Info       struct{ Title, Description string }
	Tags       []struct{ Name, Description string }
	Paths      yaml.Node
	Components struct{ Parameters map[string]parameter }
}

type operation struct {
	ID          string `yaml:"operationId"`
	Summary     string
	Description string
	Tags        []string
	Security    []map[string][]string
	Parameters  []parameter
	RequestBody struct{ Content yaml.Node } `yaml:"requestBody"`
	Responses   map[string]any
}

type parameter struct {
	Ref         string `yaml:"$ref"`
	Name, In    string
	Description string
	Required    bool
	Example     yaml.Node
	Schema      struct {
		Ref string `yaml:"$ref"`
	}
}

// call is an operation, with its method, its path and its document.
type call struct {
	operation
	method, path string
	service      *service
	parameters   []parameter
	mediaType    string // media type of the body; "" without a body
	example      *yaml.Node
}

// generator makes the collection. It first makes the requests of the documents, which fill the field calls,
// and then the flows, which use it.
type generator struct {
	table
	services []service
	calls    map[string]call // calls by operation id
	initial  []variable      // variables for ids in paths, with the ids of the examples
	provoked []string        // errors that the steps expect, such as "404 order_not_found"
}

// service returns the folder of a service, with a folder for each tag, in the order of the document.
func (g *generator) service(s *service) (folder, error) {
	var d document
	if err := yaml.Unmarshal(s.document, &d); err != nil {
		return folder{}, err
	}
	tags := map[string][]any{}
	for i := 0; i < len(d.Paths.Content); i += 2 {
		item := d.Paths.Content[i+1]
		var shared struct{ Parameters []parameter }
		if err := item.Decode(&shared); err != nil {
			return folder{}, err
		}
		for j := 0; j < len(item.Content); j += 2 {
			method, described := item.Content[j].Value, item.Content[j+1]
			c := call{method: strings.ToUpper(method), path: d.Paths.Content[i].Value, service: s}
			if err := described.Decode(&c.operation); err != nil || c.ID == "" {
				continue // another key of the path, such as parameters
			}
			for _, p := range slices.Concat(shared.Parameters, c.Parameters) {
				if name, found := strings.CutPrefix(p.Ref, "#/components/parameters/"); found {
					p = d.Components.Parameters[name]
				}
				c.parameters = append(c.parameters, p)
			}
			if content := c.RequestBody.Content.Content; len(content) > 0 {
				var media struct{ Example yaml.Node }
				if err := content[1].Decode(&media); err != nil {
					return folder{}, err
				}
				c.mediaType, c.example = content[0].Value, &media.Example
			}
			g.calls[c.ID] = c
			made, err := g.reference(c)
			if err != nil {
				return folder{}, fmt.Errorf("%s: %w", c.ID, err)
			}
			tags[c.Tags[0]] = append(tags[c.Tags[0]], made)
		}
	}
	all := folder{Name: d.Info.Title, Description: d.Info.Description}
	for _, t := range d.Tags {
		all.Items = append(all.Items, folder{Name: t.Name, Description: t.Description, Items: tags[t.Name]})
	}
	return all, nil
}

// reference returns the request with an operation's example. Idempotency keys and unique names get a new
// value each time the request is sent.
func (g *generator) reference(c call) (item, error) {
	own := g.Requests[c.ID]
	delete(g.Requests, c.ID)
	s := step{Name: c.Summary, Call: c.ID, Path: own.Path, Save: own.Save, Status: 200,
		Query: map[string]string{}, Headers: map[string]string{}, Set: map[string]string{}}
	if c.Responses["200"] == nil {
		s.Status = 201
	}
	for _, p := range c.parameters {
		switch isKey := strings.HasSuffix(p.Schema.Ref, "/IdempotencyKey"); {
		case p.Example.Kind == 0:
		case isKey && p.In == "header":
			s.Set["key"] = p.Example.Value + "-{{$guid}}"
			s.Headers[p.Name] = "{{key}}"
		case p.In == "header":
			s.Headers[p.Name] = p.Example.Value
		case isKey && p.In == "query":
			s.Query[p.Name] = "{{key}}" // the key that the previous request has sent
		case p.In == "query":
			s.Query[p.Name] = p.Example.Value
		case s.Path[p.Name] != "":
		case isKey:
			s.path(p.Name, "{{key}}")
		default:
			s.path(p.Name, "{{"+g.id(c, p)+"}}")
		}
	}
	if c.example != nil {
		s.Body = *fresh(c.example, s.Set)
	}
	return g.item(s, true)
}

// id returns the name of the variable for an id in a path, such as orderId for /orders/{id}. The variable
// begins with the id of the example.
func (g *generator) id(c call, p parameter) string {
	before, _, _ := strings.Cut(c.path, "/{"+p.Name+"}")
	name := strings.TrimSuffix(before[strings.LastIndex(before, "/")+1:], "s") + "Id"
	if !slices.ContainsFunc(g.initial, func(v variable) bool { return v.Key == name }) {
		g.initial = append(g.initial, variable{Key: name, Value: p.Example.Value, Type: "string"})
	}
	return name
}

// fresh returns a copy of a body's example in which unique fields get a new value each time the request is
// sent. An idempotency key in the body is sent from the variable key: fresh adds the value of this variable
// to the map set.
func fresh(example *yaml.Node, set map[string]string) *yaml.Node {
	n := *example
	n.Content = slices.Clone(example.Content)
	for i := 0; i+1 < len(n.Content) && n.Kind == yaml.MappingNode; i += 2 {
		value := *n.Content[i+1]
		switch n.Content[i].Value {
		case "email":
			value.Value = strings.Replace(value.Value, "@", "-{{$guid}}@", 1)
		case "sku", "external_ref":
			value.Value += "-{{$guid}}"
		case "idempotency_key":
			set["key"] = value.Value + "-{{$guid}}"
			value.Value = "{{key}}"
		}
		n.Content[i+1] = &value
	}
	return &n
}

// item returns the request of a step with its tests. With the parameter complete, the request also lists, as
// disabled, the parameters that it does not send.
func (g *generator) item(s step, complete bool) (item, error) {
	c, known := g.calls[s.Call]
	if !known && s.Call != "" {
		return item{}, fmt.Errorf("%s: no document has %s", s.Name, s.Call)
	}
	made := item{Name: s.Name, Response: []any{}}
	made.Request = request{Method: c.method, Header: []field{}, Description: s.About}
	if complete {
		made.Request.Description = strings.TrimSpace(c.Description)
	}
	var path string
	if s.Send != "" {
		made.Request.Method, path, _ = strings.Cut(s.Send, " ")
	} else {
		path = "{{" + c.service.variable + "}}" + c.path
	}
	for name, value := range s.Path {
		path = strings.ReplaceAll(path, "{"+name+"}", value)
	}
	if left := regexp.MustCompile(`/\{\w+\}`).FindString(path); left != "" {
		return item{}, fmt.Errorf("%s: nothing is said of %s", s.Name, left)
	}
	u := &made.Request.URL
	u.Raw = path
	host, rest, _ := strings.Cut(path, "/")
	u.Host, u.Path = []string{host}, strings.Split(rest, "/")

	query, headers := maps.Clone(s.Query), maps.Clone(s.Headers)
	described := func(in string, given map[string]string) (all []field) {
		for _, p := range c.parameters {
			if value, found := given[p.Name]; p.In == in && (found || complete) {
				f := field{Key: p.Name, Value: value, Disabled: !found}
				if complete {
					f.Description = strings.Join(strings.Fields(p.Description), " ")
				}
				all = append(all, f)
				delete(given, p.Name)
			}
		}
		for _, name := range slices.Sorted(maps.Keys(given)) { // names that the document does not have
			all = append(all, field{Key: name, Value: given[name]})
		}
		return all
	}
	if u.Query = described("query", query); len(u.Query) > 0 {
		var parts []string
		for _, q := range u.Query {
			if !q.Disabled {
				parts = append(parts, q.Key+"="+typed.Replace(q.Value))
			}
		}
		u.Raw += strings.TrimSuffix("?"+strings.Join(parts, "&"), "?")
	}
	made.Request.Header = append(made.Request.Header, described("header", headers)...)

	switch {
	case s.Raw != "":
		made.Request.Body = &body{Mode: "raw", Raw: s.Raw}
	case s.Body.Kind == yaml.ScalarNode: // the body is a file of rows
		made.Request.Body = &body{Mode: "raw", Raw: s.Body.Value}
	case s.Body.Kind != 0:
		made.Request.Body = &body{Mode: "raw", Raw: asJSON(&s.Body), Options: inJSON}
	}
	if made.Request.Body != nil && s.Headers["Content-Type"] == "" {
		made.Request.Header = append(made.Request.Header, field{Key: "Content-Type", Value: c.mediaType})
	}
	switch {
	case s.Token == "none":
		made.Request.Auth = &auth{Type: "noauth"}
	case s.Token != "":
		made.Request.Auth = bearer(s.Token)
	case len(c.Security) > 0 && len(c.Security[0]) == 1 && c.Security[0]["serviceToken"] != nil:
		made.Request.Auth = bearer("serviceToken")
	}
	if before := s.before(); len(before) > 0 {
		made.Event = append(made.Event, script("prerequest", before))
	}
	made.Event = append(made.Event, script("test", s.after()))
	return made, nil
}

var inJSON = map[string]any{"raw": map[string]string{"language": "json"}}
