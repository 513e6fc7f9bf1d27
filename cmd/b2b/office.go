package main

import (
	"cmp"
	"context"
	"flag"
	"fmt"
	"io"
	"strings"
)

// clerkScopes are the scopes of a clerk who works with everything that the back office has.
const clerkScopes = "orders:read orders:write products:read products:write customers:read customers:write events:read"

// officeCommand prints a link to the back office that signs a clerk in. The token is in the fragment of the
// link: browsers send a fragment to no server, so the token reaches no log.
type officeCommand struct {
	tokenCommand
	base string // address of the orchestrator, as the clerk's browser knows it; "" means this machine
}

func (o *officeCommand) flags(f *flag.FlagSet) {
	o.tokenCommand.flags(f)
	f.StringVar(&o.base, "base", "", "the address of the orchestrator for the clerk's browser")
}

func (o *officeCommand) run(_ context.Context, out io.Writer) error {
	if err := o.settings.Read(&o.settings.Ports); err != nil {
		return err
	}
	base, err := baseOr(o.base, o.settings.OrchestratorPort, "ORCHESTRATOR_PORT")
	if err != nil {
		return err
	}
	o.caller.Subject = cmp.Or(o.caller.Subject, "office")
	o.caller.Scope = cmp.Or(o.caller.Scope, clerkScopes)
	token, err := o.issue()
	if err != nil {
		return err
	}
	_, err = fmt.Fprintf(out, "%s/office#token=%s\n", strings.TrimRight(base, "/"), token)
	return err
}

// baseOr returns base, the value of the flag --base. Without the flag, it returns http://localhost with the
// port of the service. Error: the port is 0, which stands for any free port; the parameter variable is the
// name of the port's environment variable.
func baseOr(base string, port int, variable string) (string, error) {
	if base == "" && port == 0 {
		return "", fmt.Errorf("with %s=0 the service has taken a free port: give its address with --base", variable)
	}
	return cmp.Or(base, fmt.Sprintf("http://localhost:%d", port)), nil
}
