package system_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"maps"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"go.yaml.in/yaml/v3"

	"example.com/b2b/v2/internal/config"
)

// manifest is an object of Kubernetes, of any kind: a field that the kind does not have is zero.
type manifest struct {
	Kind     string
	Metadata struct{ Name, Namespace string }
	Data     map[string]string
	Secrets  map[string]string `yaml:"stringData"`
	Spec     struct {
		Selector        yaml.Node
		PodSelector     selector `yaml:"podSelector"`
		MinReadySeconds int      `yaml:"minReadySeconds"`
		Strategy        struct {
			RollingUpdate struct {
				MaxUnavailable *int `yaml:"maxUnavailable"`
				MaxSurge       int  `yaml:"maxSurge"`
			} `yaml:"rollingUpdate"`
		}
		Template struct {
			Metadata struct{ Labels map[string]string }
			Spec     podSpec
		}
		Ports []struct {
			Port       int
			TargetPort string `yaml:"targetPort"`
		}
		ScaleTargetRef struct{ Kind, Name string } `yaml:"scaleTargetRef"`
		MinReplicas    int                         `yaml:"minReplicas"`
		MaxReplicas    int                         `yaml:"maxReplicas"`
		PolicyTypes    []string                    `yaml:"policyTypes"`
		Ingress        []policyRule
		Egress         []policyRule
	}
}

type selector struct {
	MatchLabels map[string]string `yaml:"matchLabels"`
}

type policyRule struct {
	Ports    []struct{ Port string }
	From, To []struct {
		PodSelector selector `yaml:"podSelector"`
	}
}

type podSpec struct {
	EnableServiceLinks            *bool `yaml:"enableServiceLinks"`
	AutomountServiceAccountToken  *bool `yaml:"automountServiceAccountToken"`
	TerminationGracePeriodSeconds int   `yaml:"terminationGracePeriodSeconds"`
	SecurityContext               struct {
		RunAsNonRoot   bool                  `yaml:"runAsNonRoot"`
		RunAsUser      int                   `yaml:"runAsUser"`
		FSGroup        int                   `yaml:"fsGroup"`
		SeccompProfile struct{ Type string } `yaml:"seccompProfile"`
	} `yaml:"securityContext"`
	Containers []container
	Volumes    []struct {
		Name     string
		EmptyDir *struct{} `yaml:"emptyDir"`
		Secret   struct {
			SecretName string `yaml:"secretName"`
		}
	}
}

type container struct {
	Image   string
	Args    []string
	EnvFrom []struct {
		ConfigMapRef struct{ Name string } `yaml:"configMapRef"`
	} `yaml:"envFrom"`
	Env   []struct{ Name, Value string }
	Ports []struct {
		Name          string
		ContainerPort int `yaml:"containerPort"`
	}
	StartupProbe    probe `yaml:"startupProbe"`
	LivenessProbe   probe `yaml:"livenessProbe"`
	ReadinessProbe  probe `yaml:"readinessProbe"`
	Resources       struct{ Requests, Limits map[string]string }
	SecurityContext struct {
		AllowPrivilegeEscalation *bool `yaml:"allowPrivilegeEscalation"`
		ReadOnlyRootFilesystem   bool  `yaml:"readOnlyRootFilesystem"`
		Capabilities             struct{ Drop []string }
	} `yaml:"securityContext"`
	VolumeMounts []struct {
		Name      string
		MountPath string `yaml:"mountPath"`
	} `yaml:"volumeMounts"`
}

type probe struct {
	HTTPGet struct{ Path, Port string } `yaml:"httpGet"`
}

// manifests are the objects in deploy/kubernetes, by kind and name, such as "Service/orders-api".
type manifests map[string]manifest

func readManifests(t *testing.T) manifests {
	t.Helper()
	folder := filepath.Join(root, "deploy", "kubernetes")
	files, err := filepath.Glob(filepath.Join(folder, "*.yaml"))
	examples, err2 := filepath.Glob(filepath.Join(folder, "example", "*.yaml"))
	if err := errors.Join(err, err2); err != nil {
		t.Fatal(err)
	}
	all := manifests{}
	for _, file := range slices.Concat(files, examples) {
		content, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		for decoder := yaml.NewDecoder(bytes.NewReader(content)); ; {
			var m manifest
			if err := decoder.Decode(&m); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Fatalf("%s: %v", file, err)
			}
			if m.Metadata.Namespace != "b2b" && m.Kind != "Namespace" {
				t.Errorf("%s: %s %s is in namespace %q", file, m.Kind, m.Metadata.Name, m.Metadata.Namespace)
			}
			all[m.Kind+"/"+m.Metadata.Name] = m
		}
	}
	return all
}

// environment returns the variables of a container. The test fails for a ConfigMap that is missing, for a
// variable that internal/config does not have, and for a file of a secret that no volume of the pod has.
func (all manifests) environment(t *testing.T, pod podSpec) map[string]string {
	t.Helper()
	c := pod.Containers[0]
	env := map[string]string{}
	for _, from := range c.EnvFrom {
		m, ok := all["ConfigMap/"+from.ConfigMapRef.Name]
		if !ok {
			t.Errorf("the ConfigMap %s is missing", from.ConfigMapRef.Name)
		}
		maps.Copy(env, m.Data)
	}
	for _, v := range c.Env {
		env[v.Name] = v.Value
	}
	for name, value := range env {
		variable, isFile := strings.CutSuffix(name, "_FILE")
		if !isVariable(variable) {
			t.Errorf("%s is no variable of internal/config", name)
		} else if isFile && !all.hasSecret(pod, value) {
			t.Errorf("no volume of a Secret of the example brings %s=%s", name, value)
		}
	}
	return env
}

// hasSecret reports whether a volume of the pod has the file, as a key of a Secret.
func (all manifests) hasSecret(pod podSpec, file string) bool {
	for _, mount := range pod.Containers[0].VolumeMounts {
		key, below := strings.CutPrefix(file, mount.MountPath+"/")
		for _, volume := range pod.Volumes {
			secret := all["Secret/"+volume.Secret.SecretName]
			if _, ok := secret.Secrets[key]; ok && below && volume.Name == mount.Name {
				return true
			}
		}
	}
	return false
}

// forProcess turns the environment of a container into the environment of a process on this machine. The
// process uses an SQLite database and a new file for each secret, and no port for operators.
func forProcess(t *testing.T, env map[string]string, database string) (all []string) {
	t.Helper()
	for name, value := range env {
		if strings.HasSuffix(name, "_FILE") {
			value = filepath.Join(t.TempDir(), "secret")
			if err := os.WriteFile(value, []byte(name+strings.Repeat("s", 40)), 0o600); err != nil {
				t.Fatal(err)
			}
		}
		if name != "OPS_PORT" && name != "OPS_ADDRESS" {
			all = append(all, name+"="+value)
		}
	}
	return append(all, "DB_DRIVER=sqlite", "DB_PATH="+database, "PORT=0")
}

// TestKubernetes compares the manifests of deploy/kubernetes with the program, without a cluster. Every
// service must have its Deployment and the objects around it. Their ports, variables and times must suit the
// program. Every service must start with the variables of its container.
func TestKubernetes(t *testing.T) {
	all := readManifests(t)
	version := nextVersion(t)
	// workloads has the objects that run b2b, by command. The connections begin with 10 for commands and
	// people.
	workloads, connections := map[string]manifest{}, 10
	for name, m := range all {
		if pod := m.Spec.Template.Spec; len(pod.Containers) > 0 {
			workloads[strings.Join(pod.Containers[0].Args, " ")] = m
			t.Run(name, func(t *testing.T) { wantRestricted(t, pod, "b2b:"+version) })
		}
	}
	for variable, command := range servicePorts() {
		t.Run(command, func(t *testing.T) {
			m, ok := workloads[command]
			if !ok {
				t.Fatalf("deploy/kubernetes has no Deployment that runs b2b %s, which has the variable %s",
					command, variable)
			}
			name, pod := m.Metadata.Name, m.Spec.Template.Spec
			env := all.environment(t, pod)
			all.wantAround(t, name, pod, defaultOf(variable))
			all.wantPolicies(t, name, env, neededPeers[command])
			if least := drainsFor(t, env); pod.TerminationGracePeriodSeconds <= int(least.Seconds()) {
				t.Errorf("is killed after %d s, drains for %s", pod.TerminationGracePeriodSeconds, least)
			}
			update := m.Spec.Strategy.RollingUpdate
			if update.MaxUnavailable == nil || *update.MaxUnavailable != 0 || update.MaxSurge < 1 {
				t.Errorf("a rolling update takes away pods before new ones are ready: %+v", update)
			}
			if env["DB_HOST"] != "" {
				n, err := strconv.Atoi(env["DB_MAX_CONNECTIONS"])
				if err != nil || env["MIGRATE_ON_START"] != "false" {
					t.Errorf("DB_MAX_CONNECTIONS: %v; MIGRATE_ON_START is %q, want false, since the Job migrates",
						err, env["MIGRATE_ON_START"])
				}
				// In a rolling update, a further pod starts MinReadySeconds after the pod before it. If an
				// old pod takes at most this time to end, at most 2*MaxSurge pods run besides the pods of the
				// Deployment.
				if m.Spec.MinReadySeconds < pod.TerminationGracePeriodSeconds {
					t.Errorf("the next pod starts after %d s, while the last one may take %d s to end",
						m.Spec.MinReadySeconds, pod.TerminationGracePeriodSeconds)
				}
				connections += n * (all["HorizontalPodAutoscaler/"+name].Spec.MaxReplicas + 2*update.MaxSurge)
			}
			start(t, forProcess(t, env, migratedFile(t)), command)
		})
	}
	t.Run("migrate", func(t *testing.T) {
		m, ok := workloads["migrate"]
		want := "migrate-" + strings.ReplaceAll(version, ".", "-")
		if !ok || m.Kind != "Job" || m.Metadata.Name != want {
			t.Fatalf("%s %s runs b2b migrate, want Job %s", m.Kind, m.Metadata.Name, want)
		}
		env := all.environment(t, m.Spec.Template.Spec)
		if env["DB_USER"] == all["ConfigMap/b2b-database"].Data["DB_USER"] {
			t.Error("the services could change the schema")
		}
		process := forProcess(t, env, filepath.Join(t.TempDir(), "b2b.db"))
		if out, err := execute(t, process, "migrate"); err != nil {
			t.Errorf("%v %s", err, out)
		}
		all.wantPolicies(t, "migrate", env, nil)
	})
	section := sectionOf(t, page(t, "docs/operations.md"), "## Kubernetes")
	if want := fmt.Sprintf("`max_connections` must be %d or more", connections); !strings.Contains(section, want) {
		t.Errorf("docs/operations.md does not say in Kubernetes that %s", want)
	}
	policy := all["NetworkPolicy/default"].Spec
	if len(policy.PolicyTypes) != 2 || policy.PodSelector.MatchLabels != nil || policy.Ingress != nil {
		t.Errorf("the default policy lets calls in, or is not for all pods: %+v", policy)
	}
}

// nextVersion returns the first version in CHANGELOG.md.
func nextVersion(t *testing.T) string {
	t.Helper()
	return regexp.MustCompile(`(?m)^## ([0-9.]+)`).FindStringSubmatch(page(t, "CHANGELOG.md"))[1]
}

func defaultOf(variable string) string {
	for _, v := range config.Variables() {
		if v.Name == variable {
			return v.Default
		}
	}
	return ""
}

// wantRestricted checks that a pod meets the level "restricted" of Kubernetes, and that its root file system
// is read-only. It also checks the resources and the image of the container.
func wantRestricted(t *testing.T, pod podSpec, image string) {
	c, s := pod.Containers[0], pod.SecurityContext
	own := c.SecurityContext
	if own.AllowPrivilegeEscalation == nil || *own.AllowPrivilegeEscalation || !own.ReadOnlyRootFilesystem ||
		!slices.Equal(own.Capabilities.Drop, []string{"ALL"}) {
		t.Errorf("the container may escalate, write its root, or has capabilities: %+v", own)
	}
	if !s.RunAsNonRoot || s.RunAsUser != 65532 || s.FSGroup != 65532 ||
		s.SeccompProfile.Type != "RuntimeDefault" {
		t.Errorf("security context of the pod: %+v", s)
	}
	if links := pod.EnableServiceLinks; links == nil || *links {
		t.Error("Kubernetes sets variables such as ORCHESTRATOR_PORT")
	}
	if token := pod.AutomountServiceAccountToken; token == nil || *token {
		t.Error("the pod gets a token of Kubernetes, which it does not need")
	}
	r := c.Resources
	if r.Limits["memory"] == "" || r.Requests["cpu"] == "" || r.Requests["memory"] == "" {
		t.Errorf("resources %v", r)
	}
	if c.Image != image {
		t.Errorf("image %s, want %s, of the first version in CHANGELOG.md", c.Image, image)
	}
}

// wantAround checks the ports, the probes and the folder for temporary files of a service's pods. It also
// checks the Deployment, the Service, the PodDisruptionBudget and the HorizontalPodAutoscaler of the service.
func (all manifests) wantAround(t *testing.T, name string, pod podSpec, port string) {
	c := pod.Containers[0]
	ports := map[string]int{}
	for _, p := range c.Ports {
		ports[p.Name] = p.ContainerPort
	}
	env := all.environment(t, pod)
	if strconv.Itoa(ports["http"]) != port || strconv.Itoa(ports["operators"]) != env["OPS_PORT"] ||
		len(ports) != 2 {
		t.Errorf("ports %v, but the service listens on %s and %s", ports, port, env["OPS_PORT"])
	}
	for path, probes := range map[string][]probe{
		"/health": {c.StartupProbe, c.LivenessProbe}, "/ready": {c.ReadinessProbe},
	} {
		for _, p := range probes {
			if p.HTTPGet.Path != path || p.HTTPGet.Port != "http" {
				t.Errorf("probe %+v, want %s", p, path)
			}
		}
	}
	hasTemporary := false
	for _, mount := range c.VolumeMounts {
		for _, volume := range pod.Volumes {
			hasTemporary = hasTemporary ||
				mount.MountPath == "/tmp" && volume.Name == mount.Name && volume.EmptyDir != nil
		}
	}
	if !hasTemporary {
		t.Error("imports have no place for their files")
	}
	selects := func(kind string) map[string]string {
		spec := all[kind+"/"+name].Spec
		var s selector
		if kind == "Service" {
			_ = spec.Selector.Decode(&s.MatchLabels)
		} else {
			_ = spec.Selector.Decode(&s)
		}
		return s.MatchLabels
	}
	for _, kind := range []string{"Deployment", "Service", "PodDisruptionBudget"} {
		if labels := selects(kind); len(labels) != 1 || labels[nameLabel] != name {
			t.Errorf("%s %s is missing, or selects %v", kind, name, labels)
		}
	}
	if label := all["Deployment/"+name].Spec.Template.Metadata.Labels[nameLabel]; label != name {
		t.Errorf("the pods have the label %s", label)
	}
	published := all["Service/"+name].Spec.Ports
	if len(published) != 1 || strconv.Itoa(published[0].Port) != port || published[0].TargetPort != "http" {
		t.Errorf("the Service has the ports %v, want %s", published, port)
	}
	scaler := all["HorizontalPodAutoscaler/"+name].Spec
	if scaler.ScaleTargetRef.Kind != "Deployment" || scaler.ScaleTargetRef.Name != name ||
		scaler.MinReplicas < 2 {
		t.Errorf("HorizontalPodAutoscaler %s is missing, or %+v", name, scaler.ScaleTargetRef)
	}
}

const nameLabel = "app.kubernetes.io/name"

// wantPolicies checks that the network policies let a pod reach its database and the services that it calls.
func (all manifests) wantPolicies(t *testing.T, name string, env map[string]string, peers []string) {
	policy := all["NetworkPolicy/"+name].Spec
	if policy.PodSelector.MatchLabels[nameLabel] != name || len(policy.PolicyTypes) != 2 {
		t.Errorf("NetworkPolicy %s is missing, or not for its pods: %v", name, policy.PolicyTypes)
	}
	reaches := func(rules []policyRule, port, pod string) bool {
		return slices.ContainsFunc(rules, func(r policyRule) bool {
			ends := slices.Concat(r.From, r.To)
			hasPort := len(r.Ports) == 1 && r.Ports[0].Port == port
			for _, end := range ends {
				if hasPort && pod != "" && end.PodSelector.MatchLabels[nameLabel] == pod {
					return true
				}
			}
			return hasPort && pod == "" && len(ends) == 0
		})
	}
	if database := env["DB_HOST"] != ""; database != reaches(policy.Egress, "3306", "") {
		t.Errorf("a database: %v, and the policy allows %+v", database, policy.Egress)
	}
	for _, variable := range peers {
		u, err := url.Parse(env[variable])
		if err != nil {
			t.Fatal(err)
		}
		peer := all["Service/"+u.Hostname()].Spec
		if len(peer.Ports) == 0 || strconv.Itoa(peer.Ports[0].Port) != u.Port() {
			t.Fatalf("%s=%s is the address of no Service", variable, u)
		}
		if !reaches(policy.Egress, u.Port(), u.Hostname()) ||
			!reaches(all["NetworkPolicy/"+u.Hostname()].Spec.Ingress, "http", name) {
			t.Errorf("the policies do not let %s call %s", name, u)
		}
	}
}
