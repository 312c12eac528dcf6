package route

import "testing"

func TestNamesOfViewsAreReadBack(t *testing.T) {
	views := Views()
	if len(views) != int(NumViews) {
		t.Fatalf("Views() has %d views, want %d", len(views), NumViews)
	}
	for _, v := range views {
		if got, ok := ParseView(v.String()); !ok || got != v {
			t.Errorf("ParseView(%q) = %v, %v, want %v", v.String(), got, ok, v)
		}
	}
	if v, ok := ParseView("Post-Policy"); !ok || v != PostPolicy {
		t.Errorf("ParseView(%q) = %v, %v, want %v", "Post-Policy", v, ok, PostPolicy)
	}
	for _, name := range []string{"", "policy", "view(5)"} {
		if v, ok := ParseView(name); ok {
			t.Errorf("ParseView(%q) = %v, want none", name, v)
		}
	}
	if got, want := View(9).String(), "view(9)"; got != want {
		t.Errorf("View(9).String() = %q, want %q", got, want)
	}
}
