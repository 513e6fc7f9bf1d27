package main

import "testing"

// TestMinified minifies a script with a template literal of several lines. A text that is not JavaScript must
// be refused.
func TestMinified(t *testing.T) {
	const script = "// Greets.\nexport const greet = name => {\n" +
		"  const said = html`<p>\n    Hello, ${name}\n  </p>`\n  return said\n}\n"
	const want = "export const greet=e=>{const t=html`<p>\nHello, ${e}\n</p>`;return t}"
	if got, err := minified([]byte(script)); err != nil || string(got) != want {
		t.Errorf("%v\n%s, want\n%s", err, got, want)
	}
	if got, err := minified([]byte("export const = 1")); err == nil {
		t.Errorf("no script: %s", got)
	}
}
