// Package config reads the configuration from environment variables. Only commands and generators import this
// package. The tags of a field define an environment variable: parsing, --help, .env.example,
// docs/configuration.md and the variables in docker-compose.yml are derived from the tags. The package also
// refuses configurations that are unsafe in production.
package config

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
)

// Settings holds the whole configuration, in groups. A command reads only the groups that it uses.
//
// The tags of a field:
//   - env: the name of the variable, and aliases after commas
//   - default: the value of a variable that is unset or empty
//   - development, production: the default in that environment only
//   - help: the description
//   - from, to: the bounds of a number
//   - unit: the unit of a duration
//   - oneof: the allowed values, separated by spaces
//   - secret: the value is secret. It may be in a file instead: the variable with _FILE behind its name has
//     the path of the file
//   - format: the rule for a string, or for each entry of a list: see the variable formats
//
// A default may contain the name of a variable of Ports in braces, such as {ORDERS_PORT}. Read replaces the
// name by the value of that variable. The documentation shows the default of that variable instead.
type Settings struct {
	Logging
	Database
	Migration
	Keys
	Deployment
	Access
	JWT
	Issuing
	Calling
	Serving
	Amounts
	Limiting
	Listening
	Browsers
	Observing
	SlowQueries
	Stopping
	SinglePort
	Ports
	Orders
	Events
	Pages
	CustomersPeer
	OrdersPeer
	Mounting
}

// Deployment configures the environment, for every command: Settings.Read always reads this group.
type Deployment struct {
	Env string `env:"APP_ENV,NODE_ENV" oneof:"development production" help:"how careful to be: in production nothing starts with secrets that others know; without it production with MySQL and for the Lambda function, else development"`
}

// The values of Deployment.Env.
const (
	Development = "development"
	Production  = "production"
)

// Logging configures the log.
type Logging struct {
	LogLevel slog.Level `env:"LOG_LEVEL" default:"info" oneof:"debug info warn error" help:"lines below this level are left out"`
}

// Database has the same fields as db.Config. This package must not import db, because the Lambda function
// must not contain database code.
type Database struct {
	Driver   string `env:"DB_DRIVER" oneof:"sqlite mysql" help:"the kind of database; without it mysql when DB_HOST is set, else sqlite"`
	Path     string `env:"DB_PATH" default:"./data/b2b.db" help:"SQLite: the database file"`
	Host     string `env:"DB_HOST" help:"MySQL 8.4+, MariaDB 10.6+: the server"`
	Port     int    `env:"DB_PORT" default:"3306" from:"1" to:"65535" help:"MySQL: the port"`
	User     string `env:"DB_USER" default:"app_user" help:"MySQL: the user"`
	Password string `env:"DB_PASSWORD" secret:"true" help:"MySQL: the password"`
	Name     string `env:"DB_NAME" default:"customers_orders" help:"MySQL: the database"`
	MaxConns int    `env:"DB_MAX_CONNECTIONS" default:"25" from:"1" to:"1000" help:"MySQL: connections at once; with fewer than 10, each instance does the background work of all, with the same results"`
	TLS      string `env:"DB_TLS" oneof:"off preferred required verify" help:"MySQL: encryption; preferred uses it when the server has it, required refuses a server without, verify also one whose certificate is not valid for DB_HOST; without it verify when DB_TLS_CA is set, else off for this machine and preferred for others"`
	TLSCA    string `env:"DB_TLS_CA" help:"MySQL: the file with the certificates, in PEM, by which verify knows the server; without it those that this machine trusts"`

	ReadHost   string        `env:"DB_READ_HOST" help:"MySQL: a replica, for lists, exports and histories, which then may lag; it has the user, password, database and encryption of DB_HOST"`
	ReadPort   int           `env:"DB_READ_PORT" from:"1" to:"65535" help:"MySQL: the port of the replica; without it DB_PORT"`
	ReadMaxLag time.Duration `env:"DB_READ_MAX_LAG_SECONDS" default:"10" unit:"seconds" from:"2" to:"3600" help:"a replica that lags by more, or does not answer, is not read: reads then come from DB_HOST"`
}

// The values of Database.Driver.
const (
	MySQL  = "mysql"
	SQLite = "sqlite"
)

// Keys configures idempotency keys, for services with a database.
type Keys struct {
	KeyLifetime time.Duration `env:"IDEMPOTENCY_KEY_EXPIRATION_HOURS" default:"24" unit:"hours" from:"1" to:"8760" help:"how long an idempotency key is remembered"`
}

// Migration configures the migration at the start, for services with a database.
type Migration struct {
	MigrateOnStart bool `env:"MIGRATE_ON_START" default:"true" help:"bring the schema up to date when a service starts"`
}

// Access configures the service tokens and the admission of callers, for every service.
type Access struct {
	AuthMode         string   `env:"AUTH_MODE" development:"open" production:"jwt" oneof:"open jwt" help:"who may call: open lets callers without a token in, jwt does not; a token that is sent must be valid"`
	OpenInProduction bool     `env:"AUTH_OPEN_IN_PRODUCTION" default:"false" help:"let AUTH_MODE=open through in production"`
	ServiceTokens    []string `env:"SERVICE_TOKEN" secret:"true" development:"dev-service-token" help:"secrets of the services, separated by commas or spaces: they present the first and accept all; in production of 32 bytes or more each"`
}

// The values of Access.AuthMode.
const (
	Open    = "open"
	OnlyJWT = "jwt"
)

// JWT configures JWTs, for every service and for the command b2b token.
type JWT struct {
	JWTSecrets []string `env:"JWT_SECRET" secret:"true" development:"dev-jwt-secret-that-everybody-knows" help:"secrets of tokens signed with HS256, separated by commas or spaces: b2b token signs with the first, all are accepted; in production of 32 bytes or more each"`
	JWKSURL    string   `env:"JWT_JWKS_URL" format:"address" help:"where the issuer's keys are (JWKS), for tokens signed with RS256, ES256 or EdDSA"`
	Issuer     string   `env:"JWT_ISSUER" help:"what a token must name as iss"`
	Audience   string   `env:"JWT_AUDIENCE" help:"what a token must name in aud"`
}

// Issuing configures the command b2b token.
type Issuing struct {
	TokenLifetime time.Duration `env:"JWT_EXPIRES_IN" default:"24h" help:"how long a token of b2b token is valid, as 90m, 24h or 7d"`
}

// Calling configures the commands that call services: b2b import, export, order, cancel and follow.
type Calling struct {
	Token string `env:"B2B_TOKEN" secret:"true" help:"the token with which b2b import, export, order, cancel and follow call the services; none where callers need none"`
}

// Serving configures the time limit of requests, for every service.
type Serving struct {
	RequestTimeout time.Duration `env:"REQUEST_TIMEOUT_SECONDS" default:"25" unit:"seconds" from:"1" to:"300" help:"how long a request may take once its body has arrived"`
}

// Amounts configures the amounts of the API, for every service.
type Amounts struct {
	Currency string `env:"CURRENCY" default:"USD" format:"currency" help:"the currency of all amounts, by its code in ISO 4217: the documents and the pages show it, and a cent is a hundredth of it"`
}

// Limiting configures limits for requests, for every service outside Lambda.
type Limiting struct {
	RateLimit      int      `env:"RATE_LIMIT_RPS" default:"0" from:"0" to:"100000" help:"requests a second that a caller, by its token or else its address, may send to each instance on average; 0 is no limit"`
	RateBurst      int      `env:"RATE_LIMIT_BURST" default:"0" from:"0" to:"1000000" help:"requests that a caller may send at once; 0 is twice RATE_LIMIT_RPS"`
	TrustedProxies []string `env:"TRUSTED_PROXIES" format:"network" help:"addresses and networks of proxies, separated by commas, whose X-Forwarded-For says where a call comes from"`
	MaxInFlight    int      `env:"MAX_REQUESTS_IN_FLIGHT" default:"200" from:"1" to:"100000" help:"requests at work in a service at once, besides imports, exports and readers of events, and half of its connections at most; one more is 503 at once, and of each bound here 429 for a caller that has its share"`
	MaxSearches    int      `env:"MAX_SEARCHES" default:"0" from:"0" to:"1000" help:"searches, summaries and lists by updated_since, confirmed_from, confirmed_to or stock_below at work in a service at once, of which each may read a whole table; sixteen times as many wait, and one more is 503; 0 is a quarter of DB_MAX_CONNECTIONS, and one on SQLite"`
	MaxImports     int      `env:"MAX_IMPORTS" default:"16" from:"1" to:"1000" help:"imports in a service at once, received or at work, of which each may take 64 MiB of TMPDIR, and a tenth of its connections at most; one more is 503 at once"`
	MaxExports     int      `env:"MAX_EXPORTS" default:"16" from:"1" to:"1000" help:"exports in a service at once, and a tenth of its connections at most; one more is 503 at once"`
	MaxReaders     int      `env:"MAX_EVENT_READERS" default:"200" from:"1" to:"100000" help:"readers of events in a service at once, feed and streams together, and two fifths of its connections at most; one more is 503 at once"`
}

// Listening configures the listener and the connections of every service outside Lambda.
type Listening struct {
	BindAddress    string `env:"BIND_ADDRESS" format:"ip" help:"the address to listen at: localhost is this machine only, 0.0.0.0 all addresses; without it all with MySQL, and for a lone orchestrator in production, else localhost"`
	MaxConnections int    `env:"MAX_CONNECTIONS" default:"500" from:"10" to:"100000" help:"connections to a service at once, less where the process may open few files (ulimit -n); one more takes the place of an idle one"`
	MaxPerAddress  int    `env:"MAX_CONNECTIONS_PER_ADDRESS" default:"250" from:"1" to:"100000" help:"and from one address; half of all at most"`
}

// Browsers configures the access of web pages, for every service outside Lambda.
type Browsers struct {
	Hosts   []string `env:"ALLOWED_HOSTS" format:"name" help:"names by which callers without a token may call the services, separated by commas; localhost and IP addresses always may; without it any name, but none other on localhost; there, and where a secret of tokens is a public default, names with a dot need it with a token, too"`
	Origins []string `env:"CORS_ALLOWED_ORIGINS" format:"origin" help:"sites whose pages may call the services, separated by commas, such as https://shop.example.com"`
}

// Observing configures the form of the log and the port for operators, for every service outside Lambda.
type Observing struct {
	LogFormat  string `env:"LOG_FORMAT" oneof:"json text" help:"how a line of the log is written; without it text on a terminal in development, and json elsewhere"`
	OpsPort    *int   `env:"OPS_PORT" from:"0" to:"65535" help:"port for operators: /metrics for Prometheus, and /debug/pprof; 0 takes a free one; without it none"`
	OpsAddress string `env:"OPS_ADDRESS" format:"ip" default:"127.0.0.1" help:"the address of OPS_PORT; whoever reaches it needs no token, so never a public one"`
}

// The values of Observing.LogFormat.
const (
	JSONLog = "json"
	TextLog = "text"
)

// SlowQueries configures the log of slow statements, for services with a database.
type SlowQueries struct {
	SlowQuery time.Duration `env:"SLOW_QUERY_MS" default:"500" unit:"milliseconds" from:"1" to:"60000" help:"an SQL statement that takes this long, waits for locks included, is a line of the log, without its values"`
}

// Stopping configures the shutdown of every service outside Lambda.
type Stopping struct {
	DrainDelay      time.Duration `env:"DRAIN_DELAY_SECONDS" development:"0" production:"5" unit:"seconds" from:"0" to:"300" help:"how long after SIGTERM the services still take requests while /ready says 503, so that load balancers turn away first"`
	ShutdownTimeout time.Duration `env:"SHUTDOWN_TIMEOUT_SECONDS" default:"30" unit:"seconds" from:"1" to:"300" help:"how long requests in flight get on SIGTERM, all services of a process together"`
}

// SinglePort configures the port of a service that runs alone. Only is nil when PORT is not set.
type SinglePort struct {
	Only *int `env:"PORT" from:"0" to:"65535" help:"port of the service, when a command runs just one; wins over the port of its own"`
}

// Ports configures the ports of the services outside Lambda. Each service reads the ports of all services,
// because pages of the other services may call this service.
type Ports struct {
	CustomersPort    int `env:"CUSTOMERS_PORT" default:"3001" from:"0" to:"65535" help:"port of the Customers API; 0 takes a free one"`
	OrdersPort       int `env:"ORDERS_PORT" default:"3002" from:"0" to:"65535" help:"port of the Orders API; 0 takes a free one"`
	EventsPort       int `env:"EVENTS_PORT" default:"3003" from:"0" to:"65535" help:"port of the Events API; 0 takes a free one"`
	OrchestratorPort int `env:"ORCHESTRATOR_PORT,SERVERLESS_OFFLINE_PORT" default:"3000" from:"0" to:"65535" help:"port of the orchestrator; 0 takes a free one"`
}

// Orders configures the Orders API.
type Orders struct {
	CancellationWindow time.Duration `env:"ORDER_CANCELLATION_WINDOW_MINUTES" default:"10" unit:"minutes" from:"0" to:"525600" help:"how long a confirmed order may be canceled"`
	Reservation        time.Duration `env:"ORDER_RESERVATION_HOURS" default:"24" unit:"hours" from:"0" to:"8760" help:"how long an order that nobody confirms holds its stock; 0 is for ever"`
}

// Events configures the Events API.
type Events struct {
	EventRetention time.Duration `env:"EVENT_RETENTION_DAYS" default:"90" unit:"days" from:"0" to:"36500" help:"how long events are kept, for the feed and for the histories, and for how long after the first start with a feed nothing is deleted; 0 keeps all"`
	WebhookPrivate bool          `env:"WEBHOOK_ALLOW_PRIVATE" development:"true" production:"false" help:"send webhooks also to private, loopback and link-local addresses, so to any service of this network"`
	WebhookProxy   bool          `env:"WEBHOOK_USE_PROXY" default:"false" help:"send webhooks through the proxy that HTTPS_PROXY, HTTP_PROXY and NO_PROXY name; the proxy then resolves names, and must refuse private addresses itself"`
}

// Pages configures the pages of the orchestrator, outside Lambda.
type Pages struct {
	Office     string `env:"OFFICE" default:"on" oneof:"on off" help:"whether the orchestrator has the back office, /office"`
	OIDCIssuer string `env:"OIDC_ISSUER" format:"address" help:"the OpenID Connect issuer at which clerks sign in to the back office; without it they need a token; its access tokens must be ones that the services accept"`
	OIDCClient string `env:"OIDC_CLIENT_ID" help:"the public client of the back office at OIDC_ISSUER: authorization code with PKCE, redirected to /office/"`
	OIDCScope  string `env:"OIDC_SCOPE" default:"openid" help:"what the back office asks OIDC_ISSUER for, separated by spaces"`
}

// On is the value of Pages.Office with which the orchestrator has the back office.
const On = "on"

// CustomersPeer configures calls to the Customers API.
type CustomersPeer struct {
	CustomersBase string `env:"CUSTOMERS_API_BASE" default:"http://localhost:{CUSTOMERS_PORT}" format:"address" help:"where the Customers API is; without it localhost, at CUSTOMERS_PORT; a command that runs all services uses the one that it starts"`
}

// OrdersPeer configures calls to the Orders API.
type OrdersPeer struct {
	OrdersBase string `env:"ORDERS_API_BASE" default:"http://localhost:{ORDERS_PORT}" format:"address" help:"where the Orders API is; without it localhost, at ORDERS_PORT; a command that runs all services uses the one that it starts"`
}

// Mounting configures the path below which a gateway serves the Lambda function.
type Mounting struct {
	BasePath string `env:"BASE_PATH" format:"path" help:"Lambda function: the path before its own in the callers' address, such as /b2b: the mapping of a custom domain or the prefix of a load balancer; the stage of an API Gateway needs none"`
}

// Read sets the fields of the groups, and of the group Deployment, from environment variables. The groups are
// pointers to fields of s. A field keeps its value when the variable has neither a value nor a default. The
// error has a line for each invalid variable, with the name, the value and the allowed values, and a line for
// each setting that is unsafe in production.
func (s *Settings) Read(groups ...any) error {
	var problems []error
	groups = append(groups, &s.Deployment)
	all := reflect.ValueOf(s).Elem()
	// The groups are read in the order of Settings: Deployment depends on Database, and later defaults depend
	// on Deployment.
	for i := range all.NumField() {
		group := all.Field(i)
		if !slices.Contains(groups, group.Addr().Interface()) {
			continue
		}
		for _, v := range variablesOf(group.Type()) {
			if err := v.read(group.FieldByIndex(v.field), s.Env); err != nil {
				problems = append(problems, err)
			}
		}
		switch group := group.Addr().Interface().(type) {
		case *Database:
			problems = append(problems, group.complete()...)
		case *Deployment:
			if group.Env == "" && s.Driver == MySQL {
				group.Env = Production
			}
			group.Env = cmp.Or(group.Env, Development)
		case *JWT:
			if s.Env == Development && group.JWKSURL != "" { // an issuer signs the tokens: drop the public secrets
				group.JWTSecrets = slices.DeleteFunc(group.JWTSecrets, KnownToAll)
			}
		}
	}
	return errors.Join(append(problems, s.productionProblems(groups)...)...)
}

// complete sets the driver, the encryption and the port of the replica where they are not set. It returns an
// error for each pair of settings that contradict each other.
func (d *Database) complete() (problems []error) {
	if d.Driver == "" {
		d.Driver = SQLite
		if d.Host != "" {
			d.Driver = MySQL
		}
	}
	switch {
	case d.TLS != "":
	case d.TLSCA != "":
		d.TLS = "verify"
	case onThisMachine(d.Host) && (d.ReadHost == "" || onThisMachine(d.ReadHost)):
		d.TLS = "off"
	default:
		d.TLS = "preferred"
	}
	if d.Driver == MySQL && d.Host == "" {
		problems = append(problems,
			errors.New(`DB_HOST is ""; allowed: the MySQL server, since DB_DRIVER is mysql`))
	}
	d.ReadPort = cmp.Or(d.ReadPort, d.Port)
	if d.ReadHost != "" && d.Driver != MySQL {
		problems = append(problems,
			fmt.Errorf(`DB_READ_HOST is %q; allowed: nothing, since %s has no replicas`, d.ReadHost, d.Driver))
	}
	if d.TLSCA != "" && d.TLS != "verify" {
		problems = append(problems,
			fmt.Errorf(`DB_TLS is %q; allowed: verify, since DB_TLS_CA is set`, d.TLS))
	}
	return problems
}

func onThisMachine(host string) bool { return host == "localhost" || net.ParseIP(host).IsLoopback() }

// Required returns an error that lists the variables without a value.
func Required(names ...string) error {
	var problems []error
	for _, name := range names {
		if os.Getenv(name) == "" {
			problems = append(problems, fmt.Errorf(`%s is ""; allowed: the value for this deployment`, name))
		}
	}
	return errors.Join(problems...)
}

// LocalAddress returns the address of a service on localhost, with the default port. portVariable names the
// variable of the port; LocalAddress fails when Ports has no variable with this name.
func LocalAddress(portVariable string) (string, error) {
	placeholder := "{" + portVariable + "}"
	port := withPorts(placeholder, noPort)
	if port == placeholder {
		return "", fmt.Errorf("no port has the variable %s", portVariable)
	}
	return "http://localhost:" + port, nil
}

// withPorts replaces each placeholder in a text, such as {ORDERS_PORT}, by a port. The function port returns
// the port that is set for the name or an alias of a variable, or "". For a variable without a set port,
// withPorts takes the variable's default.
func withPorts(text string, port func(spelling string) string) string {
	for _, f := range reflect.VisibleFields(reflect.TypeFor[Ports]()) {
		value, spellings := f.Tag.Get("default"), strings.Split(f.Tag.Get("env"), ",")
		for _, spelling := range slices.Backward(spellings) {
			value = cmp.Or(port(spelling), value)
		}
		text = strings.ReplaceAll(text, "{"+spellings[0]+"}", value)
	}
	return text
}

func noPort(string) string { return "" }

// setPort returns the value of an environment variable that is a port above 0, and otherwise "". With the
// port 0, a service takes a free port, so its port is unknown here.
func setPort(variable string) string {
	if port, err := strconv.Atoi(os.Getenv(variable)); err == nil && port > 0 {
		return strconv.Itoa(port)
	}
	return ""
}

// Variable describes an environment variable.
type Variable struct {
	Name      string
	Aliases   []string
	Default   string            // default in every environment
	DefaultIn map[string]string // default for some environments only; the key is the environment
	Meaning   string            // description, with unit and bounds
	Group     string            // name of the group in Settings
	unit      time.Duration
	from, to  int
	oneOf     []string
	secret    bool
	format    string
	field     []int  // index of the field in its group, for reflect
	pattern   string // Default before its placeholders, such as {ORDERS_PORT}, are replaced by ports
}

// Variables returns all variables, in the order of Settings.
func Variables() (all []Variable) {
	settings := reflect.TypeFor[Settings]()
	for i := range settings.NumField() {
		all = append(all, variablesOf(settings.Field(i).Type)...)
	}
	return all
}

// Secrets returns the names of the variables whose values are secret.
func Secrets() (names []string) {
	for _, v := range Variables() {
		if v.secret {
			names = append(names, v.Name)
		}
	}
	return names
}

func variablesOf(group reflect.Type) (all []Variable) {
	for _, f := range reflect.VisibleFields(group) {
		names := strings.Split(f.Tag.Get("env"), ",")
		v := Variable{Name: names[0], Aliases: names[1:], Default: withPorts(f.Tag.Get("default"), noPort),
			pattern: f.Tag.Get("default"),
			DefaultIn: map[string]string{
				Development: f.Tag.Get(Development), Production: f.Tag.Get(Production)},
			Meaning: f.Tag.Get("help"), Group: group.Name(), unit: units[f.Tag.Get("unit")],
			oneOf: strings.Fields(f.Tag.Get("oneof")), secret: f.Tag.Get("secret") != "",
			format: f.Tag.Get("format"), field: f.Index}
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
		if v.secret {
			v.Meaning += "; or " + v.Name + fileSuffix + ", a file that has it"
		}
		if len(v.Aliases) > 0 {
			v.Meaning += "; " + strings.Join(v.Aliases, ", ") + " is another spelling"
		}
		all = append(all, v)
	}
	return all
}

// fileSuffix ends the name of a variable that has the path of a file, such as JWT_SECRET_FILE for JWT_SECRET.
// Docker and Kubernetes give secrets to a container in such files.
const fileSuffix = "_FILE"

var units = map[string]time.Duration{
	"milliseconds": time.Millisecond, "seconds": time.Second, "minutes": time.Minute, "hours": time.Hour,
	"days": 24 * time.Hour,
}

// DefaultText returns the defaults as a text for tables. The parameter quote is put before and after each
// value.
func (v Variable) DefaultText(quote string) string {
	var all []string
	if v.Default != "" {
		all = append(all, quote+v.Default+quote)
	}
	for _, environment := range []string{Development, Production} {
		if value := v.DefaultIn[environment]; value != "" {
			all = append(all, quote+value+quote+" in "+environment)
		}
	}
	return strings.Join(all, ", ")
}

// formats has the rules that the tag format may name.
var formats = map[string]struct {
	allowed string
	valid   func(string) bool
}{
	"address": {"an address such as https://api.example.com/orders", isAddress},
	"origin": {"sites such as https://shop.example.com, as browsers name them " +
		"(no *, no path, no default port), separated by commas", isOrigin},
	"path":     {"a path such as /b2b or /shop/b2b", basePath.MatchString},
	"ip":       {"localhost or an IP address", isBindAddress},
	"currency": {"a code of ISO 4217 such as EUR", currency.MatchString},
	"name": {"names such as api.example.com, without a port and without *, separated by commas",
		hostName.MatchString},
	"network": {"IP addresses and networks such as 10.0.0.0/8, separated by commas", isNetwork},
}

var (
	currency = regexp.MustCompile(`^[A-Z]{3}$`)
	hostName = regexp.MustCompile(`^[a-z0-9._-]+$`)
	basePath = regexp.MustCompile(`^(?:/[A-Za-z0-9$_.+!*'()~-]+)*/?$`)
	origin   = regexp.MustCompile(`^https?://(?:[a-z0-9._-]+|\[[0-9a-f:]+\])(?::\d+)?$`)
)

// isOrigin reports whether a browser may send s as Origin (RFC 6454, section 6.1): without a path, and
// without the default port of the scheme.
func isOrigin(s string) bool {
	defaultPort := ":443"
	if strings.HasPrefix(s, "http:") {
		defaultPort = ":80"
	}
	return origin.MatchString(s) && !strings.HasSuffix(s, defaultPort)
}

func isBindAddress(s string) bool { return s == "localhost" || net.ParseIP(s) != nil }

func isNetwork(s string) bool {
	_, _, err := net.ParseCIDR(s)
	return err == nil || net.ParseIP(s) != nil
}

func isAddress(s string) bool {
	u, err := url.Parse(s)
	return err == nil && u.Host != "" && (u.Scheme == "http" || u.Scheme == "https")
}

// read parses the value of the variable, or the content of its file, or the default, into the parameter
// field. When the name and an alias are both set, the name takes precedence.
func (v Variable) read(field reflect.Value, environment string) error {
	name, value := v.Name, cmp.Or(withPorts(v.pattern, setPort), v.DefaultIn[environment])
	for _, spelling := range slices.Backward(append([]string{v.Name}, v.Aliases...)) {
		if set := os.Getenv(spelling); set != "" {
			name, value = spelling, set
		}
	}
	invalid := func(allowed string) error { return fmt.Errorf("%s is %q; allowed: %s", name, value, allowed) }
	if file := os.Getenv(v.Name + fileSuffix); v.secret && file != "" {
		if os.Getenv(name) != "" {
			return fmt.Errorf("%s and %s%s are both set; allowed: one of them", name, v.Name, fileSuffix)
		}
		content, err := os.ReadFile(file)
		if err != nil {
			return fmt.Errorf("%s%s cannot be read: %w", v.Name, fileSuffix, err)
		}
		if value = strings.TrimSpace(string(content)); value == "" {
			return fmt.Errorf("%s%s names %s, which is empty; allowed: a file that has the secret",
				v.Name, fileSuffix, file)
		}
	}
	if value == "" {
		return nil
	}
	if len(v.oneOf) > 0 && !slices.Contains(v.oneOf, value) {
		return invalid(strings.Join(v.oneOf, ", "))
	}
	switch field.Interface().(type) {
	case string:
		if f := formats[v.format]; f.valid != nil && !f.valid(value) {
			return invalid(f.allowed)
		}
		if v.format == "address" || v.format == "path" {
			value = strings.TrimSuffix(value, "/")
		}
		field.SetString(value)
	case bool:
		field.SetBool(value == "true")
	case []string:
		entries := strings.FieldsFunc(value, func(r rune) bool { return r == ',' || unicode.IsSpace(r) })
		if len(entries) == 0 {
			return invalid("one or more, separated by commas")
		}
		for _, entry := range entries {
			if f := formats[v.format]; f.valid != nil && !f.valid(entry) {
				return invalid(f.allowed)
			}
		}
		field.Set(reflect.ValueOf(entries))
	case slog.Level:
		return field.Addr().Interface().(*slog.Level).UnmarshalText([]byte(value))
	default: // int, *int, time.Duration
		if field.Type() == reflect.TypeFor[time.Duration]() && v.unit == 0 {
			lifetime, err := Lifetime(value)
			if err != nil {
				return invalid(err.Error())
			}
			field.SetInt(int64(lifetime))
			return nil
		}
		n, err := strconv.Atoi(value)
		if err != nil || n < v.from || n > v.to {
			return invalid(fmt.Sprintf("a whole number from %d to %d", v.from, v.to))
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

// Lifetime parses the lifetime of a token: a Go duration, or days such as 7d, from 1s to 365d. Errors list
// the allowed values.
func Lifetime(text string) (time.Duration, error) {
	lifetime, err := time.ParseDuration(text)
	if days, whole := strings.CutSuffix(text, "d"); whole {
		var n int
		n, err = strconv.Atoi(days)
		lifetime = time.Duration(min(max(n, 0), 366)) * 24 * time.Hour
	}
	if err != nil || lifetime < time.Second || lifetime > 365*24*time.Hour {
		return 0, errors.New("90m, 24h or 7d, from 1s to 365d")
	}
	return lifetime, nil
}
