package httpapi_test

import (
	"encoding/json"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"

	"github.com/gin-gonic/gin"
	"github.com/google/go-cmp/cmp"
)

// values fill in the parameters of paths.
var values = strings.NewReplacer(":target", "1.1.1.0", ":length", "24", ":longer", "or-longer", ":name", "edge1", ":asn", "64501",
	":community", "64501:100", ":page", "none", ":file", "none")

// pathsOf returns the paths that the engine reads, so that a new one is tested without
// anybody's doing.
func pathsOf(t *testing.T, h http.Handler) (list []string) {
	t.Helper()
	engine, ok := h.(interface{ Routes() gin.RoutesInfo })
	if !ok {
		t.Fatalf("the handler is a %T, which does not tell its routes", h)
	}
	for _, r := range engine.Routes() {
		if r.Method == http.MethodGet {
			list = append(list, r.Path)
		}
	}
	if len(list) < 60 {
		t.Fatalf("found %d paths only", len(list))
	}
	return list
}

// TestEveryPathOfTheServerAnswers asks every path in every form. What is HTML has the
// frame, with the live bar as the sessions are, also where there is nothing.
func TestEveryPathOfTheServerAnswers(t *testing.T) {
	h := worldHandler(t)
	up := regexp.MustCompile(`[1-9]\d* of [1-9]\d* peers? up`)
	forms := []string{"text/html", "text/plain", "application/json"}
	for _, path := range pathsOf(t, h) {
		target := values.Replace(path)
		if strings.Contains(target, "/:") {
			t.Fatalf("%s has a parameter without a value here", path)
		}
		for _, accept := range forms {
			w := ask(t, h, target, "Accept", accept)
			body, kind := w.Body.String(), w.Header().Get("Content-Type")
			if w.Code >= http.StatusInternalServerError || body == "" {
				t.Errorf("GET %s as %s: %d %s", target, accept, w.Code, body)
			}
			for _, part := range []string{"<title>", "<h1", `<main id="main"`, "<footer>"} {
				if strings.HasPrefix(kind, "text/html") && !strings.Contains(body, part) {
					t.Errorf("GET %s: %d without %s", target, w.Code, part)
				}
			}
			if strings.HasPrefix(kind, "text/html") && !up.MatchString(body) {
				t.Errorf("GET %s: %d whose bar does not say how many peers are up", target, w.Code)
			}
		}
	}
}

// TestEveryPathOfTheInterfaceIsInItsDocument compares what the engine reads below /api/v1
// with the document, both ways.
func TestEveryPathOfTheInterfaceIsInItsDocument(t *testing.T) {
	h := worldHandler(t)
	var document struct{ Paths map[string]map[string]any }
	if err := json.Unmarshal(ask(t, h, "/api/v1/openapi.json").Body.Bytes(), &document); err != nil {
		t.Fatal(err)
	}
	parameter := regexp.MustCompile(`:(\w+)`)
	var served, told []string
	for _, path := range pathsOf(t, h) {
		if rest, ok := strings.CutPrefix(path, "/api/v1/"); ok && rest != "" {
			served = append(served, parameter.ReplaceAllString(path, "{$1}"))
		}
	}
	for path := range document.Paths {
		if !strings.HasPrefix(path, "/api/v1") {
			path = "/api/v1" + path
		}
		told = append(told, path)
	}
	slices.Sort(served)
	slices.Sort(told)
	if diff := cmp.Diff(served, told); diff != "" {
		t.Errorf("paths (-served +document):\n%s", diff)
	}
}
