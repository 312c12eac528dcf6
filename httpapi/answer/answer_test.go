package answer_test

import (
	"encoding/json"
	"maps"
	"net/netip"
	"os"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/httpapi/answer"
	"ribglass/ribstore/route"
)

// schema is the part of a JSON schema that is compared.
type schema struct {
	Properties map[string]any
	Required   []string
}

// TestTypesHaveTheMembersOfTheDocument compares each type with its schema of the
// OpenAPI document: the names of the members, and that what may be absent is not
// required.
func TestTypesHaveTheMembersOfTheDocument(t *testing.T) {
	text, err := os.ReadFile("../v1/openapi.json")
	if err != nil {
		t.Fatal(err)
	}
	var document struct {
		Components struct{ Schemas map[string]schema }
	}
	if err := json.Unmarshal(text, &document); err != nil {
		t.Fatal(err)
	}
	types := map[string]any{
		"FamilyCounts": answer.FamilyCounts{}, "Status": answer.Status{}, "Capability": answer.Capability{}, "RouteSums": answer.RouteSums{},
		"PeerRoutes": answer.PeerRoutes{}, "Counters": answer.Counters{}, "Transition": answer.Transition{}, "Notice": answer.Notice{}, "Attention": answer.Attention{}, "RefusedConnections": answer.RefusedConnections{}, "Attempt": answer.Attempt{}, "MD5Errors": answer.MD5Errors{}, "Peer": answer.Peer{},
		"Freshness": answer.Freshness{}, "Route": answer.Route{}, "Names": answer.Names{}, "NameMatches": answer.NameMatches{},
		"NamedAS": answer.NamedAS{}, "Site": answer.Site{}, "Routes": answer.Routes{}, "Refused": answer.Refused{}, "Malformed": answer.Malformed{}, "MalformedMessage": answer.MalformedMessage{}, "Plan": answer.Plan{}, "Note": answer.Note{},
		"Facet": answer.Facet{}, "Facets": answer.Facets{}, "Explanation": answer.Explanation{}, "Query": answer.Query{},
		"Answer": answer.Lookup{}, "Problem": answer.Problem{}, "Aggregator": answer.Aggregator{}, "UnknownAttribute": answer.UnknownAttribute{},
		"Attributes": answer.Attributes{}, "Change": answer.Change{}, "Asked": answer.Asked{}, "Changes": answer.Changes{},
		"TimelineState": answer.TimelineState{}, "TimelineRow": answer.TimelineRow{}, "OriginChange": answer.OriginChange{},
		"Timeline": answer.Timeline{}, "CauseCount": answer.CauseCount{}, "PeerDiff": answer.PeerDiff{}, "DiffCounts": answer.DiffCounts{},
		"DiffSide": answer.DiffSide{}, "Difference": answer.Difference{}, "Diff": answer.Diff{}, "Snapshot": answer.Snapshot{},
		"History": answer.History{}, "Collections": answer.Collections{}, "Collection": answer.Collection{}, "PastPeer": answer.PastPeer{},
		"PastPeerAnswer": answer.OnePastPeer{}, "Peers": answer.PastPeers{}, "Graph": answer.Graph{}, "Completions": answer.Completions{},
		"Completion": answer.Completion{}, "Activity": answer.Activity{}, "Rate": answer.Rate{}, "Busiest": answer.Busiest{}, "Growth": answer.Growth{},
	}
	partial := []string{"Route", "DiffSide"} // the required members of these may be absent: see their comments
	for name, value := range types {
		t.Run(name, func(t *testing.T) {
			s, ok := document.Components.Schemas[name]
			if !ok {
				t.Fatal("the document has no such schema")
			}
			members := membersOf(reflect.TypeOf(value))
			if diff := cmp.Diff(slices.Sorted(maps.Keys(s.Properties)), slices.Sorted(maps.Keys(members))); diff != "" {
				t.Errorf("members (-document +type):\n%s", diff)
			}
			for member, always := range members {
				if required := slices.Contains(s.Required, member); always != required && !slices.Contains(partial, name) {
					t.Errorf("%s: always there: %v, required: %v", member, always, required)
				}
			}
		})
	}
	for name, s := range document.Components.Schemas {
		if _, ok := types[name]; !ok && s.Properties != nil && name != "FamilyTimes" && name != "ComparedRoute" {
			t.Errorf("the schema %s has no type", name)
		}
	}
}

// membersOf returns the members of the JSON object that t becomes, and whether
// each is always there.
func membersOf(t reflect.Type) map[string]bool {
	members := map[string]bool{}
	for f := range t.Fields() {
		if f.Anonymous {
			maps.Copy(members, membersOf(f.Type))
			continue
		}
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		members[name] = options == ""
	}
	return members
}

func TestRouteBecomesJSONAndComesBack(t *testing.T) {
	peer := &route.Peer{Name: "edge1", AddPath: [route.NumFamilies]bool{route.IPv4Unicast: true}}
	var path route.ASPath
	path = path.AppendSegment(route.ASConfedSequence, 65001)
	path = path.AppendSegment(route.ASConfedSet, 65002, 65003)
	path = path.AppendSegment(route.ASSequence, 64500, 64501)
	path = path.AppendSegment(route.ASSet, 64502, 64503)
	var attrs route.Attrs
	attrs = attrs.AppendAttr(route.AttrOrigin, []byte{0})
	attrs = attrs.AppendAttr(route.AttrASPath, path)
	attrs = attrs.AppendAttr(route.AttrNextHop, []byte{192, 0, 2, 1})
	attrs = attrs.AppendAttr(route.AttrMED, []byte{0, 0, 0, 0})
	attrs = attrs.AppendAttr(route.AttrCommunities, []byte{0xfb, 0xf4, 0, 1})
	attrs = attrs.AppendAttr(99, []byte{0xc0, 7})
	got := answer.RouteOf(&route.Route{
		Prefix: netip.MustParsePrefix("198.51.100.0/24"), Peer: peer, PathID: 7, Attrs: attrs,
		ReceivedAt: time.Date(2026, 11, 22, 3, 12, 0, 500, time.UTC), Decision: "oldest",
	})
	text, err := json.Marshal(got)
	if err != nil {
		t.Fatal(err)
	}
	want := `{"prefix":"198.51.100.0/24","family":"ipv4-unicast","peer":"edge1","path_id":7,"received_at":"2026-11-22T03:12:00.0000005Z",` +
		`"best":false,"decision":"oldest","origin":"igp",` +
		`"as_path":[{"confed_sequence":[65001]},{"confed_set":[65002,65003]},64500,64501,[64502,64503]],` +
		`"as_path_text":"(65001) [65002,65003] 64500 64501 {64502,64503}","next_hop":"192.0.2.1","med":0,"communities":["64500:1"],` +
		`"unknown_attributes":[{"code":99,"flags":192,"value":"07"}]}`
	if diff := cmp.Diff(want, string(text)); diff != "" {
		t.Errorf("JSON (-want +got):\n%s", diff)
	}
	var back answer.Route
	if err := json.Unmarshal(text, &back); err != nil {
		t.Fatal(err)
	}
	addresses := cmp.Comparer(func(a, b netip.Addr) bool { return a == b })
	prefixes := cmp.Comparer(func(a, b netip.Prefix) bool { return a == b })
	if diff := cmp.Diff(got, back, addresses, prefixes); diff != "" {
		t.Errorf("read again (-want +got):\n%s", diff)
	}
}

func TestPathWithoutASesIsAnEmptyList(t *testing.T) {
	attrs := route.Attrs(nil).AppendAttr(route.AttrASPath, nil)
	text, err := json.Marshal(answer.AttributesOf(attrs))
	if want := `{"as_path":[],"as_path_text":""}`; err != nil || string(text) != want {
		t.Errorf("json.Marshal(AttributesOf(an empty path)) = %s, %v, want %s", text, err, want)
	}
}
