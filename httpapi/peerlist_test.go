package httpapi_test

import (
	"fmt"
	"net/http"
	"strings"
	"testing"

	"ribglass/httpapi"
	"ribglass/ribstore/route"
)

// crowdOfPeers is a world with 900 members of an exchange, every third one down.
func crowdOfPeers(t *testing.T) http.Handler {
	t.Helper()
	store, sessions := world()
	for i := range 900 {
		p := *sessions[0].Peer
		p.Name, p.Group, p.ASN, p.Description = fmt.Sprintf("member%03d", i), "members", route.ASN(65000+i), fmt.Sprintf("Member number %d", i)
		s := sessions[0]
		if s.Peer, s.State = &p, route.StateEstablished; i%3 == 0 {
			s.State = route.StateIdle
		}
		sessions = append(sessions, s)
	}
	return newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
}

func TestPeersAreFoundAndPaged(t *testing.T) {
	h := crowdOfPeers(t)
	for name, row := range map[string]struct {
		path    string
		heading string
		rows    int
		first   string
	}{
		"all":                  {"/peers", "903 peers", 100, "edge1"},
		"the last page":        {"/peers?page=10", "903 peers", 3, "member898"},
		"behind the last page": {"/peers?page=11", "903 peers", 0, ""},
		"those that are down":  {"/peers?state=down&group=members", "300 peers of 903", 100, "member000"},
		"by a name":            {"/peers?find=MEMBER01", "10 peers of 903", 10, "member010"},
		"by a description":     {"/peers?find=number+777", "1 peer of 903", 1, "member777"},
		"by an AS":             {"/peers?find=as65005", "1 peer of 903", 1, "member005"},
		"of a form left empty": {"/peers?find=&group=&state=", "903 peers", 100, "edge1"},
		"by AS":                {"/peers?sort=as&group=members", "900 peers of 903", 100, "member000"},
		"nobody":               {"/peers?find=nobody", "0 peers of 903", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			page := parsePage(t, ask(t, h, row.path))
			checkFrame(t, page)
			if got := page.all("h1", "")[0].words(); got != row.heading {
				t.Errorf("heading %q, want %q", got, row.heading)
			}
			var names []string
			for _, th := range page.all("tbody", "") {
				for _, one := range th.all("th", "") {
					names = append(names, one.all("a", "")[0].words())
				}
			}
			if len(names) != row.rows || len(names) > 0 && names[0] != row.first {
				t.Errorf("%d peers, the first %.30v, want %d and %s", len(names), names, row.rows, row.first)
			}
		})
	}
	for _, path := range []string{"/peers?page=0", "/peers?page=x", "/peers?state=odd", "/peers?sort=odd", "/peers?frob=1"} {
		if w := ask(t, h, path); w.Code != http.StatusBadRequest {
			t.Errorf("GET %s = %d, want 400", path, w.Code)
		}
	}
	next := ""
	for _, a := range parsePage(t, ask(t, h, "/peers?group=members&state=up&page=2")).all("a", "") {
		if a.attr("rel") == "next" {
			next = a.attr("href")
		}
	}
	if want := "/peers?group=members&page=3&state=up"; next != want {
		t.Errorf("the next page is %q, want %q", next, want)
	}
	if text := ask(t, h, "/peers.txt").Body.String(); !strings.Contains(text, "100 of 903 peers shown; more: curl 'example.com/peers?page=2'") {
		t.Errorf("the text does not lead on:\n%.300s", text[len(text)-200:])
	}
}
