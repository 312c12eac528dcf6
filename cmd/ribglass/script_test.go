package main

import (
	"net/http"
	"net/http/httptest"
	"os"
	"strconv"
	"sync"
	"testing"

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
// "asked QUERY" checks the query string of its last request.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(env *testscript.Env) error {
			fake := &fakeServer{answers: make(map[string]fakeAnswer)}
			server := httptest.NewServer(fake)
			env.Defer(server.Close)
			env.Setenv("RIBGLASS_SERVER", server.URL)
			env.Values[fakeKey{}] = fake
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"answer": cmdAnswer,
			"asked":  cmdAsked,
		},
	})
}

type fakeKey struct{}

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
