package httpapi_test

import (
	"strings"
	"testing"

	"ribglass/httpapi"
	"ribglass/ribstore/route"
)

// What needs attention stands on top of the first page, of the list of peers and of
// the page of the peer.
func TestWhatNeedsAttentionIsShownFirst(t *testing.T) {
	store, sessions := world()
	for i := range 14 {
		sessions[2].Notices = append(sessions[2].Notices, route.Notice{Kind: "other", Since: now, Last: now, Text: strings.Repeat("x", i+1)})
	}
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	const text = "The session was ended: 200001 <ipv4-unicast> prefixes, max_prefixes 200000."
	for _, path := range []string{"/", "/peers"} {
		page := parsePage(t, ask(t, h, path))
		checkFrame(t, page)
		box := page.all("section", "attention")
		if len(box) != 1 {
			t.Fatalf("%s: %d sections", path, len(box))
		}
		items := box[0].all("li", "")
		if len(items) != 10 || !strings.Contains(box[0].words(), "and 5 more") {
			t.Errorf("%s: %d notices, %q", path, len(items), box[0].words())
		}
		if link := items[0].all("a", ""); len(link) != 1 || link[0].words() != "rs1.ixp" {
			t.Errorf("%s: the first notice is %q", path, items[0].words())
		}
	}
	page := parsePage(t, ask(t, h, "/peers/rs1.ixp"))
	checkFrame(t, page)
	if list := page.all("ul", "attention"); len(list) != 1 || !strings.Contains(list[0].words(), text+" 24m00s ago, 3 times") {
		t.Errorf("the page of the peer: %d lists", len(list))
	}
	if quiet := parsePage(t, ask(t, h, "/peers/edge1")); len(quiet.all("ul", "attention")) != 0 {
		t.Error("a peer without a notice has a list of them")
	}
}
