package main

import (
	"io"
	"net"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
)

// TestMain lets the scripts call "ribglass" as a program of its own.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"ribglass": main})
}

// TestScripts runs testdata/script. In a script
//
//	answer PATH STATUS TYPE FILE
//
// makes a fake server, whose URL is $RIBGLASS_SERVER, answer with a file;
// "asked QUERY" checks the query string of its last request. For a real server
//
//	ports NAME…         sets variables to ports of 127.0.0.1 that are free
//	poll URL REGEXP     asks until the answer matches
//	signal HUP|TERM [N] sends a signal to the programs in the background, or to the Nth
//	expand FILE         puts variables of the script into a file
//	recorded NAME FILE  copies a recorded file of the MRT reader's tests
func TestScripts(t *testing.T) {
	recorded, err := filepath.Abs("../../collector/wire/mrt/testdata")
	if err != nil {
		t.Fatal(err)
	}
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			fake := &fakeServer{answers: make(map[string]fakeAnswer)}
			server := httptest.NewServer(fake)
			env.Defer(server.Close)
			env.Setenv("RIBGLASS_SERVER", server.URL)
			env.Values[fakeKey{}] = fake
			env.Values[recordedKey{}] = recorded
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"answer":   cmdAnswer,
			"asked":    cmdAsked,
			"ports":    cmdPorts,
			"poll":     cmdPoll,
			"signal":   cmdSignal,
			"expand":   cmdExpand,
			"recorded": cmdRecorded,
		},
	})
}

type (
	fakeKey     struct{}
	recordedKey struct{}
)

// fakeServer answers requests for known paths with what a script gave it.
type fakeServer struct {
	mu      sync.Mutex // guards what follows
	answers map[string]fakeAnswer
	last    string // query string of the last request
}

type fakeAnswer struct {
	status int
	kind   string
	body   []byte
}

func (f *fakeServer) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.last = r.URL.RawQuery
	answer, ok := f.answers[r.URL.Path]
	if !ok {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", answer.kind)
	w.WriteHeader(answer.status)
	_, _ = w.Write(answer.body) // the client may have gone
}

func cmdAnswer(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 4 {
		ts.Fatalf("usage: answer PATH STATUS TYPE FILE")
	}
	status, err := strconv.Atoi(args[1])
	ts.Check(err)
	body, err := os.ReadFile(ts.MkAbs(args[3]))
	ts.Check(err)
	fake := ts.Value(fakeKey{}).(*fakeServer)
	fake.mu.Lock()
	defer fake.mu.Unlock()
	fake.answers[args[0]] = fakeAnswer{status, args[2], body}
}

func cmdAsked(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: asked QUERY")
	}
	fake := ts.Value(fakeKey{}).(*fakeServer)
	fake.mu.Lock()
	defer fake.mu.Unlock()
	if fake.last != args[0] {
		ts.Fatalf("asked with %q, want %q", fake.last, args[0])
	}
}

func cmdPorts(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) == 0 {
		ts.Fatalf("usage: ports NAME...")
	}
	for _, name := range args {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		ts.Check(err)
		defer l.Close() // all at once, so that they differ
		_, port, err := net.SplitHostPort(l.Addr().String())
		ts.Check(err)
		ts.Setenv(name, port)
	}
}

func cmdPoll(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: poll URL REGEXP")
	}
	want, err := regexp.Compile(args[1])
	ts.Check(err)
	last := ""
	for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(20 * time.Millisecond) {
		if last = fetch(args[0]); want.MatchString(last) {
			return
		}
	}
	ts.Fatalf("%s never matched %q; last answer: %s", args[0], args[1], last)
}

// fetch returns the body of a page, or why there is none.
func fetch(url string) string {
	response, err := http.Get(url)
	if err != nil {
		return err.Error()
	}
	defer response.Body.Close()
	body, err := io.ReadAll(response.Body)
	if err != nil {
		return err.Error()
	}
	return string(body)
}

func cmdSignal(ts *testscript.TestScript, neg bool, args []string) {
	signals := map[string]os.Signal{"HUP": syscall.SIGHUP, "TERM": syscall.SIGTERM}
	if neg || len(args) < 1 || len(args) > 2 || signals[args[0]] == nil {
		ts.Fatalf("usage: signal HUP|TERM [N]")
	}
	programs := ts.BackgroundCmds()
	if len(args) == 2 {
		n, err := strconv.Atoi(args[1])
		ts.Check(err)
		programs = programs[n-1 : n]
	}
	for _, c := range programs {
		ts.Check(c.Process.Signal(signals[args[0]]))
	}
}

func cmdExpand(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: expand FILE")
	}
	file := ts.MkAbs(args[0])
	text, err := os.ReadFile(file)
	ts.Check(err)
	ts.Check(os.WriteFile(file, []byte(os.Expand(string(text), ts.Getenv)), 0o600))
}

func cmdRecorded(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 2 {
		ts.Fatalf("usage: recorded NAME FILE")
	}
	content, err := os.ReadFile(filepath.Join(ts.Value(recordedKey{}).(string), args[0]))
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[1]), content, 0o600))
}
