package main

import (
	"encoding/base64"
	"encoding/json"
	"maps"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/web/webtest"
)

// mount is a way of making the function available to callers. The event has the fields for path and query
// that the documentation of AWS and recorded events have.
type mount struct {
	basePath string // the variable BASE_PATH
	public   string // what callers put before the path of an operation
	event    func(request) object
}

var mounts = map[string]mount{
	"HTTP API":        {"", "", httpAPI("$default", "")},
	"HTTP API, stage": {"", "/prod", httpAPI("prod", "/prod")},
	// The path of the event lacks /b2b.
	"HTTP API, mapping":           {"/b2b", "/b2b", httpAPI("$default", "")},
	"HTTP API, mapping and stage": {"/shop/b2b", "/shop/b2b", httpAPI("prod", "/prod")},

	"HTTP API 1.0":          {"", "", restAPI("1.0", "$default", "", "")},
	"HTTP API 1.0, stage":   {"", "/prod", restAPI("1.0", "prod", "/prod", "/prod")},
	"HTTP API 1.0, mapping": {"/b2b", "/b2b", restAPI("1.0", "$default", "/b2b", "/b2b")},

	"REST API, stage":             {"", "/v1", restAPI("", "v1", "", "/v1")},
	"REST API, mapping":           {"/b2b/", "/b2b", restAPI("", "v1", "/b2b", "/b2b")},
	"REST API, mapping to stages": {"/b2b/v1", "/b2b/v1", restAPI("", "v1", "/b2b/v1", "/b2b/v1")},
	// Called by the address of the stage. Links begin with the mapping.
	"REST API, mapping, by stage": {"/b2b", "/b2b", restAPI("", "v1", "", "/v1")},

	"ALB":                      {"", "", loadBalanced(false, "")},
	"ALB, prefix":              {"/b2b", "/b2b", loadBalanced(false, "/b2b")},
	"ALB, multi-value, prefix": {"/b2b", "/b2b", loadBalanced(true, "/b2b")},
}

// httpAPI makes events of an HTTP API in format 2.0. Such a gateway decodes the path of a request once. The
// path of an event begins with prefix.
func httpAPI(stage, prefix string) func(request) object {
	return func(r request) object {
		path, _ := url.PathUnescape(prefix + r.path)
		return r.event(object{"version": "2.0", "routeKey": "$default", "rawPath": path, "rawQueryString": r.query,
			"headers": r.headers,
			"requestContext": object{
				"stage": stage, "domainName": "api.example.com", "apiId": "id", "routeKey": "$default",
				"http": object{"method": r.method, "path": path, "protocol": "HTTP/1.1", "sourceIp": "192.0.2.1"},
			}})
	}
}

// restAPI makes events of a REST API, or of an HTTP API in format 1.0. Both decode the query; an HTTP API
// also decodes the path. The version is "" for a REST API.
func restAPI(version, stage, prefix, contextPrefix string) func(request) object {
	return func(r request) object {
		path, query := r.path, parsed(r.query)
		if version != "" {
			path, _ = url.PathUnescape(path)
		}
		e := object{"resource": "/{proxy+}", "httpMethod": r.method, "path": prefix + path,
			"headers": r.headers, "multiValueHeaders": several(r.headers),
			"queryStringParameters": single(query), "multiValueQueryStringParameters": query,
			"pathParameters": object{"proxy": strings.TrimPrefix(path, "/")},
			"requestContext": object{
				"stage": stage, "path": contextPrefix + path, "httpMethod": r.method, "resourcePath": "/{proxy+}",
				"domainName": "api.example.com", "apiId": "id", "identity": object{"sourceIp": "192.0.2.1"},
			}}
		if version != "" {
			e["version"] = version
		}
		return r.event(e)
	}
}

// loadBalanced makes events of an Application Load Balancer, which decodes nothing.
func loadBalanced(multiValue bool, prefix string) func(request) object {
	return func(r request) object {
		query := url.Values{}
		for part := range strings.SplitSeq(r.query, "&") {
			if name, value, _ := strings.Cut(part, "="); name != "" {
				query.Add(name, value)
			}
		}
		e := object{"httpMethod": r.method, "path": prefix + r.path, "requestContext": loadBalancer}
		if multiValue {
			e["multiValueHeaders"], e["multiValueQueryStringParameters"] = several(r.headers), query
		} else {
			e["headers"], e["queryStringParameters"] = r.headers, single(query)
		}
		return r.event(e)
	}
}

func parsed(query string) url.Values {
	values, _ := url.ParseQuery(query)
	return values
}

func single(values url.Values) map[string]string {
	all := map[string]string{}
	for name := range values {
		all[name] = values.Get(name)
	}
	return all
}

// through turns a request into an event by the function event, invokes the Lambda function with this event,
// and returns the answer.
func (g gateway) through(t *testing.T, event func(request) object, r request) answer {
	t.Helper()
	res := g.Invoke(t, event(r))
	var a answer
	if err := json.Unmarshal(res.Body, &a); err != nil || res.Failed {
		t.Fatalf("failed %t: %s: %v", res.Failed, res.Body, err)
	}
	if a.Headers == nil {
		a.Headers = map[string]string{}
	}
	for name := range a.MultiValueHeaders {
		a.Headers[name] = a.MultiValueHeaders.Get(name)
	}
	if body, err := base64.StdEncoding.DecodeString(a.Body); a.IsBase64Encoded && err == nil {
		a.Body = string(body)
	}
	return a
}

// TestBasePath sends the calls of the document, and follows the links of the pages, behind every kind of
// gateway.
func TestBasePath(t *testing.T) {
	for name, m := range mounts {
		t.Run(name, func(t *testing.T) {
			p := newPeers(t)
			g := start(t, append(environment(p.URL), "BASE_PATH="+m.basePath)...)
			get := func(path, query string) answer {
				headers := maps.Clone(order("").headers)
				delete(headers, "content-type")
				return g.through(t, m.event, request{method: "GET", path: path, query: query, headers: headers})
			}
			expectSampleAnswer(t, g.through(t, m.event, order(sampleOrder)))
			for _, path := range []string{"/health", "/openapi.yaml"} {
				if a := get(path, ""); a.StatusCode != http.StatusOK {
					t.Errorf("%s: %+v", path, a)
				}
			}
			for _, path := range []string{"/nowhere", "/b2b" + endpoint + "/k", "/prod/health", "/"} {
				if m.public == "" { // with a prefix, the function may serve one of these paths
					get(path, "").expectError(t, http.StatusNotFound, "not_found")
				}
			}
			for _, key := range webtest.OddKeys {
				p.take()
				get(endpoint, "idempotency_key="+url.QueryEscape(key)).
					expectError(t, http.StatusNotFound, "idempotency_key_unknown")
				want := "GET /idempotency-keys?key=" + url.QueryEscape(key) + " "
				if calls := p.take(); len(calls) != 1 || !strings.HasPrefix(calls[0], want) {
					t.Errorf("%s: looked up %q, want %q", key, calls, want)
				}
			}
			get(endpoint+"/plain-key", "").expectError(t, http.StatusNotFound, "idempotency_key_unknown")

			var document struct{ Servers []struct{ URL string } }
			if a := get("/openapi.json", ""); json.Unmarshal([]byte(a.Body), &document) != nil ||
				len(document.Servers) != 1 || strings.TrimSuffix(document.Servers[0].URL, "/") != m.public {
				t.Errorf("servers of openapi.json: %+v", document)
			}
			if a := get("/openapi.yaml", ""); yaml.Unmarshal([]byte(a.Body), &document) != nil ||
				len(document.Servers) != 1 || strings.TrimSuffix(document.Servers[0].URL, "/") != m.public {
				t.Errorf("servers of openapi.yaml: %+v", document)
			}
			for _, page := range []string{"/docs", "/docs/", "/docs/errors"} {
				at := &url.URL{Scheme: "https", Host: "api.example.com", Path: m.public + page}
				links := link.FindAllStringSubmatch(get(page, "").Body, -1)
				if len(links) < 4 {
					t.Errorf("%s has %d links", page, len(links))
				}
				for _, l := range links {
					to, err := at.Parse(l[1])
					if err != nil {
						t.Fatal(err)
					}
					path, inside := strings.CutPrefix(to.Path, m.public)
					if a := get(path, ""); !inside || a.StatusCode != http.StatusOK {
						t.Errorf("%s links to %s: %d", at, to, a.StatusCode)
					}
				}
			}
		})
	}
}

// link matches an address in a page. The address of a document is in JSON within an attribute, where &#34;
// stands for a quote.
var link = regexp.MustCompile(`(?:href="|src="|url&#34;:&#34;)([^"#&]+)`)
