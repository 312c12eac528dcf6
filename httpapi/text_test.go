package httpapi_test

import (
	"flag"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "write the golden files anew")

func TestTextForm(t *testing.T) {
	h := worldHandler(t)
	for name, target := range map[string]string{
		"home": "/index.txt", "lookup": "/1.1.1.1.txt", "covering": "/1.1.1.0/24/or-shorter.txt", "page": "/search.txt?q=family+ipv4&limit=1",
		"none": "/203.0.113.1.txt", "peers": "/peers.txt", "peer": "/peers/edge1.txt", "peer-down": "/peers/rs1.ixp.txt",
		"problem": "/search.txt?q=1.1.1.0/24+frob", "nothing": "/frob.txt",
	} {
		t.Run(name, func(t *testing.T) {
			got := ask(t, h, target).Body.String()
			file := filepath.Join("testdata", name+".txt")
			if *update {
				if err := os.WriteFile(file, []byte(got), 0o600); err != nil {
					t.Fatal(err)
				}
				t.Fatalf("%s was written: look at what changed, and run again without -update", file)
			}
			want, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(string(want), got); diff != "" {
				t.Errorf("GET %s (-want +got):\n%s", target, diff)
			}
			for line := range strings.Lines(got) {
				if n := utf8.RuneCountInString(line); n > 121 {
					t.Errorf("a line has %d columns: %s", n, line)
				}
			}
		})
	}
}
