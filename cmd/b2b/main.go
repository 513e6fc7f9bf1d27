// Command b2b runs the order-management system: all three services, or one of them, and the chores around the
// database.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/joho/godotenv"
	"gorm.io/gorm"

	"example.com/b2b/cmd/wiring"
	"example.com/b2b/db"
	"example.com/b2b/db/doctor"
	"example.com/b2b/internal/auth"
	"example.com/b2b/internal/buildinfo"
	"example.com/b2b/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // a few megabytes live, so that twice as many more cost little, and halve the collector's work
	}
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "b2b:", err)
		os.Exit(1)
	}
}

// command is one of b2b's. run is called with its flags parsed.
type command struct {
	name, summary string
	flags         func(f *flag.FlagSet)
	argument      *string // where the one argument goes that it needs; nil when it takes none
	run           func(ctx context.Context, out io.Writer) error
}

// commands returns them all; the first, without a name, is that of a bare b2b.
func commands() []command {
	var c config.Settings
	services := table(&c)
	all := []command{{
		summary: "all three services in one process; SQLite when no DB_HOST is set, with sample data on the first start",
		run:     func(ctx context.Context, out io.Writer) error { return serve(ctx, &c, services, out) },
	}}
	var rules []doctor.Rule
	for i, s := range services {
		alone := func(ctx context.Context, out io.Writer) error { return serve(ctx, &c, services[i:i+1], out) }
		all = append(all, command{name: s.name, summary: "the " + s.title, run: alone})
		rules = append(rules, s.rules...)
	}
	var asJSON bool
	var caller auth.Principal
	return append(append(all, clientCommands(&c)...), command{
		name: "migrate", summary: "bring the database's schema up to date",
		run: onDatabase(func(ctx context.Context, g *gorm.DB, out io.Writer) error {
			steps, err := db.Migrate(ctx, g)
			if err == nil {
				fmt.Fprintf(out, "The schema is up to date (%d new steps).\n", steps)
			}
			return err
		}),
	}, command{
		name: "seed", summary: "load the sample data into an empty database",
		run: onDatabase(func(ctx context.Context, g *gorm.DB, out io.Writer) error {
			loaded, err := db.Seed(ctx, g)
			if loaded {
				fmt.Fprintln(out, "The sample data is loaded.")
			} else if err == nil {
				fmt.Fprintln(out, "The database has data; nothing was loaded.")
			}
			return err
		}),
	}, command{
		name:    "doctor",
		summary: "examine a live database, read-only, as a table or with --json; exit code 1 when a rule is broken",
		flags:   func(f *flag.FlagSet) { f.BoolVar(&asJSON, "json", false, "print the result as JSON") },
		run: onDatabase(func(ctx context.Context, g *gorm.DB, out io.Writer) error {
			checks, err := doctor.Examine(ctx, g, rules)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(out).Encode(map[string]any{"healthy": doctor.Healthy(checks), "checks": checks})
			} else {
				doctor.Print(out, checks)
			}
			if err == nil && !doctor.Healthy(checks) {
				err = errors.New("the database breaks a rule that must always hold")
			}
			return err
		}),
	}, command{
		name: "token", summary: `print a JWT, signed with JWT_SECRET: --sub NAME --scope "orders:read orders:write" [--customer 7] [--ttl 1h]`,
		flags: func(f *flag.FlagSet) {
			f.StringVar(&caller.Subject, "sub", "", "who calls")
			f.StringVar(&caller.Scope, "scope", "", "what it may do, separated by spaces")
			f.Func("customer", "the one customer for whom it acts", func(text string) (err error) {
				caller.Customer, err = strconv.ParseInt(text, 10, 64)
				if err != nil || caller.Customer < 1 || caller.Customer > 1<<53-1 {
					err = errors.New("allowed: the id of a customer")
				}
				return err
			})
			f.Func("ttl", "how long it is valid; without it JWT_EXPIRES_IN", func(text string) (err error) {
				c.TokenLifetime, err = config.Lifetime(text)
				return err
			})
		},
		run: func(_ context.Context, out io.Writer) error { return issue(&c, caller, out) },
	}, command{
		name: "version", summary: "the version of this program; also --version",
		run: func(_ context.Context, out io.Writer) error {
			fmt.Fprintln(out, "b2b", buildinfo.Version())
			return nil
		},
	})
}

// run carries out one command line and returns when it is done or ctx has ended.
func run(ctx context.Context, args []string, out io.Writer) error {
	name := ""
	if len(args) > 0 {
		name, args = args[0], args[1:]
	}
	switch name {
	case "help", "--help", "-h":
		name, args = "", []string{"-h"}
	case "--version", "-version":
		name = "version"
	}
	all := commands()
	at := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if at < 0 {
		return fmt.Errorf("%q is no command; see b2b --help", name)
	}
	f := flag.NewFlagSet(strings.TrimSpace("b2b "+name), flag.ContinueOnError)
	f.SetOutput(io.Discard)
	if all[at].flags != nil {
		all[at].flags(f)
	}
	err := f.Parse(args)
	if to := all[at].argument; to != nil && err == nil && f.NArg() > 0 { // flags may stand before and behind it
		*to = f.Arg(0)
		err = f.Parse(f.Args()[1:])
	}
	switch {
	case errors.Is(err, flag.ErrHelp) && all[at].flags != nil:
		explain(all[at], f, out)
		return nil
	case errors.Is(err, flag.ErrHelp):
		usage(out)
		return nil
	case err != nil:
		return fmt.Errorf("%w; see %s --help", err, f.Name())
	case f.NArg() > 0:
		return fmt.Errorf("%q is one argument too many; see %s --help", f.Arg(0), f.Name())
	case all[at].argument != nil && *all[at].argument == "":
		return fmt.Errorf("an argument is missing; see %s --help", f.Name())
	}
	if err := godotenv.Load(); err != nil && !errors.Is(err, os.ErrNotExist) && name != "version" {
		return fmt.Errorf(".env cannot be read: %w", err)
	}
	return all[at].run(ctx, out)
}

// issue prints a token for the caller.
func issue(c *config.Settings, caller auth.Principal, out io.Writer) error {
	scopes := strings.Fields(caller.Scope)
	for _, scope := range scopes {
		if !slices.Contains(auth.Scopes, scope) {
			return fmt.Errorf("--scope: %q is no scope; allowed: %s", scope, strings.Join(auth.Scopes, ", "))
		}
	}
	if len(scopes) == 0 {
		return fmt.Errorf(`--scope is ""; allowed: %s`, strings.Join(auth.Scopes, ", "))
	}
	caller.Scope = strings.Join(scopes, " ")
	groups := []any{&c.JWT}
	if c.TokenLifetime == 0 {
		groups = append(groups, &c.Issuing)
	}
	if err := c.Read(groups...); err != nil {
		return err
	}
	if c.JWTSecret == "" {
		return errors.New(`JWT_SECRET is ""; allowed: the secret that the services have`)
	}
	token, err := wiring.Tokens(c).Issue(caller, c.TokenLifetime)
	if err != nil {
		return fmt.Errorf("--sub %q cannot be: %w", caller.Subject, err)
	}
	fmt.Fprintln(out, token)
	return nil
}

// onDatabase makes a command of work on the database that the environment names. It reads nothing else.
func onDatabase(work func(ctx context.Context, g *gorm.DB, out io.Writer) error) func(context.Context, io.Writer) error {
	return func(ctx context.Context, out io.Writer) error {
		var c config.Settings
		if err := c.Read(&c.Database); err != nil {
			return err
		}
		g, err := open(ctx, c.Database)
		if err != nil {
			return err
		}
		return errors.Join(work(ctx, g, out), db.Close(g))
	}
}

// open explains in one line why a database cannot be used.
func open(ctx context.Context, c config.Database) (*gorm.DB, error) {
	g, err := db.Open(ctx, db.Config(c))
	if err != nil && c.Driver == config.SQLite {
		return nil, fmt.Errorf("%s (DB_PATH) cannot be opened: %w", db.Config(c), err)
	} else if err != nil {
		return nil, fmt.Errorf("%s (DB_HOST, DB_PORT, DB_USER, DB_PASSWORD, DB_NAME, DB_TLS) cannot be used: %w", db.Config(c), err)
	}
	return g, nil
}

// explain is the help of a command that has flags.
func explain(c command, f *flag.FlagSet, out io.Writer) {
	fmt.Fprintf(out, "%s: %s\n\n", f.Name(), c.summary)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	f.VisitAll(func(f *flag.Flag) { fmt.Fprintf(w, "  --%s\t%s\n", f.Name, f.Usage) })
	w.Flush()
	fmt.Fprint(out, "\nb2b --help has all commands and environment variables.\n")
}

func usage(out io.Writer) {
	fmt.Fprint(out, "b2b runs the B2B order-management system.\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range commands() {
		fmt.Fprintf(w, "  b2b %s\t%s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "  b2b --help\tthis page; b2b COMMAND --help, the flags of a command\n\nEnvironment variables, also read from a file .env in the current folder:\n\n")
	for _, v := range config.Variables() {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", v.Name, v.DefaultText(""), v.Meaning)
	}
	w.Flush()
}
