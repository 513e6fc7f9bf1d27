// Command b2b runs the order-management system: all three services, or one of them, and the chores around the database.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"slices"
	"syscall"
	"text/tabwriter"

	"github.com/joho/godotenv"

	"example.com/b2b/db"
	"example.com/b2b/db/doctor"
	"example.com/b2b/internal/config"
	"example.com/b2b/orders"
)

func main() {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	context.AfterFunc(ctx, stop) // a second signal ends the process at once
	err := run(ctx, os.Args[1:], os.Stdout)
	stop()
	if err != nil {
		fmt.Fprintln(os.Stderr, "b2b:", err)
		os.Exit(1)
	}
}

// run carries out one command line and returns when it is done or ctx has ended.
func run(ctx context.Context, args []string, out io.Writer) error {
	command := ""
	if len(args) > 0 {
		command = args[0]
	}
	if command == "help" || slices.Contains(args, "--help") || slices.Contains(args, "-h") {
		usage(out)
		return nil
	}
	asJSON := command == "doctor" && len(args) == 2 && args[1] == "--json"
	if len(args) > 1 && !asJSON {
		return fmt.Errorf("%q is one argument too many; see b2b --help", args[1])
	}
	if err := godotenv.Load(); err != nil && !errors.Is(err, os.ErrNotExist) {
		return fmt.Errorf(".env cannot be read: %w", err)
	}
	cfg, err := config.Read(command != "")
	if err != nil {
		return err
	}
	switch command {
	case "", customersCommand, ordersCommand, orchestratorCommand:
		return serve(ctx, cfg, command, out)
	case "migrate":
		g, err := open(ctx, cfg.DB)
		if err != nil {
			return err
		}
		steps, err := db.Migrate(ctx, g)
		if err == nil {
			fmt.Fprintf(out, "The schema is up to date (%d new steps).\n", steps)
		}
		return errors.Join(err, db.Close(g))
	case "seed":
		g, err := open(ctx, cfg.DB)
		if err != nil {
			return err
		}
		loaded, err := db.Seed(ctx, g)
		if loaded {
			fmt.Fprintln(out, "The sample data is loaded.")
		} else if err == nil {
			fmt.Fprintln(out, "The database has data; nothing was loaded.")
		}
		return errors.Join(err, db.Close(g))
	case "doctor":
		g, err := open(ctx, cfg.DB)
		if err != nil {
			return err
		}
		defer db.Close(g)
		checks, err := doctor.Examine(ctx, g, orders.Rules())
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
	}
	return fmt.Errorf("%q is no command; see b2b --help", command)
}

func usage(out io.Writer) {
	fmt.Fprint(out, `b2b runs the B2B order-management system.

  b2b                all three services in one process; SQLite when no DB_HOST is set, with sample data on the first start
  b2b customers      the Customers API
  b2b orders         the Orders API
  b2b orchestrator   the orchestrator
  b2b migrate        bring the database's schema up to date
  b2b seed           load the sample data into an empty database
  b2b doctor         examine a live database, read-only, as a table or with --json; exit code 1 when a rule is broken
  b2b --help         this page

Environment variables, also read from a file .env in the current folder:

`)
	w := tabwriter.NewWriter(out, 0, 0, 2, ' ', 0)
	for _, v := range config.Variables {
		fmt.Fprintf(w, "  %s\t%s\t%s\n", v.Name, v.Default, v.Meaning)
	}
	w.Flush()
}
