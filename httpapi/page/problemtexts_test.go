package page

import (
	"os"
	"regexp"
	"testing"

	"ribglass/httpapi/web"
	"ribglass/ribstore/query"
	"ribglass/ui/catalogue"
)

// TestTextsAreThoseOfPrograms compares the English texts with those that programs
// are told, which stand in Go.
func TestTextsAreThoseOfPrograms(t *testing.T) {
	set, err := catalogue.Load("", nil)
	if err != nil {
		t.Fatal(err)
	}
	source, err := os.ReadFile("../web/problem.go")
	if err != nil {
		t.Fatal(err)
	}
	codes := regexp.MustCompile(`(?m)^\tCode\w+ +Code = "([a-z_]+)"`).FindAllSubmatch(source, -1)
	if len(codes) < 20 {
		t.Fatalf("found %d codes only", len(codes))
	}
	for _, m := range codes {
		c := web.Code(m[1])
		if _, title := c.Describe(); title != set.English().T("problem."+string(c)) {
			t.Errorf("problem.%s is %q, the API says %q", c, set.English().T("problem."+string(c)), title)
		}
	}
	for _, w := range query.Words() {
		if got := set.English().T("word." + w.Text); got != w.Means {
			t.Errorf("word.%s is %q, the API says %q", w.Text, got, w.Means)
		}
	}
}
