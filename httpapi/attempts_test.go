package httpapi_test

import (
	"log/slog"
	"net/http"
	"net/netip"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/prometheus/client_golang/prometheus"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/route"
)

// refusedHandler is a server that has refused two connections.
func refusedHandler(t *testing.T) http.Handler {
	t.Helper()
	store, sessions := world()
	budget, err := ribstore.NewBudget(ribstore.DefaultConfig().Limits(), nil)
	if err != nil {
		t.Fatal(err)
	}
	list := []route.Attempt{
		{
			First: now.Add(-time.Hour), Last: now.Add(-time.Minute), Count: 7, Address: netip.MustParseAddr("198.51.100.7"), ASN: 64501,
			Peer: "edge1", Rule: netip.MustParsePrefix("198.51.100.0/24"), Reason: "handshake", Text: "Role Mismatch: <b>set</b> the role",
		},
		{First: now.Add(-2 * time.Hour), Last: now.Add(-2 * time.Hour), Count: 1, Address: netip.MustParseAddr("2001:db8::7"), Reason: "unknown_peer", Text: "no neighbor has this address"},
	}
	s, err := httpapi.New(httpapi.DefaultConfig(), httpapi.Deps{
		Store: store, Sessions: sessions, Logger: slog.New(slog.DiscardHandler), Registerer: prometheus.NewRegistry(), Budget: budget,
		Now: func() time.Time { return now },
		Refused: func() ([]route.Attempt, route.MD5Errors) {
			return list, route.MD5Errors{Missing: 1, Unexpected: 2, Wrong: 3000}
		},
	})
	if err != nil {
		t.Fatal(err)
	}
	return s.Handler()
}

func TestRefusedAnswer(t *testing.T) {
	got := fields(t, ask(t, refusedHandler(t), "/api/v1/refused"), http.StatusOK, "application/json")
	want := map[string]any{
		"at": "2026-11-22T12:00:00Z", "tcp_md5": map[string]any{"missing": 1.0, "unexpected": 2.0, "wrong": 3000.0},
		"attempts": []any{
			map[string]any{
				"first": "2026-11-22T11:00:00Z", "last": "2026-11-22T11:59:00Z", "count": 7.0, "address": "198.51.100.7", "asn": 64501.0,
				"peer": "edge1", "rule": "198.51.100.0/24", "reason": "handshake", "text": "Role Mismatch: <b>set</b> the role",
			},
			map[string]any{
				"first": "2026-11-22T10:00:00Z", "last": "2026-11-22T10:00:00Z", "count": 1.0, "address": "2001:db8::7",
				"reason": "unknown_peer", "text": "no neighbor has this address",
			},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("refused (-want +got):\n%s", diff)
	}
	empty := fields(t, ask(t, worldHandler(t), "/api/v1/refused"), http.StatusOK, "application/json")
	if diff := cmp.Diff([]any{}, empty["attempts"]); diff != "" {
		t.Errorf("without a refusal (-want +got):\n%s", diff)
	}
}

func TestRefusedPage(t *testing.T) {
	h := refusedHandler(t)
	page := ask(t, h, "/refused", "Accept", "text/html").Body.String()
	for _, want := range []string{
		"198.51.100.7", "in 198.51.100.0/24", `href="/peers/edge1"`, "64501", "Role Mismatch: &lt;b&gt;set&lt;/b&gt; the role", "2001:db8::7",
		"unknown_peer", "dropped 3,000 segments with a wrong key, 1 without one where one is configured, and 2 with one where none is",
	} {
		if !strings.Contains(page, want) {
			t.Errorf("the page has no %q", want)
		}
	}
	text := ask(t, h, "/refused.txt").Body.String()
	if !strings.Contains(text, "198.51.100.7") || !strings.Contains(text, "3000 segments with a wrong key") {
		t.Errorf("the text is\n%s", text)
	}
	if peers := ask(t, h, "/peers", "Accept", "text/html").Body.String(); !strings.Contains(peers, `href="/refused"`) {
		t.Error("the page of the peers does not lead to it")
	}
	if none := ask(t, worldHandler(t), "/refused", "Accept", "text/html").Body.String(); !strings.Contains(none, "No connection was refused since the start.") {
		t.Error("a server that refused nobody does not say so")
	}
}

// TestASessionWithoutAFamilyIsNotGreen: it is Established, and no route can come.
func TestASessionWithoutAFamilyIsNotGreen(t *testing.T) {
	store, sessions := world()
	for i := range sessions {
		if sessions[i].Peer.Name == "edge1" {
			sessions[i].Families = nil
		}
	}
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	for _, path := range []string{"/peers", "/peers/edge1"} {
		page := ask(t, h, path, "Accept", "text/html").Body.String()
		if !strings.Contains(page, `<span class="state down">established, no common family</span>`) {
			t.Errorf("%s shows it as any session that is up", path)
		}
	}
	if text := ask(t, h, "/peers.txt").Body.String(); !strings.Contains(text, "established, no common family") {
		t.Errorf("the text is\n%s", text)
	}
}
