package httpapi_test

import (
	"net/http"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestColumnsAndOrderAreInTheURL(t *testing.T) {
	h := worldHandler(t)
	for name, row := range map[string]struct {
		path    string
		columns []string
		peers   []string
	}{
		"nothing asked":      {"/1.1.1.1", []string{"Status", "Peer", "AS path", "Next hop", "Pref", "MED", "Age"}, []string{"edge1", "edge2", "rs1.ixp"}},
		"two columns":        {"/1.1.1.1?cols=peer,received", []string{"Status", "Peer", "Received (UTC)"}, []string{"edge1", "edge2", "rs1.ixp"}},
		"another order":      {"/1.1.1.1?cols=med,peer", []string{"Status", "MED", "Peer"}, []string{"edge1", "edge2", "rs1.ixp"}},
		"by the name":        {"/1.1.1.1?sort=peer&cols=peer", []string{"Status", "Peer"}, []string{"edge1", "edge2", "rs1.ixp"}},
		"by the path":        {"/1.1.1.1?sort=path&cols=peer", []string{"Status", "Peer"}, []string{"edge1", "rs1.ixp", "edge2"}},
		"in a search":        {"/search?q=13335&cols=peer&sort=peer", []string{"Status", "Peer"}, nil},
		"of communities":     {"/1.1.1.1?cols=peer,community,path", []string{"Status", "Peer", "Communities", "AS path"}, nil},
		"of labels of peers": {"/1.1.1.1?cols=router,group,origin,peer", []string{"Status", "Router", "Group", "Origin AS", "Peer"}, nil},
	} {
		t.Run(name, func(t *testing.T) {
			page := parsePage(t, ask(t, h, row.path))
			table := page.all("table", "routes")[0]
			var columns, peers []string
			for _, th := range table.all("thead", "")[0].all("th", "") {
				columns = append(columns, th.words())
			}
			for _, td := range table.all("td", "") {
				if td.attr("data-label") == "Peer" {
					peers = append(peers, td.all("a", "")[0].words())
				}
			}
			if diff := cmp.Diff(row.columns, columns); diff != "" {
				t.Errorf("columns (-want +got):\n%s", diff)
			}
			if diff := cmp.Diff(row.peers, peers); row.peers != nil && diff != "" {
				t.Errorf("peers (-want +got):\n%s", diff)
			}
			checkFrame(t, page)
		})
	}
}

func TestADisplayThatIsNotIsRefused(t *testing.T) {
	h := worldHandler(t)
	for _, path := range []string{
		"/1.1.1.1?cols=", "/1.1.1.1?cols=peer,peer", "/1.1.1.1?cols=weight", "/1.1.1.1?sort=weight", "/1.1.1.1?sort=", "/1.1.1.1?style=ios",
		"/search?q=13335&style=%3Cscript%3E",
	} {
		if w := ask(t, h, path); w.Code != http.StatusBadRequest {
			t.Errorf("GET %s = %d, want 400", path, w.Code)
		}
	}
}

func TestTheDisplayIsKeptOnTheWay(t *testing.T) {
	h := worldHandler(t)
	page := parsePage(t, ask(t, h, "/search?q=family+ipv4-unicast&limit=1&cols=peer,path&sort=age&style=bird"))
	if next := "/search?cols=peer%2Cpath&cursor=1&limit=1&q=family+ipv4-unicast&sort=age&style=bird"; !slices.Contains(page.links(), next) {
		t.Errorf("the next page is not among %v", page.links())
	}
	for _, aside := range page.all("aside", "facets") {
		for _, link := range aside.links() {
			if !strings.Contains(link, "style=bird") {
				t.Errorf("%s forgets the view", link)
			}
		}
	}
	w := ask(t, h, "/search?q=1.1.1.1&cols=peer")
	if got, want := w.Header().Get("Location"), "/1.1.1.1?cols=peer"; got != want {
		t.Errorf("Location = %q, want %q", got, want)
	}
}

func TestWhatARouteHasInCommonIsDimmed(t *testing.T) {
	page := parsePage(t, ask(t, worldHandler(t), "/1.1.1.1"))
	rows := page.all("tbody", "")[0].all("tr", "")[1:]
	var dimmed []string
	for _, tr := range rows {
		var words []string
		for _, tag := range []string{"span", "td"} {
			for _, e := range tr.all(tag, "same") {
				words = append(words, e.words())
			}
		}
		dimmed = append(dimmed, strings.Join(words, ", "))
	}
	if len(dimmed) != 3 || dimmed[0] != "" || !strings.HasPrefix(dimmed[1], "13335") {
		t.Errorf("dimmed: %q, want nothing of the first, the origin of the others", dimmed)
	}
}

func TestWhatDiffersFromTheFirstRouteStandsOut(t *testing.T) {
	page := parsePage(t, ask(t, worldHandler(t), "/1.1.1.1?cols=peer,path,nexthop"))
	rows := page.all("tbody", "")[0].all("tr", "")[1:]
	var others, hops, cells []string
	for _, tr := range rows {
		others = append(others, strings.Join(strings.Fields(tr.attr("class")), " "))
		if !slices.Contains(strings.Fields(tr.attr("class")), "other") {
			continue
		}
		for _, hop := range tr.all("span", "as") {
			if !slices.Contains(strings.Fields(hop.attr("class")), "same") {
				hops = append(hops, hop.words())
			}
		}
		for _, td := range tr.all("td", "differs") {
			cells = append(cells, td.words())
		}
	}
	if strings.Contains(others[0], "other") || !strings.Contains(others[1], "other") {
		t.Errorf("classes of the rows: %q, want the first compared with nothing", others)
	}
	if len(hops) == 0 || len(cells) == 0 {
		t.Errorf("hops %q and cells %q stand out, want some of each", hops, cells)
	}
}

func TestViewsOfRouters(t *testing.T) {
	h := worldHandler(t)
	for view, want := range map[string][]string{
		"cisco": {"Network            Next Hop", " *> 1.1.1.0/24         192.0.2.1", " S "},
		"junos": {"inet.0:", "1.1.1.0/24         *[BGP/170]", "> to 192.0.2.1", "AS path: 3356 13335 I"},
		"bird":  {"Table master4:", "1.1.1.0/24           unicast [edge1 2026-11-", "\tvia 192.0.2.1", "BGP.as_path: 3356 13335"},
	} {
		text := ask(t, h, "/1.1.1.1.txt?style="+view)
		if ct := text.Header().Get("Content-Type"); ct != "text/plain; charset=utf-8" {
			t.Errorf("view %s: Content-Type = %q", view, ct)
		}
		body := text.Body.String()
		for _, w := range want {
			if !strings.Contains(body, strings.ReplaceAll(w, "\t", "        ")) {
				t.Errorf("view %s lacks %q:\n%s", view, w, body)
			}
		}
		page := parsePage(t, ask(t, h, "/1.1.1.1?style="+view))
		if pre := page.all("pre", "router"); len(pre) != 1 || pre[0].FirstChild.Data != body {
			t.Errorf("view %s: the page shows another text", view)
		}
	}
	if body := ask(t, h, "/2001:db8:1::1.txt?style=junos").Body.String(); !strings.HasPrefix(body, "inet6.0:") {
		t.Errorf("IPv6 as Junos:\n%s", body)
	}
}
