package main

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/cmd/options"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/function"
	"example.com/b2b/v2/internal/web/webtest"
	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/customersapi"
	"example.com/b2b/v2/openapi/orchestratorapi"
	"example.com/b2b/v2/openapi/ordersapi"
)

// template is a template of SAM. The values of !Ref and !Sub are strings, and the values of !If are lists.
type template struct {
	Parameters map[string]struct {
		NoEcho  bool
		Default any
	}
	Globals   struct{ Function lambdaFunction }
	Resources map[string]struct {
		Type       string
		Properties json.RawMessage
	}
	Outputs map[string]struct{ Value string }
}

type lambdaFunction struct {
	Runtime, Handler, CodeURI, Tracing string
	Architectures                      []string
	Timeout                            int
	Environment                        struct{ Variables map[string]string }
	Events                             map[string]struct {
		Type       string
		Properties struct{ Path, Method string }
	}
}

// built returns a template, made with the command that make lambda runs.
func built(t *testing.T, part, architecture string) template {
	t.Helper()
	file := filepath.Join(t.TempDir(), part+".yaml")
	generate := exec.Command("go", "run", "./internal/generate/gateway", "-arch", architecture, "-version", "1.2.3",
		"deploy/lambda/"+part+".yaml", file)
	generate.Dir = "../.."
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var tree any
	if err := yaml.Unmarshal(text, &tree); err != nil {
		t.Fatal(err)
	}
	var parsed template
	asJSON, err := json.Marshal(tree)
	if err == nil {
		err = json.Unmarshal(asJSON, &parsed)
	}
	if err != nil {
		t.Fatal(err)
	}
	return parsed
}

// properties decodes the properties of a resource.
func properties[P any](t *testing.T, from template, resource string) (p P) {
	t.Helper()
	if err := json.Unmarshal(from.Resources[resource].Properties, &p); err != nil {
		t.Fatalf("%s: %v", resource, err)
	}
	return p
}

// TestTemplates compares both templates with the documents, with the configuration, and with the limits of
// API Gateway. Only a deployment shows whether AWS accepts the templates.
func TestTemplates(t *testing.T) {
	documents := map[string][]byte{
		"HttpApi": orchestratorapi.Document, "CustomersApi": customersapi.Document, "OrdersApi": ordersapi.Document,
	}
	found := 0
	for _, part := range []string{"orchestrator", "services"} {
		template := built(t, part, "arm64")
		for name, p := range template.Parameters {
			isSecret := strings.Contains(name, "Token") || strings.Contains(name, "Secret") ||
				strings.Contains(name, "Password")
			if isSecret && !strings.HasSuffix(name, "Arn") || p.NoEcho {
				t.Errorf("%s: %s is a secret in plain text", part, name)
			}
		}
		alarmed := map[string]string{}
		for name, r := range template.Resources {
			switch r.Type {
			case "AWS::Serverless::HttpApi":
				found++
				testHTTPAPI(t, template, name, documents[name])
			case "AWS::CloudWatch::Alarm":
				a := properties[struct {
					MetricName string
					Dimensions []struct{ Value string }
				}](t, template, name)
				alarmed[a.Dimensions[0].Value] += a.MetricName + " "
			}
		}
		for name, r := range template.Resources {
			if strings.HasSuffix(r.Type, "HttpApi") && !strings.Contains(alarmed[name], "5xx") ||
				r.Type == "AWS::Serverless::Function" && name != "MigrateFunction" &&
					(!strings.Contains(alarmed[name], "Errors") || !strings.Contains(alarmed[name], "Throttles")) {
				t.Errorf("%s: %s has the alarms %q", part, name, alarmed[name])
			}
		}
	}
	if found != len(documents) {
		t.Errorf("%d HTTP APIs", found)
	}
	f := properties[lambdaFunction](t, built(t, "orchestrator", "amd64"), "Function")
	if !slices.Equal(f.Architectures, []string{"x86_64"}) {
		t.Errorf("amd64: %v", f.Architectures)
	}
}

// testHTTPAPI expects an HTTP API to be the document, with an integration in each operation. The timeout of
// the API must be longer than the timeout of the function.
func testHTTPAPI(t *testing.T, from template, name string, document []byte) {
	type operation struct {
		Security    any
		Integration struct {
			Type, URI, PayloadFormatVersion string
			TimeoutInMillis                 int
		} `json:"x-amazon-apigateway-integration"`
		IsDefaultRoute bool
	}
	api := properties[struct {
		DefinitionBody struct {
			Info  struct{ Title, Version string }
			Paths map[string]map[string]json.RawMessage
		}
		DefaultRouteSettings struct{ ThrottlingRateLimit, ThrottlingBurstLimit string }
		AccessLogSettings    struct{ Format string }
	}](t, from, name)
	if !strings.Contains(api.AccessLogSettings.Format, `"correlation_id":"$context.requestId"`) ||
		!json.Valid([]byte(api.AccessLogSettings.Format)) {
		t.Errorf("%s: access log %s", name, api.AccessLogSettings.Format)
	}
	if api.DefaultRouteSettings.ThrottlingRateLimit == "" || api.DefaultRouteSettings.ThrottlingBurstLimit == "" {
		t.Errorf("%s is not throttled", name)
	}
	spec := webtest.Spec(t, document)
	if api.DefinitionBody.Info.Title != spec.Info.Title || api.DefinitionBody.Info.Version != "1.2.3" {
		t.Errorf("%s: %+v", name, api.DefinitionBody.Info)
	}
	routes := map[string]bool{"/$default X-AMAZON-APIGATEWAY-ANY-METHOD": false}
	for path, item := range spec.Paths.Map() {
		for method, o := range item.Operations() {
			secured := o.Security == nil && len(spec.Security) > 0 || o.Security != nil && len(*o.Security) > 0
			// The gateway checks JWTs, but only for the API of the orchestrator: callers of the other APIs
			// send the service token.
			routes[path+" "+method] = secured && name == "HttpApi"
		}
	}
	got := 0
	for path, item := range api.DefinitionBody.Paths {
		for method, text := range item {
			if method == "parameters" {
				continue
			}
			got++
			secured, known := routes[path+" "+strings.ToUpper(method)]
			var o operation
			if err := json.Unmarshal(text, &o); err != nil || !known || secured != (o.Security != nil) {
				t.Errorf("%s: %s %s: known %t, security %v (%v)", name, method, path, known, o.Security, err)
			}
			target := regexp.MustCompile(`functions/\${(\w+)\.Arn}/invocations$`).FindStringSubmatch(o.Integration.URI)
			if target == nil || o.Integration.Type != "aws_proxy" || o.Integration.PayloadFormatVersion != "2.0" {
				t.Errorf("%s: %s %s: %+v", name, method, path, o.Integration)
				continue
			}
			f := merged(t, from, target[1])
			request := seconds(t, f.Environment.Variables["REQUEST_TIMEOUT_SECONDS"])
			peer := options.Peer(&config.Settings{Serving: config.Serving{RequestTimeout: request},
				Access: config.Access{ServiceTokens: []string{""}}}, "").Timeout
			functionTime := time.Duration(f.Timeout) * time.Second
			gateway := time.Duration(o.Integration.TimeoutInMillis) * time.Millisecond
			if peer >= request || request > functionTime-2*function.DeadlineReserve || functionTime >= gateway ||
				gateway > 29*time.Second { // the longest timeout of a REST API
				t.Errorf("%s: a call %s, a request %s, the function %s, the gateway %s", name, peer, request,
					functionTime, gateway)
			}
		}
	}
	if got != len(routes) {
		t.Errorf("%s has %d routes, the document %d", name, got, len(routes))
	}
}

func seconds(t *testing.T, text string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(text + "s")
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// merged returns a function of the template, with the properties that it inherits from Globals.
func merged(t *testing.T, from template, name string) lambdaFunction {
	t.Helper()
	f, all := properties[lambdaFunction](t, from, name), from.Globals.Function
	if f.Environment.Variables == nil {
		f.Environment.Variables = map[string]string{}
	}
	for variable, value := range all.Environment.Variables {
		f.Environment.Variables[variable] = value
	}
	if f.Runtime == "" {
		f.Runtime, f.CodeURI, f.Tracing, f.Architectures = all.Runtime, all.CodeURI, all.Tracing, all.Architectures
	}
	return f
}

// groups lists the groups of the configuration that each function reads: see configuration() of this command,
// and command lambda-services.
var groups = map[string][]string{
	"Function":          {"Logging", "Deployment", "Access", "JWT", "Serving", "Amounts", "CustomersPeer", "OrdersPeer", "Mounting"},
	"CustomersFunction": {"Logging", "Access", "JWT", "Serving", "Amounts", "Keys", "Database"},
	"OrdersFunction":    {"Logging", "Access", "JWT", "Serving", "Amounts", "Keys", "Database", "Orders", "CustomersPeer"},
	"JobsFunction":      {"Logging", "Keys", "Database", "Orders"},
	"MigrateFunction":   {"Logging", "Database"},
}

// unset lists the variables whose defaults are right for Lambda. A function has no replica, because a frozen
// process cannot watch how far the replica lags.
var unset = []string{
	"DB_DRIVER", "DB_PATH", "DB_PORT", "DB_TLS_CA", "DB_READ_HOST", "DB_READ_PORT", "DB_READ_MAX_LAG_SECONDS",
}

// TestTemplateVariables expects each function to get every variable that it reads, and no other.
func TestTemplateVariables(t *testing.T) {
	secrets := config.Secrets()
	seen := 0
	for _, part := range []string{"orchestrator", "services"} {
		template := built(t, part, "arm64")
		for name, r := range template.Resources {
			if r.Type != "AWS::Serverless::Function" {
				continue
			}
			seen++
			f := merged(t, template, name)
			if f.Runtime != "provided.al2023" || f.Tracing != "Active" || f.CodeURI != part+".zip" ||
				!slices.Equal(f.Architectures, []string{"arm64"}) {
				t.Errorf("%s: %+v", name, f)
			}
			passed := map[string]bool{}
			for variable := range f.Environment.Variables {
				plain, isARN := strings.CutSuffix(variable, function.ARNSuffix)
				passed[plain] = true
				known := slices.ContainsFunc(config.Variables(),
					func(v config.Variable) bool { return v.Name == plain })
				if slices.Contains(secrets, plain) != isARN || !known && !strings.HasPrefix(variable, "OTEL_") {
					t.Errorf("%s has %s", name, variable)
				}
			}
			for _, v := range config.Variables() {
				if slices.Contains(groups[name], v.Group) && !passed[v.Name] && !slices.Contains(unset, v.Name) {
					t.Errorf("%s never reaches %s", v.Name, name)
				}
			}
		}
	}
	if seen != len(groups) {
		t.Errorf("%d functions", seen)
	}
}

// TestTemplateDefaults reads the configuration with the defaults of the template's parameters.
func TestTemplateDefaults(t *testing.T) {
	template := built(t, "orchestrator", "arm64")
	for name, value := range properties[lambdaFunction](t, template, "Function").Environment.Variables {
		if p, ok := template.Parameters[value]; ok {
			value, _ = p.Default.(string)
		}
		switch plain, isARN := strings.CutSuffix(name, function.ARNSuffix); {
		case isARN:
			name, value = plain, strings.Repeat("s", 32) // the test needs the secret itself, not its ARN
		case strings.HasSuffix(name, "_API_BASE"):
			value = "https://api.example.com"
		}
		t.Setenv(name, value)
	}
	c, err := configuration(t.Context())
	if err != nil || c.AuthMode != config.OnlyJWT || c.Env != config.Production || c.RequestTimeout != 25*time.Second {
		t.Errorf("%+v %v", c, err)
	}
}

// TestRestAPI checks that the REST API has a route to the function for every operation of the orchestrator's
// document, and for every page. The errors of API Gateway itself must have the envelope of the contract.
func TestRestAPI(t *testing.T) {
	template := built(t, "orchestrator", "arm64")
	routed := func(method, path string) bool {
		for _, e := range properties[lambdaFunction](t, template, "Function").Events {
			at := e.Properties
			pattern := regexp.QuoteMeta(at.Path)
			pattern = regexp.MustCompile(`\\{\w+\\\+\\}`).ReplaceAllString(pattern, ".+")
			pattern = regexp.MustCompile(`\\{\w+\\}`).ReplaceAllString(pattern, "[^/]+")
			if e.Type == "Api" && (at.Method == "ANY" || at.Method == method) &&
				regexp.MustCompile("^"+pattern+"$").MatchString(path) {
				return true
			}
		}
		return false
	}
	g := start(t, environment(newPeers(t).URL)...)
	calls := map[string]string{"/docs": "GET", "/docs/errors": "GET", "/openapi.yaml": "GET", "/openapi.json": "GET"}
	spec := webtest.Spec(t, orchestratorapi.Document)
	for path, item := range spec.Paths.Map() {
		for method := range item.Operations() {
			calls[path+" "+method] = method
		}
	}
	for call, method := range calls {
		path, _, _ := strings.Cut(call, " ")
		path = regexp.MustCompile(`{\w+}`).ReplaceAllString(path, "some-key")
		a := g.through(t, mounts["REST API, stage"].event, request{method: method, path: path})
		if !routed(method, path) || a.StatusCode == 404 || a.StatusCode == 405 {
			t.Errorf("%s %s: routed %t, status %d", method, path, routed(method, path), a.StatusCode)
		}
	}
	if !routed("GET", "/nowhere") || !routed("PUT", "/") {
		t.Error("the API gateway answers unknown paths itself, not in the envelope of the contract")
	}
	rest := properties[struct {
		GatewayResponses map[string]struct{ ResponseTemplates map[string]string }
		TracingEnabled   bool
		MethodSettings   []struct{ ThrottlingRateLimit, ThrottlingBurstLimit string }
		AccessLogSetting struct{ Format string }
	}](t, template, "RestApi")
	if len(rest.GatewayResponses) < 3 {
		t.Errorf("%d answers of the gateway", len(rest.GatewayResponses))
	}
	for name, r := range rest.GatewayResponses {
		var body contract.ErrorBody
		d := json.NewDecoder(strings.NewReader(r.ResponseTemplates["application/json"]))
		d.DisallowUnknownFields()
		if err := d.Decode(&body); err != nil || body.Success || body.Error == "" || body.Code == "" ||
			*body.CorrelationID != "$context.requestId" {
			t.Errorf("%s breaks the envelope: %+v %v", name, body, err)
		}
	}
	if !rest.TracingEnabled || len(rest.MethodSettings) != 1 || rest.MethodSettings[0].ThrottlingRateLimit == "" ||
		!json.Valid([]byte(rest.AccessLogSetting.Format)) ||
		!strings.Contains(rest.AccessLogSetting.Format, `"correlation_id":"$context.requestId"`) {
		t.Errorf("%+v", rest)
	}
	for name, output := range template.Outputs {
		if !strings.HasSuffix(output.Value, endpoint) || spec.Paths.Find(endpoint) == nil {
			t.Errorf("output %s: %s is not in openapi.yaml", name, output.Value)
		}
	}
}

// TestMakeTargets runs the targets of make that call AWS. Scripts in the place of sam and aws record the
// arguments, which the test compares.
func TestMakeTargets(t *testing.T) {
	bin := t.TempDir()
	for _, program := range []string{"sam", "aws"} {
		recorder := "#!/bin/sh\necho " + program + " \"$@\" >>'" + bin + "/calls'\n"
		if err := os.WriteFile(filepath.Join(bin, program), []byte(recorder), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	folder := t.TempDir()
	makefile, err := os.ReadFile("../../Makefile")
	if err != nil {
		t.Fatal(err)
	}
	write := func(name, content string) {
		t.Helper()
		if err := os.WriteFile(filepath.Join(folder, name), []byte(content), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	write("Makefile", string(makefile))
	run := func(arguments ...string) string {
		t.Helper()
		_ = os.Remove(filepath.Join(bin, "calls"))
		cmd := exec.Command("make", arguments...)
		cmd.Dir, cmd.Env = folder, append(os.Environ(), "PATH="+bin+":"+os.Getenv("PATH"), "MAKELEVEL=",
			"MAKEFLAGS=", "MFLAGS=")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("make %v: %v %s", arguments, err, out)
		}
		calls, _ := os.ReadFile(filepath.Join(bin, "calls"))
		return strings.TrimSpace(string(calls))
	}
	deploy := func(arch, part, stack string) string {
		return "sam deploy --template-file build/lambda/" + arch + "/" + part + ".yaml --stack-name " + stack +
			" --capabilities CAPABILITY_IAM --config-file " + folder + "/samconfig.toml --config-env " + stack
	}
	const again = " --resolve-s3 --no-fail-on-empty-changeset"
	check := func(got, want string) {
		t.Helper()
		if got != want {
			t.Errorf("ran:\n%s\nwant:\n%s", got, want)
		}
	}
	// With -o, make takes the target lambda as up to date, and builds nothing.
	stub := []string{"-o", "lambda"}
	check(run(append(stub, "deploy")...), deploy("arm64", "orchestrator", "b2b")+" --guided")
	if _, err := os.Stat(filepath.Join(folder, "samconfig.toml")); err != nil {
		t.Error("sam deploy needs the file that it writes:", err)
	}
	write("samconfig.toml", "version = 0.1\n[b2b.deploy.parameters]\nregion = \"eu-west-1\"\n")
	check(run(append(stub, "deploy")...), deploy("arm64", "orchestrator", "b2b")+again)
	check(run(append(stub, "deploy", "PART=services", "ARCH=amd64")...),
		deploy("amd64", "services", "b2b-services")+" --guided")
	check(run("info"), "sam list stack-outputs --stack-name b2b")
	check(run("logs"), "sam logs --stack-name b2b --tail")
	check(run("logs", "PART=services", "FILTER=req-12345"), `sam logs --stack-name b2b-services --filter "req-12345"`)
	check(run("undeploy", "STACK=other"), "sam delete --stack-name other")
}
