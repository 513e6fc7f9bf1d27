// Command b2b runs the order-management system: all three services, or a single service. Other commands
// manage the database, call the services, and issue tokens.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"os/signal"
	"runtime/debug"
	"slices"
	"strings"
	"syscall"
	"text/tabwriter"

	"github.com/joho/godotenv"

	"example.com/b2b/internal/buildinfo"
	"example.com/b2b/internal/config"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // less work for the garbage collector; the live heap has only a few megabytes
	}
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "b2b:", err)
		os.Exit(1)
	}
}

// command is a command of b2b.
type command struct {
	name, summary string
	flags         func(f *flag.FlagSet) // defines the flags; nil without flags
	argument      *string               // receives the required argument; nil without an argument
	// run executes the command. It is called after the flags and the argument are set.
	run func(ctx context.Context, out io.Writer) error
}

// commands returns the table of commands. The first command has no name; it runs when b2b has no arguments.
func commands() []command {
	c := &config.Settings{}
	services := table(c)
	serveAll := func(ctx context.Context, out io.Writer) error { return serve(ctx, c, services, out) }
	all := []command{{run: serveAll, summary: "all three services in one process; " +
		"SQLite when no DB_HOST is set, with sample data on the first start"}}
	for i, s := range services {
		serveOne := func(ctx context.Context, out io.Writer) error {
			return serve(ctx, c, services[i:i+1], out)
		}
		all = append(all, command{name: s.name, run: serveOne, summary: "the " + s.title})
	}
	imports := &importCommand{client: client{settings: c}}
	exports := &exportCommand{client: client{settings: c}, query: map[string]string{}}
	orders := &orderCommand{client: client{settings: c}}
	examine := &doctorCommand{services: services}
	issue := &tokenCommand{settings: c}
	return append(all,
		command{name: "import", flags: imports.flags, argument: &imports.path, run: imports.run,
			summary: "create and change what a file says: FILE [--kind products|customers] " +
				"[--format csv|ndjson] [--dry-run]; exit code 1 when a row is refused"},
		command{name: "export", flags: exports.flags, argument: &exports.kind, run: exports.run,
			summary: "print all orders, products or customers: WHAT [--format csv|ndjson] " +
				"[--status CONFIRMED] [--from 2024-01-01] and the other filters of the list"},
		command{name: "order", flags: orders.flags, run: orders.run,
			summary: "place an order: --customer 1 --item 2:3 [--item SKU:1] [--external-ref PO-1] " +
				"[--confirm] [--key KEY]; repeat it with the same key"},
		command{name: "migrate", run: onDatabase(migrate), summary: "bring the database's schema up to date"},
		command{name: "seed", run: onDatabase(seed), summary: "load the sample data into an empty database"},
		command{name: "doctor", flags: examine.flags, run: onDatabase(examine.run),
			summary: "examine a live database, read-only, as a table or with --json; " +
				"exit code 1 when a rule is broken"},
		command{name: "token", flags: issue.flags, run: issue.run,
			summary: "print a JWT, signed with JWT_SECRET: --sub NAME " +
				`--scope "orders:read orders:write" [--customer 7] [--ttl 1h]`},
		command{name: "version", run: version, summary: "the version of this program; also --version"},
	)
}

func version(_ context.Context, out io.Writer) error {
	fmt.Fprintln(out, "b2b", buildinfo.Version())
	return nil
}

// run executes the command line args, and returns when the command is done.
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
	i := slices.IndexFunc(all, func(c command) bool { return c.name == name })
	if i < 0 {
		return fmt.Errorf("%q is no command; see b2b --help", name)
	}
	c := all[i]
	f := flag.NewFlagSet(strings.TrimSpace("b2b "+name), flag.ContinueOnError)
	f.SetOutput(io.Discard)
	if c.flags != nil {
		c.flags(f)
	}
	err := f.Parse(args)
	if err == nil && c.argument != nil && f.NArg() > 0 { // flags are allowed before and after the argument
		*c.argument = f.Arg(0)
		err = f.Parse(f.Args()[1:])
	}
	switch {
	case errors.Is(err, flag.ErrHelp) && c.flags != nil:
		commandUsage(c, f, out)
		return nil
	case errors.Is(err, flag.ErrHelp):
		usage(all, out)
		return nil
	case err != nil:
		return fmt.Errorf("%w; see %s --help", err, f.Name())
	case f.NArg() > 0:
		return fmt.Errorf("%q is one argument too many; see %s --help", f.Arg(0), f.Name())
	case c.argument != nil && *c.argument == "":
		return fmt.Errorf("an argument is missing; see %s --help", f.Name())
	}
	if err := godotenv.Load(); err != nil && !errors.Is(err, os.ErrNotExist) && name != "version" {
		return fmt.Errorf(".env cannot be read: %w", err)
	}
	return c.run(ctx, out)
}

// commandUsage prints the help of a command with flags.
func commandUsage(c command, f *flag.FlagSet, out io.Writer) {
	fmt.Fprintf(out, "%s: %s\n\n", f.Name(), c.summary)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	f.VisitAll(func(f *flag.Flag) { fmt.Fprintf(w, "  --%s\t%s\n", f.Name, f.Usage) })
	w.Flush()
	fmt.Fprint(out, "\nb2b --help has all commands and environment variables.\n")
}

// usage prints the help of b2b.
func usage(all []command, out io.Writer) {
	fmt.Fprint(out, "b2b runs the B2B order-management system.\n\n")
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, c := range all {
		fmt.Fprintf(w, "  b2b %s\t%s\n", c.name, c.summary)
	}
	fmt.Fprint(w, "  b2b --help\tthis page; b2b COMMAND --help, the flags of a command\n\n"+
		"Environment variables, also read from a file .env in the current folder:\n\n")
	for _, v := range config.Variables() {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", v.Name, v.DefaultText(""), v.Meaning)
	}
	w.Flush()
}
