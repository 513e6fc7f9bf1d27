package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"

	"example.com/b2b/v2/cmd/options"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/config"
)

// tokenCommand issues a JWT for a caller.
type tokenCommand struct {
	settings *config.Settings
	caller   auth.Principal
}

func (t *tokenCommand) flags(f *flag.FlagSet) {
	f.StringVar(&t.caller.Subject, "sub", "", "who calls")
	f.StringVar(&t.caller.Scope, "scope", "", "what it may do, separated by spaces")
	customerFlag(f, &t.caller.Customer, "the one customer for whom it acts")
	f.Func("ttl", "how long it is valid; without it JWT_EXPIRES_IN", func(text string) (err error) {
		t.settings.TokenLifetime, err = config.Lifetime(text)
		return err
	})
}

func (t *tokenCommand) run(_ context.Context, out io.Writer) error {
	token, err := t.issue()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintln(out, token)
	return err
}

// issue returns a token for the caller. Errors: no scope, an unknown scope, no JWT_SECRET, or a subject that
// a token cannot have.
func (t *tokenCommand) issue() (string, error) {
	scopes := strings.Fields(t.caller.Scope)
	for _, scope := range scopes {
		if !slices.Contains(auth.Scopes, scope) {
			return "", fmt.Errorf("--scope: %q is no scope; allowed: %s", scope, strings.Join(auth.Scopes, ", "))
		}
	}
	if len(scopes) == 0 {
		return "", fmt.Errorf(`--scope is ""; allowed: %s`, strings.Join(auth.Scopes, ", "))
	}
	t.caller.Scope = strings.Join(scopes, " ")
	c := t.settings
	groups := []any{&c.JWT}
	if c.TokenLifetime == 0 {
		groups = append(groups, &c.Issuing)
	}
	if err := c.Read(groups...); err != nil {
		return "", err
	}
	if len(c.JWTSecrets) == 0 {
		return "", errors.New(`JWT_SECRET is ""; allowed: the secret that the services have`)
	}
	token, err := options.Tokens(c).Issue(t.caller, c.TokenLifetime)
	if err != nil {
		return "", fmt.Errorf("--sub %q cannot be: %w", t.caller.Subject, err)
	}
	return token, nil
}
