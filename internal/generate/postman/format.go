package main

// The parts of Postman's formats that this program uses:
// https://schema.getpostman.com/collection/json/v2.1.0/draft-07/docs/index.html

type collection struct {
	Info     info       `json:"info"`
	Item     []any      `json:"item"`
	Auth     *auth      `json:"auth"`
	Event    []event    `json:"event"`
	Variable []variable `json:"variable"`
}

type info struct {
	Name        string `json:"name"`
	Description string `json:"description"`
	Schema      string `json:"schema"`
}

type folder struct {
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
	Items       []any  `json:"item"`
}

type item struct {
	Name     string  `json:"name"`
	Event    []event `json:"event,omitempty"`
	Request  request `json:"request"`
	Response []any   `json:"response"`
}

type request struct {
	Method      string  `json:"method"`
	Auth        *auth   `json:"auth,omitempty"`
	Header      []field `json:"header"`
	Body        *body   `json:"body,omitempty"`
	URL         address `json:"url"`
	Description string  `json:"description,omitempty"`
}

type address struct {
	Raw   string   `json:"raw"`
	Host  []string `json:"host"`
	Path  []string `json:"path"`
	Query []field  `json:"query,omitempty"`
}

type field struct {
	Key         string `json:"key"`
	Value       string `json:"value"`
	Description string `json:"description,omitempty"`
	Disabled    bool   `json:"disabled,omitempty"`
}

type body struct {
	Mode    string `json:"mode"`
	Raw     string `json:"raw"`
	Options any    `json:"options,omitempty"`
}

type auth struct {
	Type   string     `json:"type"`
	Bearer []variable `json:"bearer,omitempty"`
}

type event struct {
	Listen string `json:"listen"`
	Script struct {
		Type string   `json:"type"`
		Exec []string `json:"exec"`
	} `json:"script"`
}

type variable struct {
	Key         string `json:"key"`
	Value       string `json:"value"`
	Type        string `json:"type"`
	Description string `json:"description,omitempty"`
	secret      string
}

type environment struct {
	ID     string             `json:"id"`
	Name   string             `json:"name"`
	Values []environmentValue `json:"values"`
	Scope  string             `json:"_postman_variable_scope"`
}

type environmentValue struct {
	Key     string `json:"key"`
	Value   string `json:"value"`
	Type    string `json:"type"`
	Enabled bool   `json:"enabled"`
}

// bearer returns the authorization of a request whose token is in a variable. When the variable is empty, the
// script withoutToken removes the header.
func bearer(name string) *auth {
	token := variable{Key: "token", Value: "{{" + name + "}}", Type: "string"}
	return &auth{Type: "bearer", Bearer: []variable{token}}
}

func script(listen string, lines []string) event {
	e := event{Listen: listen}
	e.Script.Type, e.Script.Exec = "text/javascript", lines
	return e
}

// withoutToken is the collection's script before each request. It removes the header Authorization when the
// variable token is empty, because Bruno would send the header with an empty token. In Postman the script
// changes nothing: Postman adds the header after the script has run.
var withoutToken = []string{
	"if (pm.request.headers.get('Authorization') === 'Bearer {{token}}' " +
		"&& pm.variables.replaceIn('{{token}}') === '') {",
	"  pm.request.headers.remove('Authorization');",
	"}",
}

// envelope is the collection's script after each request. It tests the correlation id, and whether success in
// the body agrees with the status.
var envelope = []string{
	"const correlation = pm.response.headers.get('X-Correlation-Id') || '';",
	"pm.test('X-Correlation-Id names the call', () => " +
		"pm.expect(correlation).to.match(/^[\\w.:\\/+=@-]{1,128}$/));",
	"if ((pm.response.headers.get('Content-Type') || '').startsWith('application/json')) {",
	"  const answer = pm.response.json();",
	"  if (answer.success !== undefined) pm.test('success agrees with the status', () => " +
		"pm.expect(answer.success).to.eql(pm.response.code < 300));",
	"}",
}
