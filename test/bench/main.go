// Command bench measures this system beside raw SQL, and beside what others would write, on databases that it
// starts itself. It prints its report in Markdown. docs/performance.md says how to read it.
//
//	go run ./test/bench [flags]
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"log"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"time"

	"example.com/b2b/db/dbtest/server"
)

// bench is one run.
type bench struct {
	on             []string // the stages
	sizes, clients []int
	rounds         int
	duration       time.Duration // of a round
	only           *regexp.Regexp
	inARow         int64
	relaxed, quick bool
	page           string // to be written, too

	dir, program, token string
	server              *server.Server // nil: there is no server program
	engine              string
	sections            []*section
	calls               int64 // that have been numbered so far: each has a key of its own
}

// stages are what a run does, in this order.
var stages = []struct {
	name, summary string
	run           func(ctx context.Context, b *bench) error
}{
	{
		"mysql",
		"every operation on MySQL, or MariaDB where there is no MySQL",
		func(ctx context.Context, b *bench) error {
			return b.place(ctx, "bench", 1, true, operations...)
		},
	},
	{"two", "two instances on one database", func(ctx context.Context, b *bench) error {
		return b.place(ctx, "two", 2, false, createWithKey, hotProduct)
	}},
	{
		"held",
		"orders while another session holds a product's row, on MySQL",
		func(ctx context.Context, b *bench) error {
			return b.place(ctx, "held", 1, false, otherProducts)
		},
	},
	{"sqlite", "every operation on SQLite", func(ctx context.Context, b *bench) error {
		return b.place(ctx, inAFile, 1, false, operations...)
	}},
	{
		"mysql-lists", "lists of -sizes rows",
		func(ctx context.Context, b *bench) error { return b.lists(ctx, "lists") },
	},
	{
		"sqlite-lists", "the same on SQLite",
		func(ctx context.Context, b *bench) error { return b.lists(ctx, inAFile) },
	},
	{"processes", "start and idle memory", func(ctx context.Context, b *bench) error { return b.processes(ctx) }},
	{"parts", "the Go benchmarks", func(ctx context.Context, b *bench) error { return b.parts(ctx) }},
	{
		"in-a-row", "-in-a-row orders, one after the other",
		func(ctx context.Context, b *bench) error { return b.manyInARow(ctx) },
	},
}

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Fatal("bench: ", err)
	}
}

// run does what the flags say.
func run(ctx context.Context, args []string) (err error) {
	b, err := parse(args)
	if err != nil {
		return err
	}
	if b.dir, err = os.MkdirTemp("", "b2b-bench-"); err != nil {
		return err
	}
	defer os.RemoveAll(b.dir)
	if b.token, err = token(); err != nil {
		return err
	}
	b.program = filepath.Join(b.dir, "b2b")
	if err := build(ctx, b.program); err != nil {
		return err
	}
	if err := b.startServer(); err != nil {
		return err
	}
	if b.server != nil {
		defer b.server.Stop()
	}
	for _, s := range stages {
		if !slices.Contains(b.on, s.name) || ctx.Err() != nil {
			continue
		}
		log.Print("== ", s.name)
		if stage := s.run(ctx, b); stage != nil { // the others may take hours: they count all the same
			err = errors.Join(err, fmt.Errorf("%s: %w", s.name, stage))
		}
	}
	fmt.Print(b.report())
	if b.page != "" && err == nil {
		err = write(b.page, b.report())
	}
	return err
}

func parse(args []string) (*bench, error) {
	b := &bench{sizes: []int{1000, 100_000, 1_000_000}, clients: []int{1, 8, 32, 128}, only: regexp.MustCompile("")}
	usage := "the `stages` of the run, separated by commas; without it all:"
	for _, s := range stages {
		b.on = append(b.on, s.name)
		usage += fmt.Sprintf("\n  %s: %s", s.name, s.summary)
	}
	known := b.on
	f := flag.NewFlagSet("bench", flag.ContinueOnError)
	f.Func("on", usage, func(text string) error {
		b.on = strings.Split(text, ",")
		for _, name := range b.on {
			if !slices.Contains(known, name) {
				return fmt.Errorf("there is no stage %q", name)
			}
		}
		return nil
	})
	f.Func(
		"clients", "the `numbers` of clients of which rows are measured, separated by commas",
		numbersOf(&b.clients),
	)
	f.Func("sizes", "the `numbers` of rows of lists, separated by commas", numbersOf(&b.sizes))
	f.IntVar(&b.rounds, "rounds", 3, "how often each contender is measured; the medians count")
	f.DurationVar(&b.duration, "duration", 5*time.Second, "how long each time")
	f.Func("rows", "only the operations that this regular `expression` finds", func(text string) (err error) {
		b.only, err = regexp.Compile(text)
		return err
	})
	f.Int64Var(&b.inARow, "in-a-row", 1_000_000, "how many orders in a row")
	f.StringVar(&b.engine, "engine", "", "MySQL or MariaDB; without it the first of them that is there")
	f.BoolVar(
		&b.relaxed, "relaxed", false,
		"let MySQL flush its log once a second, and not at every commit: less than what is promised",
	)
	f.BoolVar(&b.quick, "quick", false, "everything once, small and short: figures that say little")
	f.StringVar(&b.page, "write", "", "the `page` whose tables are replaced, too")
	err := f.Parse(args)
	if b.quick {
		b.sizes, b.rounds, b.duration, b.inARow = []int{1000}, 1, 300*time.Millisecond, 1000
	}
	return b, err
}

func numbersOf(to *[]int) func(text string) error {
	return func(text string) error {
		*to = nil
		for _, t := range strings.Split(text, ",") {
			n, err := strconv.Atoi(t)
			if err != nil || n < 1 {
				return fmt.Errorf("%q is no number", t)
			}
			*to = append(*to, n)
		}
		return nil
	}
}

// startServer starts MySQL or MariaDB with the settings that they have by themselves, where its program is
// there.
func (b *bench) startServer() (err error) {
	for _, engine := range []string{"MySQL", "MariaDB"} {
		if b.server != nil || b.engine != "" && b.engine != engine {
			continue
		}
		if b.server, err = server.Private(engine, filepath.Join(b.dir, engine), "--innodb-flush-log-at-trx-commit=1"); err != nil {
			return err
		}
		if b.server != nil {
			b.engine = engine
		}
	}
	if b.server == nil {
		log.Print("MySQL and MariaDB are left out: neither server program is installed")
	}
	return nil
}

func (b *bench) report() string {
	var r strings.Builder
	version, _ := exec.Command("git", "describe", "--always", "--dirty").Output()
	fmt.Fprintf(
		&r,
		"Commit %s, %s, %d CPUs for database, services and clients together; %d rounds of %s each, medians.\n",
		strings.TrimSpace(string(version)), runtime.Version(), runtime.NumCPU(), b.rounds, b.duration,
	)
	for _, s := range b.sections {
		fmt.Fprintf(&r, "\n%s", s)
	}
	return r.String()
}

func (b *bench) section(title string, header ...string) *section {
	s := &section{title: title, header: header}
	b.sections = append(b.sections, s)
	return s
}
