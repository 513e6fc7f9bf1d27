package webtest

import (
	"encoding/json"
	"fmt"
	"io"
	"log/slog"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"
	"unicode/utf8"
)

// Log returns a logger for an engine under test. The logger writes lines of JSON to w, and panics for a line
// with a leak: see Leak.
func Log(w io.Writer) *slog.Logger { return slog.New(slog.NewJSONHandler(guarded{w}, nil)) }

type guarded struct{ io.Writer }

func (g guarded) Write(line []byte) (int, error) {
	if leak := Leak(line); leak != "" {
		go panic(fmt.Sprintf("a log shows %q: %s", leak, line)) // no middleware recovers in a new goroutine
		select {}
	}
	return g.Writer.Write(line)
}

// WantNoLeak fails for each line of a log with a leak: see Leak.
func WantNoLeak(t testing.TB, log []byte) {
	t.Helper()
	for line := range strings.Lines(string(log)) {
		if leak := Leak([]byte(line)); leak != "" {
			t.Errorf("a log shows %q: %s", leak, line)
		}
	}
}

var (
	// JWTs and values of X-Acting-For begin with a JSON object in base64: eyJ. Secrets of webhooks begin with
	// whsec_ or whsk_.
	token    = regexp.MustCompile(`eyJ[\w-]{8,}|(?:whsec|whsk)_`)
	address  = regexp.MustCompile(`[\w.+-]+@[\w-]+\.[a-z]\w*`)
	sentence = "name@example.com" // the example in the message about invalid email addresses

	// Callers choose the values of these attributes: the path, its keys and ids, and the subject of the
	// token. Such a value may have a person's name by chance, and so may the name of an operation.
	namesOfCallers = []string{"path", "correlation_id", "idempotency_key", "caller", "operation"}
	// The fields of requests and answers with personal data.
	personal = []string{"name", "email", "phone", "reason", "cancel_note"}
)

// used has the secrets of this test program, and the personal data in the requests and answers so far.
var used = struct {
	sync.RWMutex
	secrets, personal map[string]bool
}{secrets: map[string]bool{Token: true, Secret: true}, personal: map[string]bool{}}

// Leak returns the first token, secret or personal value in a line of a log, or "". Personal values are the
// values of metadata and of the fields in personal, in all requests and answers so far.
func Leak(line []byte) string {
	attributes := map[string]any{}
	if json.Unmarshal(line, &attributes) != nil {
		attributes["msg"] = string(line)
	}
	used.RLock()
	defer used.RUnlock()
	for name, value := range attributes {
		text := fmt.Sprint(value)
		if found := token.FindString(text); found != "" {
			return found
		}
		if found := shown(text, used.secrets); found != "" {
			return found
		}
		if slices.Contains(namesOfCallers, name) {
			continue
		}
		if strings.Contains(text, "@") { // the pattern is slow under the race detector
			if found := address.FindString(text); found != "" && found != sentence {
				return found
			}
		}
		if found := shown(text, used.personal); found != "" {
			return found
		}
	}
	return ""
}

// byChance reports whether a text is no sign of a leak, because a log may contain it by chance: a short text,
// or a word in lower case. It is also true for an email address, because Leak finds email addresses by a
// pattern.
func byChance(text string) bool {
	oneLine := !strings.Contains(text, "\n")
	return oneLine && (strings.Contains(text, "@") || utf8.RuneCountInString(text) <= 5) ||
		strings.Trim(text, "abcdefghijklmnopqrstuvwxyz") == ""
}

func shown(text string, values map[string]bool) string {
	for value := range values {
		if strings.Contains(text, value) {
			return value
		}
	}
	return ""
}

// Forbid adds secrets to the values that Leak finds.
func Forbid(secrets ...string) {
	used.Lock()
	defer used.Unlock()
	for _, s := range secrets {
		if s != "" {
			used.secrets[s] = true
		}
	}
}

// remember adds the personal data in a body to the values that Leak finds.
func remember(body []byte) {
	var decoded any
	if json.Unmarshal(body, &decoded) != nil {
		return
	}
	used.Lock()
	defer used.Unlock()
	rememberIn(decoded)
}

func rememberIn(value any) {
	switch value := value.(type) {
	case []any:
		for _, element := range value {
			rememberIn(element)
		}
	case map[string]any:
		for name, field := range value {
			if name == "metadata" { // a partner's own fields
				rememberMetadata(field)
			}
			if text, isText := field.(string); isText && slices.Contains(personal, name) && !byChance(text) {
				used.personal[text] = true
			}
			rememberIn(field)
		}
	}
}

func rememberMetadata(value any) {
	fields, _ := value.(map[string]any)
	for _, field := range fields {
		rememberIn(map[string]any{"name": field})
	}
}
