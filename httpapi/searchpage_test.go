package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"
)

func TestSearchPageTellsHowABareNumberWasUnderstood(t *testing.T) {
	page := parsePage(t, ask(t, worldHandler(t), "/search?q=13335"))
	checkFrame(t, page)
	notes := page.all("p", "reading")
	if len(notes) != 1 || notes[0].words() != "Understood as origin 13335 . Did you mean via 13335 ?" {
		t.Fatalf("notes = %v", notes)
	}
	if links := notes[0].links(); !slices.Equal(links, []string{"/search?q=via+13335"}) {
		t.Errorf("the other reading leads to %v", links)
	}
	if plans := page.all("details", "plan"); len(plans) != 1 {
		t.Errorf("plans = %v", plans)
	}
	facets := page.all("aside", "facets")
	if len(facets) != 1 || !slices.Contains(facets[0].links(), "/search?q=origin+13335+peer+%22edge1%22") &&
		!slices.Contains(facets[0].links(), "/search?q=origin+13335+peer+edge1") {
		t.Errorf("facets lead to %v", facets[0].links())
	}
}

func TestPageOfAnASInEachForm(t *testing.T) {
	h := worldHandler(t)
	page := parsePage(t, ask(t, h, "/as/13335"))
	checkFrame(t, page)
	if lead := page.all("p", "lead")[0].words(); !strings.HasPrefix(lead, "originates 1 prefix in 2 routes · 3 routes through it") {
		t.Errorf("lead = %q", lead)
	}
	if links := page.all("aside", "facets")[0].links(); !slices.Equal(links, []string{"/as/3356", "/as/4200000001", "/as/64510"}) {
		t.Errorf("neighbours lead to %v", links)
	}
	text := ask(t, h, "/as/AS13335.txt").Body.String()
	if !strings.HasPrefix(text, "AS13335: originates 1 prefix") || !strings.Contains(text, "Upstream") {
		t.Errorf("text = %s", text)
	}
	answer := fields(t, ask(t, h, "/as/13335.json"), http.StatusOK, "application/json")
	if answer["prefixes"] != 1.0 || len(answer["paths"].([]any)) != 3 {
		t.Errorf("answer = %v", answer)
	}
}

func TestPageOfACommunityOfAnyKind(t *testing.T) {
	h := worldHandler(t)
	for path, heading := range map[string]string{
		"/community/64500:1": "Routes: community 64500:1", "/community/3356:*": "Routes: community 3356:*",
		"/community/64500:1:2": "Routes: large-community 64500:1:2", "/community/rt:64500:1": "Routes: ext-community rt:64500:1",
		"/community/no-export": "Routes: community no-export",
	} {
		page := parsePage(t, ask(t, h, path))
		checkFrame(t, page)
		if got := page.all("h1", "")[0].words(); got != heading {
			t.Errorf("GET %s is headed %q, want %q", path, got, heading)
		}
	}
}

func TestPagesOfNothingAreTyped(t *testing.T) {
	h := worldHandler(t)
	for path, want := range map[string]int{
		"/as/x": 400, "/as/4294967296": 400, "/as/64500?x=1": 400, "/community/frob": 400, "/community/65536:1": 400,
		"/community/origin%2064500": 400, "/as/": 404, "/as/1": 200, "/community/1:1": 200,
	} {
		if w := ask(t, h, path); w.Code != want {
			t.Errorf("GET %s = %d, want %d", path, w.Code, want)
		}
	}
}
