package system_test

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"maps"
	"net"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/config"
)

const root = "../.."

// composeFile is docker-compose.yml, or an overlay of this file.
type composeFile struct {
	Services map[string]composeService
	Volumes  map[string]any
}

type composeService struct {
	Image           string
	Build           struct{ Context string }
	Command         []string
	Environment     map[string]string
	Ports           []string
	Volumes         []string
	StopGracePeriod time.Duration                         `yaml:"stop_grace_period"`
	DependsOn       map[string]struct{ Condition string } `yaml:"depends_on"`
	Healthcheck     struct{ Test []string }
	ReadOnly        bool     `yaml:"read_only"`
	CapDrop         []string `yaml:"cap_drop"`
	SecurityOpt     []string `yaml:"security_opt"`
	Tmpfs           []string
	Deploy          struct {
		Resources struct{ Limits map[string]string }
	}
}

// containerPorts returns the ports in the container. Unless a variable says otherwise, each port must be
// published under the same number, and on this machine only.
func (s composeService) containerPorts(t *testing.T) []string {
	t.Helper()
	var ports []string
	for _, published := range s.Ports {
		parts := strings.Split(published, ":")
		port := parts[len(parts)-1]
		if len(parts) != 3 || parts[0] != "127.0.0.1" || parts[1] != port {
			t.Errorf("port %s is published as another, or to other machines", published)
		}
		ports = append(ports, port)
	}
	return ports
}

// withDefault matches a variable with its default in a compose file, such as ${LOG_LEVEL:-info}.
var withDefault = regexp.MustCompile(`\$\{(\w+):-([^}]*)\}`)

// readCompose reads a compose file in the way of Docker, with the defaults of all variables. It fails the
// test for a variable that is neither in internal/config nor in the parameter others.
func readCompose(t *testing.T, name string, others ...string) (file composeFile) {
	t.Helper()
	text := page(t, name)
	for _, v := range withDefault.FindAllStringSubmatch(text, -1) {
		if !isVariable(v[1]) && !slices.Contains(others, v[1]) {
			t.Errorf("%s is no variable of internal/config", v[0])
		}
	}
	if err := yaml.Unmarshal([]byte(withDefault.ReplaceAllString(text, "$2")), &file); err != nil {
		t.Fatal(err)
	}
	return file
}

// wantHardened checks that a container has a read-only file system and no capabilities, and limits of
// processor, memory and processes.
func (s composeService) wantHardened(t *testing.T) {
	t.Helper()
	if !s.ReadOnly || !slices.Equal(s.CapDrop, []string{"ALL"}) ||
		!slices.Equal(s.SecurityOpt, []string{"no-new-privileges:true"}) {
		t.Errorf("read-only %v, without the capabilities %v, %v", s.ReadOnly, s.CapDrop, s.SecurityOpt)
	}
	for _, limit := range []string{"cpus", "memory", "pids"} {
		if s.Deploy.Resources.Limits[limit] == "" {
			t.Errorf("no limit of %s", limit)
		}
	}
}

// TestCompose compares docker-compose.yml with the program, without a Docker engine.
func TestCompose(t *testing.T) {
	file := readCompose(t, "docker-compose.yml", "MYSQL_ROOT_PASSWORD")
	mysql := file.Services["mysql"]
	if mysql.Image != "mysql:8.4" || !strings.Contains(fmt.Sprint(mysql.Healthcheck.Test), "mysqladmin ping") ||
		mysql.Deploy.Resources.Limits["memory"] == "" {
		t.Errorf("mysql: image %s, health check %v", mysql.Image, mysql.Healthcheck.Test)
	}
	if volume, _, _ := strings.Cut(strings.Join(mysql.Volumes, " "), ":"); volume != "mysql_data" ||
		len(file.Volumes) != 1 {
		t.Errorf("mysql keeps its data in %v, of the volumes %v", mysql.Volumes, file.Volumes)
	} else if _, ok := file.Volumes[volume]; !ok {
		t.Errorf("volume %s is not declared", volume)
	}
	for variable, command := range servicePorts() {
		runs := func(s composeService) bool { return slices.Equal(s.Command, []string{command}) }
		if !slices.ContainsFunc(slices.Collect(maps.Values(file.Services)), runs) {
			t.Errorf("no container runs b2b %s, which has the variable %s", command, variable)
		}
	}
	databases, builds := map[string]bool{}, 0
	for name, s := range file.Services {
		t.Run(name, func(t *testing.T) {
			for needed, how := range s.DependsOn {
				n, ok := file.Services[needed]
				oneShot := len(n.Command) > 0 && len(n.Ports) == 0
				if !ok || oneShot != (how.Condition == "service_completed_successfully") ||
					!oneShot && (how.Condition != "service_healthy" || n.Healthcheck.Test == nil) {
					t.Errorf("waits for %s to be %s", needed, how.Condition)
				}
			}
			ports := s.containerPorts(t)
			if name == "mysql" {
				if !slices.Equal(ports, []string{"3306"}) {
					t.Errorf("ports %v", ports)
				}
				return
			}
			if s.Build.Context == "." {
				builds++
			}
			s.wantHardened(t)
			if len(s.Tmpfs) != 1 || !strings.HasPrefix(s.Tmpfs[0], "/tmp:size=") {
				t.Errorf("imports have no place for their files: %v", s.Tmpfs)
			}
			env := []string{"DB_PATH=" + filepath.Join(t.TempDir(), "b2b.db")}
			port := "" // port of the service
			for _, v := range config.Variables() {
				if servicePorts()[v.Name] == s.Command[0] {
					port = cmp.Or(s.Environment[v.Name], v.Default)
				}
				t.Setenv(v.Name, s.Environment[v.Name])
				_, passed := s.Environment[v.Name]
				unused := slices.Contains(keptOut, v.Name) || strings.HasSuffix(v.Name, "_PORT") ||
					strings.HasSuffix(v.Name, "_API_BASE") || s.Command[0] == "orchestrator" && isDatabase(v)
				if !passed && !unused {
					t.Errorf("%s never reaches the container", v.Name)
				}
			}
			for v := range s.Environment {
				env = append(env, v+"="+s.Environment[v])
				if !isVariable(v) {
					t.Errorf("%s is no variable of internal/config", v)
				}
			}
			if len(s.Command) != 1 {
				t.Fatalf("command %v", s.Command)
			}
			var cfg config.Settings
			err := cfg.Read(
				&cfg.Database, &cfg.Access, &cfg.JWT, &cfg.Issuing, &cfg.Serving, &cfg.Listening, &cfg.Stopping,
			)
			if err != nil {
				t.Fatal(err)
			}
			if s.Image != "b2b" || s.Command[0] != "orchestrator" && cfg.Driver != "mysql" {
				t.Errorf("image %s, database %s", s.Image, cfg.Driver)
			}
			if d := cfg.Database; d.Driver == "mysql" {
				databases[d.Name] = true
				e := mysql.Environment
				if d.Host != "mysql" || d.Port != 3306 || d.User != e["MYSQL_USER"] ||
					d.Password != e["MYSQL_PASSWORD"] || d.Name != e["MYSQL_DATABASE"] {
					t.Errorf("%+v differs from the settings of mysql: %v", d, e)
				}
			}
			if ip := net.ParseIP(cfg.BindAddress); ip == nil || !ip.IsUnspecified() {
				t.Errorf("listens at %q, which no connection from outside the container reaches", cfg.BindAddress)
			}
			if port != "" && !slices.Equal(ports, []string{port}) {
				t.Errorf("publishes %v, listens on %s", ports, port)
			}
			if least := drainsFor(t, s.Environment); port != "" && s.StopGracePeriod <= least {
				t.Errorf("is killed after %s, drains for %s", s.StopGracePeriod, least)
			}
			peers := map[string]string{"CUSTOMERS_API_BASE": "customers", "ORDERS_API_BASE": "orders"}
			for _, variable := range neededPeers[s.Command[0]] {
				u, err := url.Parse(s.Environment[variable])
				if err != nil {
					t.Fatal(err)
				}
				peer := file.Services[u.Hostname()]
				if !slices.Equal(peer.Command, []string{peers[variable]}) ||
					!slices.Equal(peer.containerPorts(t), []string{u.Port()}) {
					t.Errorf("%s=%s is not the address of that service", variable, u)
				}
			}

			// Each command must start in the environment of its container, but with SQLite; a service must
			// then answer.
			env = append(env, "DB_DRIVER=sqlite", "MIGRATE_ON_START=true", "PORT=0")
			if len(s.Ports) > 0 {
				p := start(t, env, s.Command...)
				if !slices.Equal(s.Healthcheck.Test, []string{"CMD", "/usr/local/bin/b2b", "health"}) {
					t.Errorf("health check %v", s.Healthcheck.Test)
				}
				env = append(env, "PORT="+p.base[strings.LastIndex(p.base, ":")+1:])
				// The orchestrator cannot be ready: the containers that it calls do not run here.
				if _, err := execute(t, env, "health"); (err == nil) != (s.Command[0] != "orchestrator") {
					t.Errorf("b2b health: %v", err)
				}
			} else if out, err := execute(t, append(env, "DB_PATH="+migratedFile(t)), s.Command...); err != nil {
				t.Errorf("b2b %s: %v %s", s.Command[0], err, out)
			}
		})
	}
	if len(databases) != 1 || builds != 1 {
		t.Errorf("%d databases, %d services that build the image; want one each", len(databases), builds)
	}
}

// neededPeers lists the variables with the addresses of the services that a service calls. The key is the
// command of the calling service.
var neededPeers = map[string][]string{
	"orders":       {"CUSTOMERS_API_BASE"},
	"orchestrator": {"CUSTOMERS_API_BASE", "ORDERS_API_BASE"},
}

// drainsFor returns the longest time for which a service in production runs after SIGTERM, when it has the
// variables in env.
func drainsFor(t *testing.T, env map[string]string) time.Duration {
	t.Helper()
	t.Setenv("APP_ENV", config.Production)
	t.Setenv("DRAIN_DELAY_SECONDS", env["DRAIN_DELAY_SECONDS"])
	t.Setenv("SHUTDOWN_TIMEOUT_SECONDS", env["SHUTDOWN_TIMEOUT_SECONDS"])
	var cfg config.Settings
	if err := cfg.Read(&cfg.Stopping); err != nil {
		t.Fatal(err)
	}
	return cfg.DrainDelay + cfg.ShutdownTimeout
}

// TestObserve compares the overlay deploy/compose/observe.yml with docker-compose.yml. Prometheus must read
// the metrics of every service, and every service must send its traces to Jaeger.
func TestObserve(t *testing.T) {
	services := readCompose(t, "docker-compose.yml", "MYSQL_ROOT_PASSWORD").Services
	overlay := readCompose(t, "deploy/compose/observe.yml", "PROMETHEUS_PORT", "JAEGER_PORT")
	var prometheus struct {
		RuleFiles []string `yaml:"rule_files"`
		Scrapes   []struct {
			Name    string                       `yaml:"job_name"`
			Configs []struct{ Targets []string } `yaml:"static_configs"`
		} `yaml:"scrape_configs"`
	}
	if err := yaml.Unmarshal([]byte(page(t, "deploy/compose/prometheus.yml")), &prometheus); err != nil {
		t.Fatal(err)
	}
	if len(prometheus.Scrapes) != 1 || prometheus.Scrapes[0].Name != "b2b" {
		t.Fatalf("scrapes %+v", prometheus.Scrapes)
	}
	var targets []string
	for name, s := range services {
		if name == "mysql" || len(s.Ports) == 0 {
			continue
		}
		env := overlay.Services[name].Environment
		targets = append(targets, name+":"+env["OPS_PORT"])
		ip := net.ParseIP(env["OPS_ADDRESS"])
		if ip == nil || !ip.IsUnspecified() || env["OTEL_SERVICE_NAME"] != name ||
			env["OTEL_EXPORTER_OTLP_ENDPOINT"] != "http://jaeger:4318" {
			t.Errorf("%s is not observed: %v", name, env)
		}
		for variable := range env {
			if !isVariable(variable) && !strings.HasPrefix(variable, "OTEL_") {
				t.Errorf("%s is no variable of internal/config", variable)
			}
		}
	}
	slices.Sort(targets)
	read := slices.Sorted(slices.Values(prometheus.Scrapes[0].Configs[0].Targets))
	if !slices.Equal(read, targets) {
		t.Errorf("Prometheus reads %v, want %v", read, targets)
	}
	watchers := 0
	for name, s := range overlay.Services {
		if _, ok := services[name]; ok {
			continue
		}
		watchers++
		t.Run(name, func(t *testing.T) {
			s.wantHardened(t)
			s.containerPorts(t)
			for _, volume := range s.Volumes {
				from, _, _ := strings.Cut(volume, ":")
				_, named := overlay.Volumes[from]
				if _, err := os.Stat(filepath.Join(root, from)); err != nil && !named {
					t.Errorf("%s is missing", from)
				}
			}
		})
	}
	mounts := fmt.Sprint(overlay.Services["prometheus"].Volumes)
	rules := "./deploy/prometheus/rules.yml:/etc/prometheus/" + strings.Join(prometheus.RuleFiles, "")
	if watchers != 2 || !strings.Contains(mounts, rules) {
		t.Errorf("%d containers watch, Prometheus with the files %s", watchers, mounts)
	}
}

// keptOut lists the variables that the containers do not need. Each container runs a single service on MySQL;
// no container runs client commands or the Lambda function.
var keptOut = []string{"PORT", "DB_DRIVER", "DB_PATH", "B2B_TOKEN", "BASE_PATH"}

func isDatabase(v config.Variable) bool { return v.Group == "Database" || v.Group == "Migration" }

// migratedFile returns the path of a new, migrated SQLite database.
func migratedFile(t *testing.T) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "b2b.db")
	if out, err := execute(t, []string{"DB_PATH=" + path}, "migrate"); err != nil {
		t.Fatalf("%v %s", err, out)
	}
	return path
}

func isVariable(name string) bool {
	return slices.ContainsFunc(config.Variables(), func(v config.Variable) bool { return v.Name == name })
}

// TestDockerfile runs the commands of the build stage, on the files that Docker would get from a fresh clone.
func TestDockerfile(t *testing.T) {
	text, err := os.ReadFile(filepath.Join(root, "Dockerfile"))
	if err != nil {
		t.Fatal(err)
	}
	goVersion, err := exec.Command("go", "list", "-m", "-f", "{{.GoVersion}}").Output()
	if err != nil {
		t.Fatal(err)
	}
	build, final, _ := strings.Cut(strings.ReplaceAll(string(text), "\\\n", " "), "\n\n")
	image := regexp.MustCompile(`(?m)^FROM --platform=\$BUILDPLATFORM golang:(\S+) AS build$`).FindStringSubmatch(build)
	if image == nil || !strings.HasPrefix(string(goVersion), image[1]+".") {
		t.Errorf("builds with %v, go.mod needs %s", image, goVersion)
	}
	copied := regexp.MustCompile(`(?m)^COPY --from=build /src/(\S+) (\S+)$`).FindStringSubmatch(final)
	if copied == nil || !strings.Contains(build, "\nWORKDIR /src\n") ||
		!strings.Contains(final, fmt.Sprintf("\nENTRYPOINT [%q]\n", copied[2])) {
		t.Fatalf("the image does not run the built program: %v", copied)
	}
	if !regexp.MustCompile(fmt.Sprintf(`\nHEALTHCHECK .* CMD \["%s", "health"\]\n`, copied[2])).MatchString(final) {
		t.Error("the image has no HEALTHCHECK by b2b health")
	}
	exposed := strings.Fields(regexp.MustCompile(`(?m)^EXPOSE .*$`).FindString(final))
	for _, v := range config.Variables() {
		if servicePorts()[v.Name] != "" && !slices.Contains(exposed, v.Default) {
			t.Errorf("the port %s of %s is not exposed", v.Default, v.Name)
		}
	}
	if !strings.Contains(final, "\nENV BIND_ADDRESS=0.0.0.0\n") {
		t.Error("no connection from outside reaches a container that runs alone")
	}
	commands := regexp.MustCompile(`(?m)^RUN (?:--mount=\S+\s+)*(.+)$`).FindAllStringSubmatch(build, -1)

	dir := buildContext(t)
	for _, command := range commands {
		cmd := exec.Command("sh", "-c", command[1])
		// Docker passes build arguments as environment variables.
		cmd.Dir, cmd.Env = dir, append(os.Environ(), "VERSION=7.8.9")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", command[1], err, out)
		}
	}
	if out, err := exec.Command(filepath.Join(dir, copied[1]), "--version").Output(); err != nil ||
		string(out) != "b2b 7.8.9\n" {
		t.Errorf("--version: %v %s", err, out)
	}
	help, err := exec.Command(filepath.Join(dir, copied[1]), "--help").Output()
	if err != nil || !strings.HasPrefix(string(help), "b2b runs the B2B order-management system.") {
		t.Errorf("--help: %v\n%s", err, help)
	}
}

// buildContext returns a copy of the files that git tracks or would add, without the files of .dockerignore.
func buildContext(t *testing.T) string {
	list := exec.Command("git", "ls-files", "-co", "--exclude-standard", "-z")
	list.Dir = root
	files, err := list.Output()
	if err != nil {
		t.Skipf("needs the git checkout: %v", err)
	}
	ignored, err := os.ReadFile(filepath.Join(root, ".dockerignore"))
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	for file := range strings.SplitSeq(strings.TrimSuffix(string(files), "\x00"), "\x00") {
		isIn := func(folder string) bool { return strings.HasPrefix(file+"/", folder+"/") }
		if slices.ContainsFunc(strings.Fields(string(ignored)), isIn) {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, file))
		if errors.Is(err, fs.ErrNotExist) {
			continue // git still lists a file that is deleted in the folder, but not in the index
		}
		to := filepath.Join(dir, file)
		if err := errors.Join(err, os.MkdirAll(filepath.Dir(to), 0o755), os.WriteFile(to, text, 0o644)); err != nil {
			t.Fatal(err)
		}
	}
	return dir
}
