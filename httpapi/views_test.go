package httpapi_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"ribglass/httpapi"
	"ribglass/ribstore/route"
)

// The past of a view of a router is asked as its routes are: by the parameter view,
// and by the links of a page that shows it.
func TestThePastOfAViewIsAskedAsItsRoutesAre(t *testing.T) {
	r := newRemembered(t)
	before, after := &route.Peer{Name: "pre", Router: "r", View: route.PrePolicy}, &route.Peer{Name: "post", Router: "r", View: route.PostPolicy}
	from := func(origin route.ASN) route.Attrs {
		return attrs{path: []route.ASN{64500, origin}, nextHop: "192.0.2.1", med: -1, pref: -1}.build()
	}
	r.live(
		step{secondRun, up(before)}, step{secondRun, up(after)},
		step{secondRun, says(before, thePrefix, 0, from(64501))}, step{secondRun, says(after, thePrefix, 0, from(64501))},
		step{lost, says(before, thePrefix, 0, from(64502))},
	)
	h := r.server(httpapi.DefaultConfig(), fakeSessions{})
	span := "between=" + url.QueryEscape(r.param(secondRun)+"/now")
	refused := map[string]bool{"give one of them": true, "Events are of one address": true}
	for target, want := range map[string]string{
		"/api/v1/timeline?q=" + thePrefix + "&view=pre-policy&" + span:          `"peer":"pre"`,
		"/timeline.txt?q=" + thePrefix + "&view=pre-policy&" + span:             "pre: 3 states",
		"/api/v1/diff?view=pre-policy&b=now&a=" + r.param(moved):                `"changed":1`,
		"/diff.txt?view=pre-policy&b=now&a=" + r.param(moved):                   thePrefix,
		"/api/v1/diff?b=now&a=" + r.param(moved):                                `"changed":0`,
		"/api/v1/diff?view=pre-policy&q=view+any&b=now&a=" + r.param(moved):     "give one of them",
		"/" + thePrefix + ".txt?view=pre-policy":                                "/timeline?q=203.0.113.0%2F24+view+pre-policy",
		"/" + thePrefix + ".txt":                                                "/timeline?q=203.0.113.0%2F24'",
		"/" + strings.TrimSuffix(thePrefix, ".0/24") + ".9.txt?view=pre-policy": "/timeline?q=203.0.113.0%2F24+view+pre-policy",
		"/" + thePrefix + "?view=pre-policy":                                    "/api/v1/events?q=203.0.113.0%2F24&#43;view&#43;pre-policy",
		"/api/v1/events?view=pre-policy":                                        "Events are of one address",
	} {
		w := ask(t, h, target)
		if !strings.Contains(w.Body.String(), want) || (w.Code != http.StatusOK) != refused[want] {
			t.Errorf("GET %s = %d, want %q in\n%s", target, w.Code, want, w.Body)
		}
	}
}

func TestEventsAreOfAView(t *testing.T) {
	store, sessions := world()
	s := newTellingServer(t, &changingStore{fakeStore: store}, sessions)
	ctx, cancel := context.WithCancel(t.Context())
	cancel() // the answer ends when it has begun
	w := httptest.NewRecorder()
	s.Handler().ServeHTTP(w, httptest.NewRequestWithContext(ctx, http.MethodGet, "/api/v1/events?q=1.1.1.1&view=pre-policy", nil))
	if w.Code != http.StatusOK {
		t.Errorf("events of a view = %d %s", w.Code, w.Body)
	}
}
