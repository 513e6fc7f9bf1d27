// Command bench measures this system, raw SQL, and the same operations in other frameworks, on databases that
// the command starts itself. The report is in Markdown; docs/performance.md explains the report.
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

	"example.com/b2b/v2/db/dbtest/server"
)

type bench struct {
	on             []string // names of the stages to run
	sizes, clients []int
	rounds         int
	duration       time.Duration // duration of each measurement
	only           *regexp.Regexp
	inARow         int64
	relaxed, quick bool
	page           string // file into which the report is also written; may be ""

	dir, program, token string
	server              *server.Server // nil when no server program is installed
	engine              string
	sections            []*section
	// The number of calls so far. Each call has a new number, and makes its idempotency key from the number.
	calls int64
}

// stages are the stages of a run, in order.
var stages = []struct {
	name, summary string
	run           func(ctx context.Context, b *bench) error
}{
	{"mysql", "every operation on MySQL, else on MariaDB", func(ctx context.Context, b *bench) error {
		return b.measure(ctx, "bench", true, operations...)
	}},
	{"instances", "1, 2 and 4 instances on one database", func(ctx context.Context, b *bench) error {
		return b.manyInstances(ctx, "instances", 0)
	}},
	{"far", "the same, with a database that is a network away", func(ctx context.Context, b *bench) error {
		return b.manyInstances(ctx, "far", oneWay)
	}},
	{"held", "orders while another session holds a product's row, on MySQL", func(ctx context.Context, b *bench) error {
		return b.measure(ctx, "held", false, otherProducts)
	}},
	{"sqlite", "every operation on SQLite", func(ctx context.Context, b *bench) error {
		return b.measure(ctx, inAFile, false, operations...)
	}},
	{"mysql-lists", "lists of -sizes rows", func(ctx context.Context, b *bench) error { return b.lists(ctx, "lists") }},
	{"sqlite-lists", "the same on SQLite", func(ctx context.Context, b *bench) error { return b.lists(ctx, inAFile) }},
	{"feed", "delay from commit to feed", func(ctx context.Context, b *bench) error { return b.feed(ctx) }},
	{"processes", "start and idle memory", func(ctx context.Context, b *bench) error { return b.processes(ctx) }},
	{"parts", "the Go benchmarks", func(ctx context.Context, b *bench) error { return b.parts(ctx) }},
	{"in-a-row", "-in-a-row orders, one after the other", func(ctx context.Context, b *bench) error {
		return b.manyInARow(ctx)
	}},
}

func main() {
	log.SetFlags(0)
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	if err := run(ctx, os.Args[1:]); err != nil && !errors.Is(err, flag.ErrHelp) {
		log.Fatal("bench: ", err)
	}
}

// run runs the stages that the flags select, and prints the report.
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
		if failure := s.run(ctx, b); failure != nil { // the other stages still run
			err = errors.Join(err, fmt.Errorf("%s: %w", s.name, failure))
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
	f.Func("clients", "measure rows with these `numbers` of clients, separated by commas", numbersOf(&b.clients))
	f.Func("sizes", "the `numbers` of rows of lists, separated by commas", numbersOf(&b.sizes))
	f.IntVar(&b.rounds, "rounds", 3, "how often each contender is measured; the report has medians")
	f.DurationVar(&b.duration, "duration", 5*time.Second, "of each measurement")
	f.Func("rows", "measure only operations that match this regular `expression`", func(text string) (err error) {
		b.only, err = regexp.Compile(text)
		return err
	})
	f.Int64Var(&b.inARow, "in-a-row", 1_000_000, "the number of orders of the stage in-a-row")
	f.StringVar(&b.engine, "engine", "", "MySQL or MariaDB; by default the first that is installed")
	const relaxed = "let MySQL flush its log once a second, not at every commit: a crash loses orders"
	f.BoolVar(&b.relaxed, "relaxed", false, relaxed)
	f.BoolVar(&b.quick, "quick", false, "measure everything once, small and short: the figures mean little")
	f.StringVar(&b.page, "write", "", "replace the tables of this `page`, too")
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

// startServer starts MySQL or MariaDB with default settings, and sets b.server, if a program is installed.
func (b *bench) startServer() (err error) {
	const setting = "--innodb-flush-log-at-trx-commit=1" // the default
	for _, engine := range []string{"MySQL", "MariaDB"} {
		if b.server != nil || b.engine != "" && b.engine != engine {
			continue
		}
		if b.server, err = server.Private(engine, filepath.Join(b.dir, engine), setting); err != nil {
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
	fmt.Fprintf(&r, "Commit %s, %s, %d CPUs for database, services and clients together; ",
		strings.TrimSpace(string(version)), runtime.Version(), runtime.NumCPU())
	fmt.Fprintf(&r, "%d rounds of %s each, medians.\n", b.rounds, b.duration)
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
