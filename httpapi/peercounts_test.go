package httpapi_test

import (
	"context"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// large is a store that says to have a full table.
type large struct{ *fakeStore }

func (large) Stats() ribstore.Stats { return ribstore.Stats{Routes: [route.NumFamilies]int{1e6, 2e5}} }

// countsPage asks for the page of a peer.
func countsPage(t *testing.T, store httpapi.Store, sessions fakeSessions, path string) element {
	t.Helper()
	page := parsePage(t, ask(t, newServer(t, httpapi.DefaultConfig(), store, sessions).Handler(), path))
	checkFrame(t, page)
	return page
}

func (e element) byID(tag, id string) element {
	for _, one := range e.all(tag, "") {
		if one.attr("id") == id {
			return one
		}
	}
	return element{}
}

func TestPeerTellsWhatItAnnounces(t *testing.T) {
	store, sessions := world()
	section := countsPage(t, store, sessions, "/peers/edge1").byID("section", "counts")
	if text := section.words(); !strings.Contains(text, "3 origins · 1 neighbour AS · 4 communities") {
		t.Errorf("the page says %q", text)
	}
	var rows []string
	for _, row := range section.all("tbody", "")[0].all("tr", "") {
		rows = append(rows, row.words()+" "+strings.Join(row.links(), " "))
	}
	want := []string{
		"AS3356 1 /as/3356 /search?q=peer+edge1+origin+3356",
		"AS13335 1 /as/13335 /search?q=peer+edge1+origin+13335",
		"AS64496 1 /as/64496 /search?q=peer+edge1+origin+64496",
	}
	slices.Sort(want)
	slices.Sort(rows)
	if diff := cmp.Diff(want, rows); diff != "" {
		t.Error(diff)
	}
	if links := strings.Join(section.links(), " "); !strings.Contains(links, "/community/3356:3 /search?q=peer+edge1+community+3356%3A3") {
		t.Errorf("communities lead to %s", links)
	}
}

func TestPeerOfALargeTableIsCountedOnDemand(t *testing.T) {
	store, sessions := world()
	section := countsPage(t, large{store}, sessions, "/peers/edge1").byID("section", "counts")
	if diff := cmp.Diff([]string{"/peers/edge1?part=counts"}, section.links()); diff != "" {
		t.Error(diff)
	}
	section = countsPage(t, large{store}, sessions, "/peers/edge1?part=counts").byID("section", "counts")
	if text := section.words(); !strings.Contains(text, "3 origins") {
		t.Errorf("asked for, the part is %q", text)
	}
	h := newServer(t, httpapi.DefaultConfig(), large{store}, sessions).Handler()
	if body := ask(t, h, "/peers/edge1.txt").Body.String(); !strings.Contains(body, "curl 'example.com/peers/edge1?part=counts'") {
		t.Errorf("the text does not say how to ask: %s", body)
	}
	if body := ask(t, h, "/peers/edge1.txt?part=counts").Body.String(); !strings.Contains(body, "3 origins, 1 neighbour AS, 4 communities") {
		t.Errorf("the text is %s", body)
	}
	if w := ask(t, h, "/peers/edge1?part=frob"); w.Code != http.StatusBadRequest {
		t.Errorf("another part: %d", w.Code)
	}
}

// busyCounts is a store whose facets are refused, or never come.
type busyCounts struct {
	*fakeStore
	err error // nil: they never come
}

func (s busyCounts) Facets(ctx context.Context, _ query.Query, _ int) (*query.Facets, error) {
	if s.err != nil {
		return nil, s.err
	}
	<-ctx.Done()
	return nil, context.Cause(ctx)
}

func TestPeerIsWholeWithoutItsCounts(t *testing.T) {
	for _, row := range []struct {
		name, path string
		err        error
		says       string
	}{
		{"when there is no place", "/peers/edge2", ribstore.ErrBusy, "Count what it announces"},
		{"when it takes too long", "/peers/edge2", nil, "Count what it announces"},
		{"asked for, when there is no place", "/peers/edge1?part=counts", ribstore.ErrBusy, "There was no place for counting now."},
		{"asked for, when it costs too much", "/peers/edge1?part=counts", &ribstore.CostError{Rows: 2, Limit: 1}, "There was no place for counting now."},
	} {
		t.Run(row.name, func(t *testing.T) {
			store, sessions := world()
			cfg := httpapi.DefaultConfig()
			cfg.QueryTimeout = 5 * time.Second
			page := parsePage(t, ask(t, newServer(t, cfg, busyCounts{store, row.err}, sessions).Handler(), row.path))
			checkFrame(t, page)
			if text := page.byID("section", "counts").words(); !strings.Contains(text, row.says) {
				t.Errorf("the part says %q, want %q", text, row.says)
			}
			if !strings.Contains(page.words(), "Messages since") {
				t.Error("the rest of the page is missing")
			}
		})
	}
}
