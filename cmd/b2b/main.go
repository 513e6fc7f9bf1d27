// Command b2b runs the order-management system: all services, or a single service. Other commands
// manage the database, call the services, and issue tokens.
package main

import (
	"cmp"
	"context"
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

	"github.com/joho/godotenv"
	"golang.org/x/term"

	"example.com/b2b/v2/internal/buildinfo"
	"example.com/b2b/v2/internal/config"
)

func main() {
	ctx, cancel := context.WithCancelCause(context.Background())
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, os.Interrupt, syscall.SIGTERM)
	go func() {
		received := <-signals
		signal.Stop(signals) // a second signal ends the process at once
		if received == os.Interrupt {
			cancel(errInterrupted)
		}
		cancel(nil)
	}()
	if os.Getenv("GOGC") == "" {
		debug.SetGCPercent(200) // less work for the garbage collector; the live heap has only a few megabytes
	}
	if err := run(ctx, os.Args[1:], os.Stdout); err != nil {
		fmt.Fprintln(os.Stderr, "b2b:", err)
		if context.Cause(ctx) == errInterrupted {
			os.Exit(128 + int(syscall.SIGINT)) // the usual exit status of a command that Ctrl-C has ended
		}
		os.Exit(1)
	}
}

var errInterrupted = errors.New("interrupted")

type command struct {
	name, summary string
	flags         func(f *flag.FlagSet) // defines the flags; nil without flags
	argument      *string               // receives the required argument; nil without an argument
	arguments     *[]string             // receives any number of arguments; nil for any other command
	// run executes the command. It is called after the flags and the arguments are set.
	run func(ctx context.Context, out io.Writer) error
}

// commands returns the table of commands. The first command has no name; it runs when b2b has no arguments.
func commands() []command {
	c := &config.Settings{}
	services := table(c)
	serveAll := func(ctx context.Context, out io.Writer) error { return serve(ctx, c, services, out) }
	all := []command{{run: serveAll, summary: "all services in one process; " +
		"SQLite when no DB_HOST is set, with sample data on the first start"}}
	for i, s := range services {
		serveOne := func(ctx context.Context, out io.Writer) error {
			return serve(ctx, c, services[i:i+1], out)
		}
		all = append(all, command{name: s.name, run: serveOne, summary: "the " + s.title})
	}
	imports := &importCommand{client: client{settings: c}, fields: map[string]string{}}
	exports := &exportCommand{client: client{settings: c}, query: map[string]string{}}
	keyed := keyedCommand{client: client{settings: c}}
	orders, cancels := &orderCommand{keyedCommand: keyed}, &cancelCommand{keyedCommand: keyed}
	examine, copies := &doctorCommand{services: services}, &backupCommand{}
	follows := &followCommand{settings: c}
	probe := &healthCommand{settings: c, services: services}
	issue := &tokenCommand{settings: c}
	clerks := &officeCommand{tokenCommand: tokenCommand{settings: c}}
	return append(all,
		command{name: "import", flags: imports.flags, argument: &imports.path, run: imports.run,
			summary: "create and change what a file says: FILE [--kind products|customers] " +
				`[--format csv|ndjson] [--encoding windows-1252] [--map "Artikelnummer=sku"] [--dry-run]; ` +
				"exit code 1 when a row is refused"},
		command{name: "export", flags: exports.flags, argument: &exports.kind, run: exports.run,
			summary: "print all orders, products or customers: WHAT [--format csv|ndjson] " +
				"[--bom] [--delimiter semicolon] [--lines] [--status CONFIRMED] [--confirmed-from 2024-01-01] " +
				"and the other filters of the list"},
		command{name: "order", flags: orders.flags, run: orders.run,
			summary: "place an order: --customer 1 --item SKU:3 [--item id:2:1] [--external-ref PO-1] " +
				"[--metadata NAME=VALUE] [--confirm] [--key KEY]; repeat it with the same key"},
		command{name: "cancel", flags: cancels.flags, argument: &cancels.order, run: cancels.run,
			summary: "cancel an order: ORDER [--reason WHY] [--key KEY]"},
		command{name: "follow", flags: follows.flags, run: follows.run,
			summary: "print what happens, from now on or [--after POSITION], and go on after interruptions: " +
				"[--types order.created,order.canceled] [--output json]"},
		command{name: "migrate", run: onDatabase(open, migrate), summary: "bring the database's schema up to date"},
		command{name: "seed", run: onDatabase(open, seed), summary: "load the sample data into an empty database"},
		command{name: "doctor", flags: examine.flags, run: onDatabase(openExisting, examine.run),
			summary: "examine a live database, read-only, as a table or with --json; " +
				"exit code 1 when a rule is broken"},
		command{name: "backup", argument: &copies.file, run: copies.run,
			summary: "copy a live SQLite database into a new file: FILE"},
		command{name: "health", arguments: &probe.bases, run: probe.run,
			summary: "exit code 0 when each service at [URL ...] answers /ready with 200, else 1; " +
				"without a URL, each that listens at its port here"},
		command{name: "token", flags: issue.flags, run: issue.run,
			summary: "print a JWT, signed with JWT_SECRET: --sub NAME " +
				`--scope "orders:read orders:write" [--customer 7] [--ttl 1h]`},
		command{name: "office", flags: clerks.flags, run: clerks.run,
			summary: "print a link to the back office that signs a clerk in: [--sub NAME] [--scope SCOPES] " +
				"[--ttl 8h] [--base https://orders.example.com]; " +
				"whoever has the link is that clerk, until its time is over"},
		command{name: "version", run: version, summary: "the version of this program; also --version"},
	)
}

func version(_ context.Context, out io.Writer) error {
	_, err := fmt.Fprintln(out, "b2b", buildinfo.Version())
	return err
}

// run executes the command line in the parameter args, and returns when the command is done.
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
	case "events":
		if i := slices.Index(args, "--follow"); i >= 0 { // --follow is another name of the command follow
			name, args = "follow", slices.Delete(slices.Clone(args), i, i+1)
		}
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
	f.VisitAll(func(f *flag.Flag) { f.Value = given{f.Value} })
	err := f.Parse(args)
	if err == nil && c.argument != nil && f.NArg() > 0 { // flags are allowed before and after the argument
		*c.argument = f.Arg(0)
		err = f.Parse(f.Args()[1:])
	}
	switch {
	case errors.Is(err, flag.ErrHelp) && c.flags != nil:
		help := &checked{Writer: out}
		commandUsage(c, f, help)
		return help.err
	case errors.Is(err, flag.ErrHelp):
		help := &checked{Writer: out}
		usage(all, help)
		return help.err
	case err != nil:
		return fmt.Errorf("%w; see %s --help", sayAllowed(f, err), f.Name())
	case f.NArg() > 0 && c.arguments == nil:
		return fmt.Errorf("%q is one argument too many; see %s --help", f.Arg(0), f.Name())
	case c.argument != nil && *c.argument == "":
		return fmt.Errorf("an argument is missing; see %s --help", f.Name())
	}
	if c.arguments != nil {
		*c.arguments = f.Args()
	}
	if err := loadDotEnv(); err != nil && !errors.Is(err, os.ErrNotExist) && name != "version" {
		return fmt.Errorf(".env cannot be read: %w", err)
	}
	return c.run(ctx, out)
}

// given is the value of a flag. It refuses a blank text, which is mostly an unset variable of a script: if
// b2b ignored the flag, an empty filter would export everything, and an empty key would order a second time.
type given struct{ flag.Value }

// Set implements flag.Value.
func (g given) Set(text string) error {
	if strings.TrimSpace(text) == "" {
		return errors.New("it is blank, as an unset variable is; give a value, or leave the flag out")
	}
	return g.Value.Set(text)
}

// IsBoolFlag reports whether the flag may stand without a value. Package flag looks for this method.
func (g given) IsBoolFlag() bool {
	value, ok := g.Value.(interface{ IsBoolFlag() bool })
	return ok && value.IsBoolFlag()
}

// checked is a writer that keeps its first error, so that one check after many writes is enough.
type checked struct {
	io.Writer
	err error
}

func (c *checked) Write(p []byte) (int, error) {
	n, err := c.Writer.Write(p)
	c.err = cmp.Or(c.err, err)
	return n, err
}

// sayAllowed adds the allowed values of the flag to an error of f.Parse, where package flag says only that
// the value cannot be parsed. It returns all other errors unchanged.
func sayAllowed(f *flag.FlagSet, err error) error {
	text, vague := strings.CutSuffix(err.Error(), ": parse error")
	if !vague {
		return err
	}
	name := text[strings.LastIndex(text, " -")+len(" -"):]
	return fmt.Errorf("%s: allowed: %s", text, allowedValues[kindOf(f.Lookup(name))])
}

// allowedValues has the allowed values of flags, by the result of kindOf. TestFlagsSayAllowed fails when a
// kind of flag has no entry.
var allowedValues = map[string]string{
	"bool": "true, false", "time.Duration": "times, such as 30s or 2m",
}

// kindOf returns the Go type of a flag, or "" for a flag that explains its own errors.
func kindOf(f *flag.Flag) string {
	inner := f.Value
	if g, ok := inner.(given); ok {
		inner = g.Value
	}
	value, ok := inner.(flag.Getter)
	if !ok {
		return ""
	}
	return fmt.Sprintf("%T", value.Get())
}

// loadDotEnv sets the variables of the file .env that the environment does not have. A $ in a value stays
// unchanged, because secrets may contain a $. godotenv would expand each $, so loadDotEnv replaces the $
// while godotenv reads the file. The file may begin with a byte order mark. No error shows content of the
// file.
func loadDotEnv() error {
	content, err := os.ReadFile(".env")
	if err != nil {
		return err
	}
	const hidden = "\x00"
	text := strings.ReplaceAll(strings.TrimPrefix(string(content), "\uFEFF"), "$", hidden)
	variables, err := parseDotEnv(text)
	if err != nil {
		return fmt.Errorf("line %d is not NAME=VALUE, or has a quote without an end", faultyLine(text))
	}
	for name, value := range variables {
		if _, isSet := os.LookupEnv(name); !isSet && err == nil {
			err = os.Setenv(name, strings.ReplaceAll(value, hidden, "$"))
		}
	}
	return err
}

// parseDotEnv returns the variables in the text of a file .env. Its error may quote any part of the text.
func parseDotEnv(text string) (map[string]string, error) {
	variables, err := godotenv.Unmarshal(text)
	if _, unnamed := variables[""]; unnamed && err == nil {
		err = errors.New("a variable has no name")
	}
	return variables, err
}

// faultyLine returns the number of the line on which the first malformed variable of a file .env begins. The
// lines before this line are the longest beginning of the file that can be parsed.
func faultyLine(text string) int {
	lines := strings.SplitAfter(text, "\n")
	for n := len(lines) - 1; n > 0; n-- {
		if _, err := parseDotEnv(strings.Join(lines[:n], "")); err == nil {
			return n + 1
		}
	}
	return 1
}

// commandUsage prints the help of a command with flags.
func commandUsage(c command, f *flag.FlagSet, out io.Writer) {
	fmt.Fprintf(out, "%s\n\n", wrap(f.Name()+": "+c.summary, 0, 4))
	var rows [][2]string
	f.VisitAll(func(f *flag.Flag) { rows = append(rows, [2]string{"--" + f.Name, f.Usage}) })
	printRows(out, rows)
	fmt.Fprintln(out, "\n"+wrap("b2b --help has all commands and environment variables.", 0, 0))
}

// usage prints the help of b2b.
func usage(all []command, out io.Writer) {
	fmt.Fprint(out, "b2b runs the B2B order-management system.\n\n")
	var rows [][2]string
	for _, c := range all {
		rows = append(rows, [2]string{strings.TrimSpace("b2b " + c.name), c.summary})
	}
	printRows(out, append(rows,
		[2]string{"b2b --help", "this page; b2b COMMAND --help, the flags of a command"}))
	fmt.Fprintf(out, "\n%s\n\n",
		wrap("Environment variables, also read from a file .env in the current folder:", 0, 0))
	rows = nil
	for _, v := range config.Variables() {
		meaning := v.Meaning
		if byDefault := v.DefaultText(""); byDefault != "" {
			meaning += " (default " + byDefault + ")"
		}
		rows = append(rows, [2]string{v.Name, meaning})
	}
	printRows(out, rows)
}

// printRows prints rows of a label and a text, in two columns.
func printRows(out io.Writer, rows [][2]string) {
	indent := 0
	for _, row := range rows {
		indent = max(indent, len(row[0])+4)
	}
	if indent > terminalWidth()/2 { // the terminal is too narrow for columns
		indent = 6
	}
	for _, row := range rows {
		label := fmt.Sprintf("  %-*s  ", indent-4, row[0])
		fmt.Fprintln(out, label+wrap(row[1], len(label), indent))
	}
}

// wrap breaks a text between words into lines as wide as the terminal. The parameter start is the column in
// which the text begins; the parameter indent is the column of its further lines.
func wrap(text string, start, indent int) string {
	width := terminalWidth()
	var b strings.Builder
	column, separator := start, ""
	for _, word := range strings.Fields(text) {
		if column > indent && column+len(separator)+len(word) > width {
			column, separator = indent, "\n"+strings.Repeat(" ", indent)
		} else {
			column += len(separator)
		}
		b.WriteString(separator + word)
		column, separator = column+len(word), " "
	}
	return b.String()
}

// terminalWidth returns COLUMNS, else the width of the terminal on stdout, else 80.
func terminalWidth() int {
	if columns, err := strconv.Atoi(os.Getenv("COLUMNS")); err == nil && columns > 0 {
		return columns
	}
	if columns, _, err := term.GetSize(int(os.Stdout.Fd())); err == nil && columns > 0 {
		return columns
	}
	return 80
}
