// Package functiontest runs programs as AWS Lambda functions, in tests. With the variable
// TEST_LAMBDA_EMULATOR, the path of AWS's Runtime Interface Emulator, functions run in the emulator.
// Otherwise they run on a small stand-in of the Runtime API.
package functiontest

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"example.com/b2b/v2/internal/web/webtest"
)

// Bootstrap is the path of the program that Main has built.
var Bootstrap string

// emulator returns the path of the Runtime Interface Emulator, or "" for the stand-in.
func emulator() string { return os.Getenv("TEST_LAMBDA_EMULATOR") }

// Main builds the program of the package under test as `make lambda` does, but for this machine, and runs the
// tests.
func Main(m *testing.M) {
	dir, err := os.MkdirTemp("", "lambda")
	if err != nil {
		panic(err)
	}
	Bootstrap = filepath.Join(dir, "bootstrap")
	code := 1
	if err := build(".", Bootstrap); err != nil {
		fmt.Fprintln(os.Stderr, err)
	} else {
		code = m.Run()
	}
	_ = os.RemoveAll(dir)
	os.Exit(code)
}

// Build builds the program of the package pkg with the same settings as Main, and returns the program's path.
func Build(t testing.TB, pkg string) string {
	t.Helper()
	program := filepath.Join(t.TempDir(), "bootstrap")
	if err := build(pkg, program); err != nil {
		t.Fatal(err)
	}
	return program
}

func build(pkg, program string) error {
	build := exec.Command("go", "build", "-tags", "nomsgpack,lambda.norpc", "-o", program, pkg)
	build.Env = append(os.Environ(), "CGO_ENABLED=0")
	if out, err := build.CombinedOutput(); err != nil {
		return fmt.Errorf("%s: %w: %s", pkg, err, out)
	}
	return nil
}

// Function is a running function.
type Function struct {
	mu     sync.Mutex // a function answers one event at a time
	invoke func(event []byte) Result
	log    *output
	root   int // process id of the function, or of the emulator that starts the function
	end    func()
}

// Result is the function's result for an event.
type Result struct {
	Failed bool // the function has returned an error, or has ended
	Body   []byte
}

// timeLimit is the variable with the time limit of an invocation, in seconds. The emulator reads it.
const timeLimit = "AWS_LAMBDA_FUNCTION_TIMEOUT"

// Start runs the program as a function until the test ends. The test fails when the log shows a secret or
// personal data.
func Start(t testing.TB, program string, variables ...string) *Function {
	log := new(output)
	f := &Function{log: log}
	variables = append([]string{timeLimit + "=28"}, variables...)
	if emulator() != "" {
		f.emulate(t, program, variables, log)
	} else {
		f.standIn(t, program, variables, log)
	}
	stop := f.end
	f.end = sync.OnceFunc(func() {
		stop()
		webtest.WantNoLeak(t, log.Bytes())
		if t.Failed() {
			t.Logf("the function's log:\n%s", log.Bytes())
		}
	})
	t.Cleanup(f.end)
	return f
}

// End ends the function before the end of the test.
func (f *Function) End() { f.end() }

// Log returns the log of the function so far.
func (f *Function) Log() string { return string(f.log.Bytes()) }

// Invoke returns the function's result for an event.
func (f *Function) Invoke(t testing.TB, event any) Result {
	t.Helper()
	raw, err := json.Marshal(event)
	if err != nil {
		t.Fatal(err)
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.invoke(raw)
}

// Bytes returns the resident memory of the function, in bytes. It needs the /proc of Linux.
func (f *Function) Bytes(t testing.TB) int {
	t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", f.Process(t).Pid))
	if err != nil {
		t.Fatal(err)
	}
	for line := range strings.Lines(string(status)) {
		if kilobytes, found := strings.CutPrefix(line, "VmRSS:"); found {
			n, _ := strconv.Atoi(strings.Fields(kilobytes)[0])
			return n * 1024
		}
	}
	t.Fatalf("no VmRSS in %s", status)
	return 0
}

// Process returns the function's process.
func (f *Function) Process(t testing.TB) *os.Process {
	t.Helper()
	id := f.root
	if emulator() != "" {
		id = childOf(t, id)
	}
	process, err := os.FindProcess(id)
	if err != nil {
		t.Fatal(err)
	}
	return process
}

func childOf(t testing.TB, parent int) int {
	t.Helper()
	tasks, _ := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", parent))
	for _, task := range tasks {
		if children, _ := os.ReadFile(task); len(children) > 0 {
			child, _ := strconv.Atoi(strings.Fields(string(children))[0])
			return child
		}
	}
	t.Fatal("the emulator has no child")
	return 0
}

// standIn runs the program on a small Runtime API: see
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html.
func (f *Function) standIn(t testing.TB, program string, variables []string, log io.Writer) {
	seconds := 0
	for _, v := range variables { // the last value of a variable counts
		if value, found := strings.CutPrefix(v, timeLimit+"="); found {
			seconds, _ = strconv.Atoi(value)
		}
	}
	events, results := make(chan []byte), make(chan Result, 1)
	over, exited := make(chan struct{}), make(chan struct{})
	const prefix = "/2018-06-01/runtime/"
	mux := http.NewServeMux()
	mux.HandleFunc("GET "+prefix+"invocation/next", func(w http.ResponseWriter, _ *http.Request) {
		select {
		case event := <-events:
			w.Header().Set("Lambda-Runtime-Aws-Request-Id", "1")
			deadline := time.Now().Add(time.Duration(seconds) * time.Second)
			w.Header().Set("Lambda-Runtime-Deadline-Ms", strconv.FormatInt(deadline.UnixMilli(), 10))
			_, _ = w.Write(event)
		case <-over:
		}
	})
	mux.HandleFunc("POST "+prefix, func(w http.ResponseWriter, r *http.Request) {
		body, _ := io.ReadAll(r.Body)
		w.WriteHeader(http.StatusAccepted)
		results <- Result{strings.HasSuffix(r.URL.Path, "/error"), body}
	})
	runtime := httptest.NewServer(mux)
	cmd := exec.Command(program)
	cmd.Env = append(variables, "AWS_LAMBDA_RUNTIME_API="+runtime.Listener.Addr().String())
	cmd.Stderr = log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	f.root = cmd.Process.Pid
	f.invoke = func(event []byte) Result {
		select {
		case events <- event:
		case <-exited:
		}
		select {
		case r := <-results:
			return r
		case <-exited:
		}
		select { // the function may have reported an error before it ended
		case r := <-results:
			return r
		default:
			return Result{Failed: true, Body: []byte("the function has ended")}
		}
	}
	f.end = func() {
		close(over)
		_ = cmd.Process.Kill()
		<-exited
		runtime.Close()
	}
}

// emulate runs the program in the Runtime Interface Emulator.
func (f *Function) emulate(t testing.TB, program string, variables []string, log io.Writer) {
	address, api := freeAddress(t), freeAddress(t)
	cmd := exec.Command(emulator(), "--log-level", "error",
		"--runtime-interface-emulator-address", address, "--runtime-api-address", api, program)
	cmd.Env, cmd.Stdout, cmd.Stderr = variables, log, log
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	exited := make(chan struct{})
	go func() {
		_ = cmd.Wait()
		close(exited)
	}()
	f.root = cmd.Process.Pid
	url := "http://" + address + "/2015-03-31/functions/function/invocations"
	f.invoke = func(event []byte) Result {
		for {
			answer, err := http.Post(url, "application/json", bytes.NewReader(event))
			if errors.Is(err, syscall.ECONNREFUSED) {
				select {
				case <-exited:
					return Result{Failed: true, Body: []byte("the emulator has ended")}
				default:
					continue // the emulator does not listen yet
				}
			}
			if err != nil {
				return Result{Failed: true, Body: []byte(err.Error())}
			}
			body, err := io.ReadAll(answer.Body)
			_ = answer.Body.Close()
			var fault struct{ ErrorMessage, ErrorType string }
			_ = json.Unmarshal(body, &fault)
			return Result{err != nil || answer.StatusCode != http.StatusOK || fault.ErrorType != "", body}
		}
	}
	f.end = func() {
		_ = cmd.Process.Signal(syscall.SIGTERM)
		select {
		case <-exited:
		case <-time.After(5 * time.Second):
			_ = cmd.Process.Kill()
			<-exited
		}
	}
}

func freeAddress(t testing.TB) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// output is a buffer for several writers.
type output struct {
	mu sync.Mutex
	b  bytes.Buffer
}

func (o *output) Write(p []byte) (int, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.b.Write(p)
}

func (o *output) Bytes() []byte {
	o.mu.Lock()
	defer o.mu.Unlock()
	return bytes.Clone(o.b.Bytes())
}
