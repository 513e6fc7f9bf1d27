package main

import "testing"

// TestMinified minifies a script with a template literal of several lines. A text that is not JavaScript must
// be refused.
func TestMinified(t *testing.T) {
	const script = "// Greets.\nexport const greet = name => {\n" +
		"  const said = html`<p>\n    Hello, ${name}\n  </p>`\n  return said\n}\n"
	const want = "export const greet=e=>{const t=html`<p>\nHello, ${e}\n</p>`;return t}"
	if got, err := minifiedScript([]byte(script)); err != nil || string(got) != want {
		t.Errorf("%v\n%s, want\n%s", err, got, want)
	}
	if got, err := minifiedScript([]byte("export const = 1")); err == nil {
		t.Errorf("no script: %s", got)
	}
}

// TestMinifiedStyle minifies a style sheet with a media query and a custom property.
func TestMinifiedStyle(t *testing.T) {
	const sheet = "/* Colors. */\n:root {\n  --ink: #112233;\n}\n@media print {\n  nav { display: none; }\n}\n"
	const want = ":root{--ink:#112233}@media print{nav{display:none}}"
	if got, err := minifiedStyle([]byte(sheet)); err != nil || string(got) != want {
		t.Errorf("%v\n%s, want\n%s", err, got, want)
	}
}
