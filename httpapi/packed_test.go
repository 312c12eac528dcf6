package httpapi_test

import (
	"bufio"
	"bytes"
	"compress/gzip"
	"context"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"ribglass/httpapi"
)

// unpack returns a reader of an answer that was packed in an encoding.
func unpack(t *testing.T, encoding string, body io.Reader) io.Reader {
	t.Helper()
	switch encoding {
	case "gzip":
		r, err := gzip.NewReader(body)
		if err != nil {
			t.Fatal(err)
		}
		return r
	case "zstd":
		r, err := zstd.NewReader(body, zstd.WithDecoderConcurrency(1))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(r.Close)
		return r
	}
	return body
}

// TestAnswersArePackedAsTheClientTakesThem asks in each form for each encoding: unpacked,
// the answer is the one that nobody packed.
func TestAnswersArePackedAsTheClientTakesThem(t *testing.T) {
	store, sessions := longWorld(2500)
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	for _, row := range []struct{ path, accept string }{
		{"/api/v1/routes?q=10.0.0.0/8+or-longer", "application/json"},
		{"/api/v1/routes?q=10.0.0.0/8+or-longer", "application/x-ndjson"},
		{"/api/v1/routes?q=10.0.0.0/8+or-longer&limit=500", "application/x-ndjson"},
		{"/api/v1/routes", "text/csv"},
		{"/api/v1/export?format=csv", ""},
		{"/api/v1/openapi.json", ""},
		{"/graph.svg?q=1.1.1.0/24", ""},
		{"/1.1.1.0/24", "text/html"},
		{"/peers.json", ""},
		{"/help", "text/plain"},
	} {
		plain := ask(t, h, row.path, "Accept", row.accept)
		if plain.Header().Get("Content-Encoding") != "" || !strings.Contains(plain.Header().Get("Vary"), "Accept-Encoding") {
			t.Errorf("%s %s: encoding %q, Vary %q", row.path, row.accept, plain.Header().Get("Content-Encoding"), plain.Header().Get("Vary"))
		}
		for accept, want := range map[string]string{
			"gzip": "gzip", "zstd": "zstd", "gzip, deflate, br, zstd": "zstd", "gzip;q=1, zstd;q=0.5": "gzip", "*": "zstd", "br": "",
		} {
			w := ask(t, h, row.path, "Accept", row.accept, "Accept-Encoding", accept)
			got := w.Header().Get("Content-Encoding")
			if w.Code != http.StatusOK || got != want {
				t.Errorf("%s %s with Accept-Encoding %s = %d, encoding %q, want %q", row.path, row.accept, accept, w.Code, got, want)
				continue
			}
			body, err := io.ReadAll(unpack(t, got, bytes.NewReader(w.Body.Bytes())))
			if err != nil || !bytes.Equal(body, plain.Body.Bytes()) {
				t.Errorf("%s %s in %q: %d bytes, %v; want the %d of the plain answer", row.path, row.accept, got, len(body), err, plain.Body.Len())
			}
		}
	}
}

// TestPackedStreamsAreSentWhileTheyAreMade reads the first line of a stream before the
// store gives the second part.
func TestPackedStreamsAreSentWhileTheyAreMade(t *testing.T) {
	for _, encoding := range []string{"", "gzip", "zstd"} {
		t.Run("encoding "+encoding, func(t *testing.T) {
			ctx, cancel := context.WithTimeout(t.Context(), 20*time.Second)
			defer cancel()
			store, sessions := longWorld(2500)
			read := make(chan struct{})
			store.hook = func() {
				if store.pages == 2 {
					select {
					case <-read:
					case <-ctx.Done():
					}
				}
			}
			s := httptest.NewServer(newServer(t, httpapi.DefaultConfig(), store, sessions).Handler())
			defer s.Close()
			r, err := http.NewRequestWithContext(ctx, http.MethodGet, s.URL+"/api/v1/routes?q=10.0.0.0/8+or-longer", http.NoBody)
			if err != nil {
				t.Fatal(err)
			}
			r.Header.Set("Accept", "application/x-ndjson")
			r.Header.Set("Accept-Encoding", encoding)
			w, err := s.Client().Do(r)
			if err != nil {
				t.Fatal(err)
			}
			defer func() { _ = w.Body.Close() }()
			lines := bufio.NewScanner(unpack(t, encoding, w.Body))
			if !lines.Scan() {
				t.Fatalf("no first line: %v", lines.Err())
			}
			close(read)
			n := 1
			for lines.Scan() {
				n++
			}
			if n != 2500 || lines.Err() != nil {
				t.Errorf("%d lines, %v; want 2500", n, lines.Err())
			}
		})
	}
}

func TestEventsAreNotPacked(t *testing.T) {
	h := worldHandler(t)
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	r := httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events", nil)
	r.Header.Set("Accept-Encoding", "gzip, zstd")
	w := httptest.NewRecorder()
	h.ServeHTTP(w, r)
	if got := w.Header().Get("Content-Encoding"); got != "" {
		t.Errorf("events are packed with %q", got)
	}
}

// TestAnswersThatTheClientHasAreNotSentAgain asks for everything twice, the second time
// with the tag of the first answer.
func TestAnswersThatTheClientHasAreNotSentAgain(t *testing.T) {
	store, sessions := longWorld(1)
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	style := regexp.MustCompile(`/assets/[a-z]+-[0-9a-f]{16}\.css`).FindString(ask(t, h, "/", "Accept", "text/html").Body.String())
	for _, path := range []string{
		style,
		"/api/v1/openapi.json", "/api/v1/peers", "/api/v1/routes?q=1.1.1.0/24", "/api/v1/names?q=13335", "/peers.txt", "/help.txt", "/graph.svg?q=1.1.1.0/24",
	} {
		first := ask(t, h, path)
		tag := first.Header().Get("ETag")
		if first.Code != http.StatusOK || tag == "" {
			t.Errorf("GET %s = %d, tag %q", path, first.Code, tag)
			continue
		}
		for header, code := range map[string]int{
			tag: http.StatusNotModified, `"x", ` + strings.TrimPrefix(tag, "W/"): http.StatusNotModified, "*": http.StatusNotModified,
			`"x"`: http.StatusOK, "": http.StatusOK,
		} {
			again := ask(t, h, path, "If-None-Match", header, "Accept-Encoding", "gzip")
			if again.Code != code || (again.Body.Len() == 0) != (code == http.StatusNotModified) || again.Header().Get("ETag") != tag {
				t.Errorf("GET %s, If-None-Match %s = %d, %d bytes, tag %q; want %d, tag %q", path, header, again.Code, again.Body.Len(), again.Header().Get("ETag"), code, tag)
			}
		}
	}
	if w := ask(t, h, "/api/v1/routes?q=peer+nobody", "If-None-Match", "*"); w.Code != http.StatusNotFound || w.Header().Get("ETag") != "" {
		t.Errorf("a problem = %d, tag %q", w.Code, w.Header().Get("ETag"))
	}
}
