package graph

import "testing"

// TestCurvesAreEvenOnBothSides: a curve leaves and arrives level, goes through the middle
// of its two ends, and never back.
func TestCurvesAreEvenOnBothSides(t *testing.T) {
	way := flat([]leg{{x: 10, y: 20}, {x: 110, y: 80, curve: true}}, 1)
	last := len(way) - 1
	if way[0] != (point{10, 20}) || way[last] != (point{110, 80}) {
		t.Fatalf("the curve goes from %v to %v", way[0], way[last])
	}
	for i, p := range way {
		other := way[last-i]
		if dx, dy := p.x+other.x-120, p.y+other.y-100; dx > .01 || dx < -.01 || dy > .01 || dy < -.01 {
			t.Errorf("point %d, %v, and its counterpart %v are not even", i, p, other)
		}
		if i > 0 && (p.x <= way[i-1].x || p.y <= way[i-1].y) {
			t.Errorf("point %d, %v, is behind %v", i, p, way[i-1])
		}
	}
	if first := way[1]; first.y-20 > (first.x-10)/2 {
		t.Errorf("the curve does not leave level: %v", first)
	}
}

func TestTextOfAPictureIsPrintable(t *testing.T) {
	for in, want := range map[string]string{
		"edge1":                "edge1",
		"a\u0301\u0301\u0301b": "a\u0301b", // one mark upon a letter
		"a\u0301b\u0301":       "a\u0301b\u0301",
		"\u0301a":              "a", // a mark upon nothing
		"a\u202eb\x00":         "a\ufffdb\ufffd",
		"abcdefgh":             "abcdefgh",
		"abcdefghi":            "abcdefg…",
		"日本語名":                 "日本語名",
		"日本語名前":                "日本語…",
	} {
		if got := printable(in, 8); got != want {
			t.Errorf("printable(%q, 8) = %q, want %q", in, got, want)
		}
	}
}
