// Package config reads the configuration from the environment, once, for package main. Each variable is registered once, by the
// tags of the field that holds it: from them follow its parsing, --help, .env.example, docs/configuration.md and what
// docker-compose.yml passes on.
package config

import (
	"errors"
	"fmt"
	"log/slog"
	"net/url"
	"os"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"
)

// Settings holds everything that can be configured, in groups. A command reads only the groups that it uses.
//
// The tags of a field: env names the variable, also other spellings; default is its value when it is not set or empty; help says
// what it means; from and to bound a number; unit is that of a duration; oneof lists what is allowed.
type Settings struct {
	Logging
	Database
	Migration
	Serving
	Stopping
	SinglePort
	Customers
	Orders
	Orchestrator
	CustomersPeer
	OrdersPeer
}

// Logging is for every command that logs.
type Logging struct {
	LogLevel slog.Level `env:"LOG_LEVEL" default:"info" oneof:"debug info warn error" help:"lines below this level are left out"`
}

// Database has the fields of db.Config, which this package must not import: the Lambda function links no database.
type Database struct {
	Driver   string `env:"DB_DRIVER" oneof:"sqlite mysql" help:"the kind of database; without it mysql when DB_HOST is set, else sqlite"`
	Path     string `env:"DB_PATH" default:"./data/b2b.db" help:"SQLite: the database file"`
	Host     string `env:"DB_HOST" help:"MySQL 8.4+, MariaDB 10.6+: the server"`
	Port     int    `env:"DB_PORT" default:"3306" from:"1" to:"65535" help:"MySQL: the port"`
	User     string `env:"DB_USER" default:"app_user" help:"MySQL: the user"`
	Password string `env:"DB_PASSWORD" help:"MySQL: the password"`
	Name     string `env:"DB_NAME" default:"customers_orders" help:"MySQL: the database"`
	MaxConns int    `env:"DB_MAX_CONNECTIONS" default:"25" from:"1" to:"1000" help:"MySQL: connections at once"`
}

// The kinds of database.
const (
	MySQL  = "mysql"
	SQLite = "sqlite"
)

// Migration is for services with a database.
type Migration struct {
	MigrateOnStart bool `env:"MIGRATE_ON_START" default:"true" help:"bring the schema up to date when a service starts"`
}

// Serving is for every service.
type Serving struct {
	ServiceToken   string        `env:"SERVICE_TOKEN" default:"dev-service-token" help:"secret that the services share; with MySQL it must be one of your own"`
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT_SECONDS" default:"25" unit:"seconds" from:"1" to:"300" help:"how long a request may take once its body has arrived"`
}

// Stopping is for every service that is a process.
type Stopping struct {
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT_SECONDS" default:"30" unit:"seconds" from:"1" to:"300" help:"how long requests in flight get on SIGTERM, all services of a process together"`
}

// DevelopmentToken is the service token when none is set.
const DevelopmentToken = "dev-service-token"

// SinglePort is the port of the service when a command runs just one; nil when it is not set.
type SinglePort struct {
	Only *int `env:"PORT" from:"0" to:"65535" help:"port of the service, when a command runs just one; wins over the port of its own"`
}

// Customers is for the Customers API.
type Customers struct {
	CustomersPort int `env:"CUSTOMERS_PORT" default:"3001" from:"0" to:"65535" help:"port of the Customers API; 0 takes a free one"`
}

// Orders is for the Orders API.
type Orders struct {
	OrdersPort         int           `env:"ORDERS_PORT" default:"3002" from:"0" to:"65535" help:"port of the Orders API; 0 takes a free one"`
	KeyLifetime        time.Duration `env:"IDEMPOTENCY_KEY_EXPIRATION_HOURS" default:"24" unit:"hours" from:"1" to:"8760" help:"how long an idempotency key is remembered"`
	CancellationWindow time.Duration `env:"ORDER_CANCELLATION_WINDOW_MINUTES" default:"10" unit:"minutes" from:"0" to:"525600" help:"how long a confirmed order may be canceled"`
	Reservation        time.Duration `env:"ORDER_RESERVATION_HOURS" default:"24" unit:"hours" from:"0" to:"8760" help:"how long an order that nobody confirms holds its stock; 0 is for ever"`
}

// Orchestrator is for the orchestrator.
type Orchestrator struct {
	OrchestratorPort int `env:"ORCHESTRATOR_PORT,SERVERLESS_OFFLINE_PORT" default:"3000" from:"0" to:"65535" help:"port of the orchestrator; 0 takes a free one"`
}

// CustomersPeer is for services that call the Customers API.
type CustomersPeer struct {
	CustomersBase string `env:"CUSTOMERS_API_BASE" default:"http://localhost:3001" format:"address" help:"where the Customers API is; a command that runs all services uses the one that it starts"`
}

// OrdersPeer is for services that call the Orders API.
type OrdersPeer struct {
	OrdersBase string `env:"ORDERS_API_BASE" default:"http://localhost:3002" format:"address" help:"where the Orders API is; a command that runs all services uses the one that it starts"`
}

// Read fills groups, which point into one Settings, from the environment. Its error has a line for each variable that is wrong: its
// name, what it holds and what is allowed.
func Read(groups ...any) error {
	var problems []error
	for _, group := range groups {
		value := reflect.ValueOf(group).Elem()
		for _, v := range variablesOf(value.Type()) {
			if err := v.read(value.FieldByIndex(v.field)); err != nil {
				problems = append(problems, err)
			}
		}
		switch g := group.(type) {
		case *Database:
			problems = append(problems, g.complete())
		}
	}
	return errors.Join(problems...)
}

// complete chooses the driver when none is set.
func (d *Database) complete() error {
	if d.Driver == "" {
		d.Driver = SQLite
		if d.Host != "" {
			d.Driver = MySQL
		}
	}
	if d.Driver == MySQL && d.Host == "" {
		return errors.New(`DB_HOST is ""; allowed: the MySQL server, since DB_DRIVER is mysql`)
	}
	return nil
}

// Required returns an error for each of the variables that is not set: a deployment without defaults must name them.
func Required(names ...string) error {
	var problems []error
	for _, name := range names {
		if os.Getenv(name) == "" {
			problems = append(problems, fmt.Errorf(`%s is ""; allowed: the value for this deployment`, name))
		}
	}
	return errors.Join(problems...)
}

// Variable is one registration.
type Variable struct {
	Name     string
	Aliases  []string
	Default  string
	Meaning  string // in words, with unit and bounds
	Group    string // the name of its group in Settings
	unit     time.Duration
	from, to int
	oneOf    []string
	address  bool
	field    []int // in its group
}

// Variables returns all registrations, in the order of Settings.
func Variables() (all []Variable) {
	settings := reflect.TypeFor[Settings]()
	for i := range settings.NumField() {
		all = append(all, variablesOf(settings.Field(i).Type)...)
	}
	return all
}

func variablesOf(group reflect.Type) (all []Variable) {
	for _, f := range reflect.VisibleFields(group) {
		names := strings.Split(f.Tag.Get("env"), ",")
		v := Variable{Name: names[0], Aliases: names[1:], Default: f.Tag.Get("default"), Meaning: f.Tag.Get("help"), Group: group.Name(),
			oneOf: strings.Fields(f.Tag.Get("oneof")), address: f.Tag.Get("format") == "address", field: f.Index, unit: units[f.Tag.Get("unit")]}
		v.from, _ = strconv.Atoi(f.Tag.Get("from"))
		v.to, _ = strconv.Atoi(f.Tag.Get("to"))
		switch {
		case f.Type == reflect.TypeFor[bool]():
			v.oneOf = []string{"true", "false"}
		case f.Tag.Get("unit") != "":
			v.Meaning += fmt.Sprintf("; %s, %d to %d", f.Tag.Get("unit"), v.from, v.to)
		case v.to > 0 && v.to != 65535:
			v.Meaning += fmt.Sprintf("; %d to %d", v.from, v.to)
		}
		if len(v.oneOf) > 0 {
			v.Meaning += "; " + strings.Join(v.oneOf, ", ")
		}
		if len(v.Aliases) > 0 {
			v.Meaning += "; " + strings.Join(v.Aliases, ", ") + " is another spelling"
		}
		all = append(all, v)
	}
	return all
}

var units = map[string]time.Duration{"seconds": time.Second, "minutes": time.Minute, "hours": time.Hour}

// read parses what the environment holds into a field.
func (v Variable) read(field reflect.Value) error {
	held := v.Default
	for _, name := range slices.Backward(append([]string{v.Name}, v.Aliases...)) {
		if set := os.Getenv(name); set != "" {
			held = set
		}
	}
	wrong := func(allowed string) error { return fmt.Errorf("%s is %q; allowed: %s", v.Name, held, allowed) }
	if held == "" {
		return nil
	}
	if len(v.oneOf) > 0 && !slices.Contains(v.oneOf, held) {
		return wrong(strings.Join(v.oneOf, ", "))
	}
	switch field.Interface().(type) {
	case string:
		if v.address {
			if u, err := url.Parse(held); err != nil || u.Host == "" || u.Scheme != "http" && u.Scheme != "https" {
				return wrong("an address such as https://api.example.com/orders")
			}
			held = strings.TrimSuffix(held, "/")
		}
		field.SetString(held)
	case bool:
		field.SetBool(held == "true")
	case slog.Level:
		return field.Addr().Interface().(*slog.Level).UnmarshalText([]byte(held))
	default: // int, *int, time.Duration
		n, err := strconv.Atoi(held)
		if err != nil || n < v.from || n > v.to {
			return wrong(fmt.Sprintf("a whole number from %d to %d", v.from, v.to))
		}
		switch {
		case field.Kind() == reflect.Pointer:
			field.Set(reflect.ValueOf(&n))
		case v.unit > 0:
			field.SetInt(int64(time.Duration(n) * v.unit))
		default:
			field.SetInt(int64(n))
		}
	}
	return nil
}
