package httpapi_test

import (
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"ribglass/httpapi"
	"ribglass/ribstore"
	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
	"ribglass/ribstore/table"
)

// schemaChecker holds answers against the schemas of the OpenAPI document, as
// far as the document uses JSON Schema, and remembers which members it saw.
type schemaChecker struct {
	schemas map[string]any
	seen    map[string]bool
	wrong   []string
}

func (c *schemaChecker) check(schema map[string]any, at string, v any) {
	if ref, ok := schema["$ref"].(string); ok {
		name := strings.TrimPrefix(ref, "#/components/schemas/")
		c.check(c.schemas[name].(map[string]any), name, v)
		return
	}
	if alternatives, ok := schema["oneOf"].([]any); ok {
		c.checkOneOf(alternatives, at, v)
		return
	}
	if !c.typed(schema, v) {
		c.wrong = append(c.wrong, fmt.Sprintf("%s is %v, want %v", at, v, schema["type"]))
		return
	}
	if values, ok := schema["enum"].([]any); ok && !slices.Contains(values, v) {
		c.wrong = append(c.wrong, fmt.Sprintf("%s is %v, want one of %v", at, v, values))
	}
	switch v := v.(type) {
	case map[string]any:
		c.checkObject(schema, at, v)
	case []any:
		for _, e := range v {
			c.check(schema["items"].(map[string]any), at+"[]", e)
		}
	}
}

func (c *schemaChecker) typed(schema map[string]any, v any) bool {
	if types, ok := schema["type"].([]any); ok { // one type, or null
		if v == nil {
			return slices.Contains(types, any("null"))
		}
		one := maps.Clone(schema)
		one["type"] = types[0]
		return c.typed(one, v)
	}
	switch schema["type"] {
	case "string":
		s, ok := v.(string)
		if ok && schema["format"] == "date-time" {
			_, err := time.Parse(time.RFC3339, s)
			return err == nil && strings.HasSuffix(s, "Z")
		}
		return ok
	case "integer":
		n, ok := v.(float64)
		least, bounded := schema["minimum"].(float64)
		return ok && n == float64(int64(n)) && (!bounded || n >= least)
	case "number":
		_, ok := v.(float64)
		return ok
	case "boolean":
		_, ok := v.(bool)
		return ok
	case "array":
		_, ok := v.([]any)
		return ok
	case "object":
		_, ok := v.(map[string]any)
		return ok
	}
	return false
}

func (c *schemaChecker) checkObject(schema map[string]any, at string, v map[string]any) {
	properties, _ := schema["properties"].(map[string]any)
	for name, value := range v {
		property, ok := properties[name].(map[string]any)
		if others, free := schema["additionalProperties"].(map[string]any); !ok && free {
			c.check(others, at+".*", value)
			continue
		}
		if !ok {
			c.wrong = append(c.wrong, fmt.Sprintf("%s.%s is not in the document", at, name))
			continue
		}
		c.seen[at+"."+name] = true
		c.check(property, at+"."+name, value)
	}
	required, _ := schema["required"].([]any)
	for _, name := range required {
		if _, ok := v[name.(string)]; !ok {
			c.wrong = append(c.wrong, fmt.Sprintf("%s.%s is required and absent", at, name))
		}
	}
}

func (c *schemaChecker) checkOneOf(alternatives []any, at string, v any) {
	fits := 0
	for i, a := range alternatives {
		try := schemaChecker{schemas: c.schemas, seen: map[string]bool{}}
		try.check(a.(map[string]any), fmt.Sprintf("%s(%d)", at, i), v)
		if len(try.wrong) > 0 {
			continue
		}
		fits++
		for name := range try.seen {
			c.seen[name] = true
		}
	}
	if fits != 1 {
		c.wrong = append(c.wrong, fmt.Sprintf("%s is %v, which fits %d of the alternatives", at, v, fits))
	}
}

// members lists every member that a schema names.
func members(schema map[string]any, at string) []string {
	var list []string
	if alternatives, ok := schema["oneOf"].([]any); ok {
		for i, a := range alternatives {
			list = append(list, members(a.(map[string]any), fmt.Sprintf("%s(%d)", at, i))...)
		}
	}
	properties, _ := schema["properties"].(map[string]any)
	for name, p := range properties {
		list = append(list, at+"."+name)
		list = append(list, members(p.(map[string]any), at+"."+name)...)
	}
	if items, ok := schema["items"].(map[string]any); ok {
		list = append(list, members(items, at+"[]")...)
	}
	return list
}

// fullWorld is the world with one of everything that an answer can hold.
func fullWorld() (*fakeStore, fakeSessions) {
	store, sessions := world()
	path := route.ASPath(nil).AppendSegment(route.ASConfedSequence, 65001, 65002).
		AppendSegment(route.ASConfedSet, 65003).AppendSegment(route.ASSequence, 64500).AppendSegment(route.ASSet, 1, 2)
	linkLocal := append([]byte{0x20, 1, 15: 1}, []byte{0xfe, 0x80, 15: 2}...)
	r := store.routes[len(store.routes)-1]
	r.Attrs = route.Attrs(nil).AppendAttr(route.AttrASPath, path).AppendAttr(route.AttrNextHop, linkLocal)
	r.StaleSince, r.LongLived = now, true
	store.routes = append(store.routes, r)
	full := store.peers["edge1"]
	for _, f := range route.Families() {
		full.Routes[f], full.Stale[f], full.Freshness.EndOfRIB[f] = 1, 1, now
		sessions[1].EndOfRIB[f] = now
	}
	store.peers["edge1"] = full
	sessions[1].ConnectTo = "192.0.2.1:179"
	return store, sessions
}

func TestAnswersAndDocumentAgree(t *testing.T) {
	store, sessions := fullWorld()
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	document := fields(t, ask(t, h, "/api/v1/openapi.json"), http.StatusOK, "application/json")
	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	c := &schemaChecker{schemas: schemas, seen: map[string]bool{}}
	for _, row := range []struct{ target, schema string }{
		{"/api/v1/status", "Status"},
		{"/api/v1/peers", "Peers"},
		{"/api/v1/peers/edge1", "Peer"},
		{"/api/v1/peers/rs1.ixp", "Peer"},
		{"/api/v1/peers/edge1/malformed", "Malformed"},
		{"/api/v1/peers/edge2/malformed", "Malformed"},
		{"/api/v1/busiest", "Busiest"},
		{"/api/v1/growth", "Growth"},
		{"/api/v1/routes", "Routes"},
		{"/api/v1/routes?limit=1", "Routes"},
		{"/api/v1/routes?q=13335+peer+edge1&explain=true", "Explanation"},
		{"/api/v1/routes?q=13335+peer+edge1&facets=true", "Routes"},
		{"/api/v1/routes?q=frob", "Problem"},
		{"/api/v1/frob", "Problem"},
		{"/api/v1/complete?q=13335+peer+edge1", "Completions"},
		{"/api/v1/complete?q=frob+1", "Completions"},
	} {
		var v any
		if err := json.Unmarshal(ask(t, h, row.target).Body.Bytes(), &v); err != nil {
			t.Fatal(err)
		}
		c.check(schemas[row.schema].(map[string]any), row.schema, v)
	}
	for line := range strings.Lines(post(h, "/api/v1/lookup", "text/plain", "1.1.1.1\nfrob\n").Body.String()) {
		var v any
		if err := json.Unmarshal([]byte(line), &v); err != nil {
			t.Fatal(err)
		}
		c.check(schemas["Answer"].(map[string]any), "Answer", v)
	}
	c.checkThePast(t)
	c.checkRefused(t)
	c.checkText(t, "RefusedConnections", ask(t, refusedHandler(t), "/api/v1/refused").Body.String())
	c.checkNames(t)
	c.checkViews(t)
	c.checkSite(t)
	for _, w := range c.wrong {
		t.Errorf("an answer has what the document does not: %s", w)
	}
	delete(schemas, "Graph") // TestGraphsAndDocumentAgree
	for name, schema := range schemas {
		for _, m := range members(schema.(map[string]any), name) {
			switch m {
			case "Status.memory.rss_bytes", "ComparedRoute.long_lived_stale":
				continue // not every system tells it, and it takes a while to become so
			case "PastPeer.view", "ComparedRoute.view":
				continue // as of Peer and Route, which have it
			}
			if !c.seen[m] {
				t.Errorf("the document has what no answer has: %s", m)
			}
		}
	}
}

// shifted is a store that knows less than it is asked for.
type shifted struct{ *ribstore.Store }

func (s shifted) Search(ctx context.Context, q query.Query, p query.Page) (*query.Result, error) {
	res, err := s.Store.Search(ctx, q, p)
	if err == nil {
		res.Requested, res.Notices = res.At.Add(time.Second), []string{"a notice"}
	}
	return res, err
}

func (s shifted) PeersAt(ctx context.Context, at query.Moment) ([]ribstore.PeerStats, time.Time, []string, error) {
	list, when, notices, err := s.Store.PeersAt(ctx, at)
	return list, when.Add(-time.Second), append(notices, "a notice"), err
}

// checkThePast checks the answers that only a server with a history has.
func (c *schemaChecker) checkThePast(t *testing.T) {
	t.Helper()
	r, sessions := pastWorld(t)
	if err := os.WriteFile(filepath.Join(r.dir, "collections", "broken.db"), []byte("no history"), 0o600); err != nil {
		t.Fatal(err)
	}
	h := r.serverOf(shifted{r.store}, httpapi.DefaultConfig(), sessions)
	gap := r.param(betweenIt)
	for _, row := range []struct{ target, accept, schema string }{
		{"/api/v1/status", typeJSON, "Status"},
		{"/api/v1/routes?at=90m", typeJSON, "Routes"},
		{"/api/v1/routes?at=90m", typeNDJSON, "Route"},
		{"/api/v1/peers?at=50m", typeJSON, "Peers"},
		{"/api/v1/peers/edge1?at=" + gap, typeJSON, "PastPeerAnswer"},
		{"/api/v1/changes?limit=3", typeJSON, "Changes"},
		{"/api/v1/activity", typeJSON, "Activity"},
		{"/api/v1/activity?between=" + gap + "/now", typeJSON, "Activity"},
		{"/api/v1/changes?between=" + gap + "/now", typeJSON, "Changes"},
		{"/api/v1/changes?between=-2d/now", typeNDJSON, "Change"},
		{"/api/v1/timeline?q=" + thePrefix, typeJSON, "Timeline"},
		{"/api/v1/timeline?q=198.51.100.0/24&between=" + gap + "/now", typeJSON, "Timeline"},
		{"/api/v1/diff?a=90m&b=now&limit=1&stale=true", typeJSON, "Diff"},
		{"/api/v1/diff?a=" + gap + "&b=90m", typeJSON, "Diff"},
		{"/api/v1/diff?a=50m&peer_a=edge1&peer_b=rs1.ixp", typeJSON, "Diff"},
		{"/api/v1/diff?collection_b=old", typeJSON, "Diff"},
		{"/api/v1/diff?a=150m&b=50m&stale=true", typeNDJSON, "Difference"},
		{"/api/v1/history", typeJSON, "History"},
		{"/api/v1/collections", typeJSON, "Collections"},
		{"/api/v1/routes?at=90d", typeJSON, "Problem"},
	} {
		body := ask(t, h, row.target, "Accept", row.accept).Body.String()
		for line := range strings.Lines(body) {
			c.checkText(t, row.schema, line)
		}
	}
	for line := range strings.Lines(post(h, "/api/v1/lookup?at=90m", "text/plain", thePrefix).Body.String()) {
		c.checkText(t, "Answer", line)
	}
}

// The media types that are asked for.
const (
	typeJSON   = "application/json"
	typeNDJSON = "application/x-ndjson"
)

// checkViews checks answers about a table of a router that is no BGP session.
func (c *schemaChecker) checkViews(t *testing.T) {
	t.Helper()
	store, sessions := world()
	for i := range store.routes {
		store.routes[i].Peer.View = route.PostPolicy
	}
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	c.checkText(t, "Peer", ask(t, h, "/api/v1/peers/edge1").Body.String())
	c.checkText(t, "Routes", ask(t, h, "/api/v1/routes?view=post-policy").Body.String())
}

func (c *schemaChecker) checkText(t *testing.T, schema, text string) {
	t.Helper()
	var v any
	if err := json.Unmarshal([]byte(text), &v); err != nil {
		t.Fatal(err)
	}
	c.check(c.schemas[schema].(map[string]any), schema, v)
}

// TestFieldsFitTheDocument asks for each member of a route alone: the answer has no other,
// and fits the document.
func TestFieldsFitTheDocument(t *testing.T) {
	store, sessions := fullWorld()
	h := newServer(t, httpapi.DefaultConfig(), store, sessions).Handler()
	document := fields(t, ask(t, h, "/api/v1/openapi.json"), http.StatusOK, "application/json")
	schemas := document["components"].(map[string]any)["schemas"].(map[string]any)
	c := &schemaChecker{schemas: schemas, seen: map[string]bool{}}
	for name := range schemas["Route"].(map[string]any)["properties"].(map[string]any) {
		body := ask(t, h, "/api/v1/routes?fields="+name, "Accept", typeNDJSON).Body.String()
		for line := range strings.Lines(body) {
			c.checkText(t, "Route", line)
			var r map[string]any
			if err := json.Unmarshal([]byte(line), &r); err != nil {
				t.Fatal(err)
			}
			delete(r, name)
			if name == "router" {
				delete(r, "view")
			}
			if len(r) > 0 {
				t.Errorf("fields=%s gives %s too", name, line)
			}
		}
		if w := ask(t, h, "/api/v1/routes?fields="+name, "Accept", "text/csv"); w.Code != http.StatusOK {
			t.Errorf("fields=%s as CSV = %d", name, w.Code)
		}
	}
	for _, w := range c.wrong {
		t.Error(w)
	}
	names := document["paths"].(map[string]any)["/api/v1/routes"].(map[string]any)["get"].(map[string]any)["parameters"].([]any)
	for _, p := range names {
		if p := p.(map[string]any); p["name"] == "fields" {
			listed := p["schema"].(map[string]any)["items"].(map[string]any)["enum"].([]any)
			if want := len(schemas["Route"].(map[string]any)["properties"].(map[string]any)); len(listed) != want {
				t.Errorf("the parameter fields has %d names, a route %d members", len(listed), want)
			}
		}
	}
	decisions := schemas["Decision"].(map[string]any)["enum"].([]any)
	if got := fmt.Sprint(decisions); got != fmt.Sprint(table.Decisions()) {
		t.Errorf("decisions are %v, the document has %v", table.Decisions(), got)
	}
	if len(document["servers"].([]any)) == 0 || document["security"] == nil {
		t.Error("the document has no servers or no security")
	}
}

func TestDocumentNamesEveryCodeAndParameter(t *testing.T) {
	document := ask(t, worldHandler(t), "/api/v1/openapi.json").Body.String()
	source, err := os.ReadFile("web/problem.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`Code = "([a-z_]+)"`).FindAllStringSubmatch(string(source), -1)
	if len(codes) < 20 {
		t.Fatalf("found %d codes only", len(codes))
	}
	var program []string
	for _, m := range codes {
		program = append(program, m[1])
	}
	var parsed struct {
		Components struct {
			Schemas struct {
				Problem struct {
					Properties struct{ Code struct{ Enum []string } }
				}
			}
		}
	}
	if err := json.Unmarshal([]byte(document), &parsed); err != nil {
		t.Fatal(err)
	}
	documented := parsed.Components.Schemas.Problem.Properties.Code.Enum
	slices.Sort(program)
	slices.Sort(documented)
	if diff := cmp.Diff(program, documented); diff != "" {
		t.Errorf("codes of errors (-program +document):\n%s", diff)
	}
	for _, name := range []string{"q", "peer", "family", "limit", "cursor", "explain", "facets", "fields", "names", "best", "at", "between", "collection", "kind", "order", "a", "b", "peer_a", "peer_b", "collection_b", "stale", "format"} {
		if !strings.Contains(document, `"name": "`+name+`"`) {
			t.Errorf("parameter %s is not in the document", name)
		}
	}
}
