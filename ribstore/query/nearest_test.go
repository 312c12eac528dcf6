package query

import "testing"

func TestNearest(t *testing.T) {
	names := []string{"origin", "via", "path", "peer", "stale"}
	for s, want := range map[string]string{
		"orrigin": "origin", "oriign": "origin", "roigin": "origin", "pear": "peer", "pth": "path",
		"bogus": "", "x": "", "": "", "via": "via",
	} {
		if got := Nearest(s, names); got != want {
			t.Errorf("Nearest(%q) = %q, want %q", s, got, want)
		}
	}
}
