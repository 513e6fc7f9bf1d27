// Package config reads the configuration from the environment, once, for package main. A bad value is one line that names the
// variable, what it holds and what is allowed.
package config

import (
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"strconv"
	"strings"
	"time"
)

// DevelopmentToken is the service token when none is set. It is refused with MySQL.
const DevelopmentToken = "dev-service-token"

// Variable is one environment variable that a command reads.
type Variable struct{ Name, Default, Meaning string }

// Variables lists them all, for --help and for the test of .env.example. Aliases come behind the variable they stand for.
var Variables = []Variable{
	{"CUSTOMERS_PORT", "3001", "port of the Customers API (0 takes a free one)"},
	{"ORDERS_PORT", "3002", "port of the Orders API (0 takes a free one)"},
	{"ORCHESTRATOR_PORT", "3000", "port of the orchestrator (0 takes a free one); SERVERLESS_OFFLINE_PORT is another spelling"},
	{"PORT", "", "port of the service, when a command runs just one; wins over the three above"},
	{"DB_DRIVER", "", "sqlite or mysql; default mysql when DB_HOST is set, else sqlite"},
	{"DB_PATH", "./data/b2b.db", "SQLite: the database file"},
	{"DB_HOST", "", "MySQL 8.4+, MariaDB 10.6+: the server"},
	{"DB_PORT", "3306", "MySQL: the port"},
	{"DB_USER", "app_user", "MySQL: the user"},
	{"DB_PASSWORD", "", "MySQL: the password"},
	{"DB_NAME", "customers_orders", "MySQL: the database"},
	{"DB_MAX_CONNECTIONS", "25", "MySQL: connections at once, 1 to 1000"},
	{"MIGRATE_ON_START", "true", "true or false: bring the schema up to date when a service starts"},
	{"SERVICE_TOKEN", DevelopmentToken, "secret that the services share; must be set with MySQL"},
	{"CUSTOMERS_API_BASE", "http://localhost:3001", "where the Customers API is; with no command, the one just started"},
	{"ORDERS_API_BASE", "http://localhost:3002", "where the Orders API is; with no command, the one just started"},
	{"IDEMPOTENCY_KEY_EXPIRATION_HOURS", "24", "hours that an idempotency key is remembered, 1 to 8760"},
	{"ORDER_CANCELLATION_WINDOW_MINUTES", "10", "minutes that a confirmed order may be canceled, 0 to 525600"},
	{"ORDER_RESERVATION_HOURS", "24", "hours that an order which nobody confirms holds its stock, 0 (for ever) to 8760"},
	{"REQUEST_TIMEOUT_SECONDS", "25", "seconds that a request may take, 1 to 300"},
	{"SHUTDOWN_TIMEOUT_SECONDS", "30", "seconds that requests in flight get on SIGTERM, 1 to 300"},
	{"LOG_LEVEL", "info", "debug, info, warn or error"},
}

// Services is what the environment says to the commands of b2b.
type Services struct {
	CustomersPort, OrdersPort, OrchestratorPort  int
	DB                                           Database
	MigrateOnStart                               bool
	KeyLifetime, CancellationWindow, Reservation time.Duration
	ShutdownTimeout                              time.Duration
	Orchestrator
}

// Database has the fields of db.Config, which this package must not import: the Lambda function links no database.
type Database struct {
	Driver         string // mysql or sqlite
	Path           string
	Host           string
	Port           int
	User, Password string
	Name           string
	MaxConns       int
}

// Orchestrator is what the Lambda function needs, and the services too.
type Orchestrator struct {
	ServiceToken              string
	CustomersBase, OrdersBase string // without a slash at the end
	RequestTimeout            time.Duration
	LogLevel                  slog.Level
}

// Read reads the configuration of b2b. With one, PORT is the port of the only service that runs.
func Read(one bool) (Services, error) {
	var r reader
	c := Services{
		CustomersPort:    r.number("CUSTOMERS_PORT", 0, 65535),
		OrdersPort:       r.number("ORDERS_PORT", 0, 65535),
		OrchestratorPort: r.number("ORCHESTRATOR_PORT", 0, 65535, "SERVERLESS_OFFLINE_PORT"),
		DB: Database{
			Driver:   r.choice("DB_DRIVER", "", sqlite, mysql),
			Path:     r.text("DB_PATH"),
			Host:     r.text("DB_HOST"),
			Port:     r.number("DB_PORT", 1, 65535),
			User:     r.text("DB_USER"),
			Password: r.text("DB_PASSWORD"),
			Name:     r.text("DB_NAME"),
			MaxConns: r.number("DB_MAX_CONNECTIONS", 1, 1000),
		},
		MigrateOnStart:     r.choice("MIGRATE_ON_START", "true", "false") == "true",
		KeyLifetime:        time.Duration(r.number("IDEMPOTENCY_KEY_EXPIRATION_HOURS", 1, 8760)) * time.Hour,
		CancellationWindow: time.Duration(r.number("ORDER_CANCELLATION_WINDOW_MINUTES", 0, 525600)) * time.Minute,
		Reservation:        time.Duration(r.number("ORDER_RESERVATION_HOURS", 0, 8760)) * time.Hour,
		ShutdownTimeout:    time.Duration(r.number("SHUTDOWN_TIMEOUT_SECONDS", 1, 300)) * time.Second,
		Orchestrator:       r.orchestrator(),
	}
	if one && os.Getenv("PORT") != "" {
		port := r.number("PORT", 0, 65535)
		c.CustomersPort, c.OrdersPort, c.OrchestratorPort = port, port, port
	}
	if c.DB.Driver == "" {
		c.DB.Driver = sqlite
		if c.DB.Host != "" {
			c.DB.Driver = mysql
		}
	}
	if c.DB.Driver == mysql && c.DB.Host == "" {
		r.fail("DB_HOST", "", "the MySQL server, since DB_DRIVER is mysql")
	}
	if c.DB.Driver == mysql && c.ServiceToken == DevelopmentToken {
		r.fail("SERVICE_TOKEN", c.ServiceToken, "a secret of your own, since the database is MySQL")
	}
	return c, r.err
}

// ReadLambda reads the configuration of the Lambda function, which has no defaults for where and with which token to call.
func ReadLambda() (Orchestrator, error) {
	var r reader
	for _, name := range []string{"CUSTOMERS_API_BASE", "ORDERS_API_BASE", "SERVICE_TOKEN"} {
		if os.Getenv(name) == "" {
			r.fail(name, "", "the value for this deployment")
		}
	}
	return r.orchestrator(), r.err
}

const (
	mysql  = "mysql"
	sqlite = "sqlite"
)

func (r *reader) orchestrator() Orchestrator {
	o := Orchestrator{
		ServiceToken:   r.text("SERVICE_TOKEN"),
		CustomersBase:  r.base("CUSTOMERS_API_BASE"),
		OrdersBase:     r.base("ORDERS_API_BASE"),
		RequestTimeout: time.Duration(r.number("REQUEST_TIMEOUT_SECONDS", 1, 300)) * time.Second,
	}
	_ = o.LogLevel.UnmarshalText([]byte(r.choice("LOG_LEVEL", "debug", "info", "warn", "error")))
	return o
}

// reader keeps the first error.
type reader struct{ err error }

func (r *reader) fail(name, held, allowed string) {
	if r.err == nil {
		r.err = fmt.Errorf("%s is %q; allowed: %s", name, held, allowed)
	}
}

// text returns the variable, or its default when it is not set or empty.
func (r *reader) text(name string, aliases ...string) string {
	for _, n := range append([]string{name}, aliases...) {
		if v := os.Getenv(n); v != "" {
			return v
		}
	}
	for _, v := range Variables {
		if v.Name == name {
			return v.Default
		}
	}
	panic(name + " is not in Variables")
}

func (r *reader) number(name string, lowest, highest int, aliases ...string) int {
	held := r.text(name, aliases...)
	n, err := strconv.Atoi(held)
	if err != nil || n < lowest || n > highest {
		r.fail(name, held, fmt.Sprintf("a whole number from %d to %d", lowest, highest))
	}
	return n
}

func (r *reader) choice(name string, allowed ...string) string {
	held := r.text(name)
	for _, a := range allowed {
		if held == a {
			return held
		}
	}
	r.fail(name, held, strings.TrimPrefix(strings.Join(allowed, ", "), ", "))
	return ""
}

// base returns an address without a slash at its end.
func (r *reader) base(name string) string {
	held := r.text(name)
	if u, err := url.Parse(held); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
		r.fail(name, held, "an address such as https://api.example.com/orders")
	}
	return strings.TrimSuffix(held, "/")
}
