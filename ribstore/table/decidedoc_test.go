package table

import (
	"os"
	"regexp"
	"testing"

	gocmp "github.com/google/go-cmp/cmp"
)

// TestStepsAreThoseOfTheDocument reads the table of steps, in their order.
func TestStepsAreThoseOfTheDocument(t *testing.T) {
	text, err := os.ReadFile("../../docs/decision.md")
	if err != nil {
		t.Fatal(err)
	}
	var documented []string
	for _, m := range regexp.MustCompile("(?m)^\\| *\\d* *\\| `([a-z-]+)` \\|").FindAllStringSubmatch(string(text), -1) {
		documented = append(documented, m[1])
	}
	if diff := gocmp.Diff(Decisions(), documented); diff != "" {
		t.Errorf("steps (-decide.go +docs/decision.md): %s", diff)
	}
}
