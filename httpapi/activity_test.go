package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"ribglass/httpapi"
	"ribglass/ribstore/route"
)

func TestActivityCountsWhatChangesList(t *testing.T) {
	r, sessions := pastWorld(t)
	h := r.server(httpapi.DefaultConfig(), sessions)
	for _, q := range []string{"", "&q=" + thePrefix, "&q=peer+edge1", "&collection=old"} {
		list := fields(t, ask(t, h, "/api/v1/changes?between=-2d/now&limit=1000&order=oldest"+q), http.StatusOK, "application/json")
		got := fields(t, ask(t, h, "/api/v1/activity?between=-2d/now"+q), http.StatusOK, "application/json")
		var moments []string
		for _, one := range list["changes"].([]any) {
			moments = append(moments, one.(map[string]any)["at"].(string))
		}
		total := len(moments)
		moments = slices.Compact(moments)
		var counted float64
		for _, n := range got["bins"].([]any) {
			counted += n.(float64)
		}
		if got["total"] != float64(total) || counted != float64(total) || total == 0 {
			t.Errorf("%q: total %v, %v in bins, want %d", q, got["total"], counted, total)
		}
		var told []string
		for _, one := range got["moments"].([]any) {
			told = append(told, one.(string))
		}
		if !slices.Equal(told, moments) {
			t.Errorf("%q: moments %v, want %v", q, told, moments)
		}
	}
}

func TestTheStripIsWhereThereIsAPast(t *testing.T) {
	r, sessions := pastWorld(t)
	kept := r.server(httpapi.DefaultConfig(), sessions)
	for path, want := range map[string]string{
		"/" + thePrefix:                     "/api/v1/activity?q=" + strings.ReplaceAll(thePrefix, "/", "%2F"),
		"/" + thePrefix + "?at=90m":         "/api/v1/activity?q=" + strings.ReplaceAll(thePrefix, "/", "%2F"),
		"/" + thePrefix + "?collection=old": "/api/v1/activity?collection=old&q=" + strings.ReplaceAll(thePrefix, "/", "%2F"),
		"/":                                 "",
		"/search?q=peer+edge1":              "",
	} {
		got := ""
		for _, e := range parsePage(t, ask(t, kept, path)).all("section", "") {
			got += e.attr("data-activity")
		}
		if got != want {
			t.Errorf("GET %s: the strip asks %q, want %q", path, got, want)
		}
	}
	for _, e := range parsePage(t, ask(t, worldHandler(t), "/1.1.1.1")).all("section", "") {
		if e.attr("id") == "strip" {
			t.Error("there is a strip where no past is kept")
		}
	}
}

func TestTheTimelineIsAPicture(t *testing.T) {
	r, sessions := pastWorld(t)
	page := parsePage(t, ask(t, r.server(httpapi.DefaultConfig(), sessions), "/timeline?q="+thePrefix))
	pictures := page.all("svg", "")
	if len(pictures) != 1 || pictures[0].attr("role") != "img" || pictures[0].attr("aria-label") == "" {
		t.Fatalf("%d pictures, want one with a name", len(pictures))
	}
	states := 0
	for _, row := range page.all("tr", "") {
		if cells := row.all("td", ""); len(cells) == 4 && cells[3].words() != "absent" {
			states++
		}
	}
	bands := pictures[0].all("rect", "")
	if len(bands) != states || states == 0 {
		t.Errorf("%d bands, want one for each of %d states", len(bands), states)
	}
	for _, band := range bands {
		if !strings.Contains(band.words(), " for ") {
			t.Errorf("a band says %q", band.words())
		}
	}
}

// What was not counted is no zero.
func TestActivityIsNullWhereItWasNotCounted(t *testing.T) {
	_, sessions := world()
	r, edge1 := newRemembered(t), sessions[1].Peer
	flap := route.Batch{Peer: edge1}
	for i := range 10_500 {
		u := says(edge1, thePrefix, 0, attrs{path: []route.ASN{64500, route.ASN(64501 + i%2)}, nextHop: "192.0.2.1"}.build()).Updates
		flap.Updates = append(flap.Updates, u...)
	}
	r.live(step{secondRun, up(edge1)}, step{withdrawn, flap})
	got := fields(t, ask(t, r.server(httpapi.DefaultConfig(), sessions), "/api/v1/activity?between=-2d/now"), http.StatusOK, "application/json")
	bins, counted := got["bins"].([]any), 0
	if bins[0] != nil {
		t.Errorf("the first part of the span has %v changes, which were not counted", bins[0])
	}
	for _, n := range bins {
		if n, ok := n.(float64); ok {
			counted += int(n)
		}
	}
	if got["total"] != 10_501.0 || got["counted"] != 10_000.0 || counted != 0 { // all of one moment, which was not counted whole
		t.Errorf("total %v, %v counted, %d in bins", got["total"], got["counted"], counted)
	}
}
