package httpapi_test

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"ribglass/httpapi"
	"ribglass/ribstore/route"
)

// refusedWorld is a world in which edge1 announced a prefix and then, in a
// malformed UPDATE, again, and rs1.ixp announced another in a malformed UPDATE only.
func refusedWorld(t *testing.T) (*remembered, fakeSessions) {
	t.Helper()
	_, sessions := world()
	edge, _ := sessions.Session("edge1")
	exchange, _ := sessions.Session("rs1.ixp")
	good := attrs{path: []route.ASN{64501}, nextHop: "192.0.2.1"}.build()
	asZero := route.AppendFault(nil, route.Fault{Code: route.AttrASPath, Reason: "AS 0"})
	r := newRemembered(t)
	r.live(
		step{3 * time.Hour, up(edge.Peer)}, step{3 * time.Hour, up(exchange.Peer)},
		step{2 * time.Hour, says(edge.Peer, "198.51.100.0/24", 0, good)},
		step{time.Hour, says(edge.Peer, "198.51.100.0/24", 0, asZero)},
		step{time.Hour, says(exchange.Peer, "203.0.113.0/24", 7, asZero)},
		step{30 * time.Minute, says(edge.Peer, "192.0.2.0/24", 0, good)},
	)
	return r, sessions
}

func TestAPrefixOfAMalformedUpdateSaysSo(t *testing.T) {
	r, sessions := refusedWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	at := r.ago(time.Hour).Format(time.RFC3339)
	const why = "attribute 2 (AS_PATH): AS 0"
	for _, target := range []string{
		"/198.51.100.0/24", "/198.51.100.7", "/198.51.100.0/24?at=10m", "/203.0.113.0/24", "/198.51.100.0/24.txt", "/198.51.100.0/24.txt?at=10m",
		"/api/v1/routes?q=198.51.100.0/24", "/api/v1/routes?q=203.0.113.9&at=10m",
		"/changes", "/changes.txt?q=198.51.100.0/24", "/api/v1/changes?kind=treat-as-withdraw", "/api/v1/changes?q=203.0.113.0/24",
		"/timeline?q=198.51.100.0/24", "/timeline.txt?q=198.51.100.0/24", "/api/v1/timeline?q=198.51.100.0/24",
	} {
		w := ask(t, h, target)
		if body := w.Body.String(); w.Code != http.StatusOK || !strings.Contains(body, why) {
			t.Errorf("GET %s = %d without %q: %s", target, w.Code, why, body)
		}
	}
	if text := ask(t, h, "/198.51.100.0/24.txt").Body.String(); !strings.Contains(text, "withdrawn by Ribglass "+strings.Replace(at, "T", " ", 1)[:10]) || !strings.Contains(text, "malformed AS_PATH") {
		t.Errorf("the text form does not say when and what: %s", text)
	}
	for _, target := range []string{
		"/198.51.100.0/24?at=90m", "/192.0.2.0/24", "/api/v1/routes?q=198.51.100.0/24&at=90m", "/api/v1/routes?q=198.51.100.0/24+peer+edge2",
	} {
		if body := ask(t, h, target).Body.String(); strings.Contains(body, why) {
			t.Errorf("GET %s holds %q: %s", target, why, body)
		}
	}
}

func (c *schemaChecker) checkRefused(t *testing.T) {
	t.Helper()
	r, sessions := refusedWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	c.checkText(t, "Routes", ask(t, h, "/api/v1/routes?q=203.0.113.0/24").Body.String())
	c.checkText(t, "Changes", ask(t, h, "/api/v1/changes").Body.String())
	c.checkText(t, "Timeline", ask(t, h, "/api/v1/timeline?q=198.51.100.0/24").Body.String())
}

func TestMalformedMessagesOfAPeerAreShown(t *testing.T) {
	h := worldHandler(t)
	page := parsePage(t, ask(t, h, "/peers/edge1"))
	folded := page.all("details", "malformed")
	if len(folded) != 1 {
		t.Fatalf("%d parts about malformed messages, want one", len(folded))
	}
	for _, part := range []string{"treated as withdraw", "attribute 2 (AS_PATH): AS 0", "RFC 7606 section 7.2", "198.51.100.0/24", "70 in all", "message of 3,000 octets", "ffff02"} {
		if words := folded[0].words(); !strings.Contains(words, part) {
			t.Errorf("the page has no %q: %s", part, words)
		}
	}
	if other := parsePage(t, ask(t, h, "/peers/edge2")); len(other.all("details", "malformed")) > 0 {
		t.Error("a peer without malformed messages has a part about them")
	}
	if w := ask(t, h, "/api/v1/peers/nobody/malformed"); w.Code != http.StatusNotFound {
		t.Errorf("GET of an unknown peer = %d, want 404", w.Code)
	}
}
