package ask

import "testing"

func TestSpansHaveASlash(t *testing.T) {
	for text, want := range map[string]string{
		"-2h/now": "-2h and now", "2h/1h": "-2h and -1h", "2026-11-22T03:00Z/2026-11-22T04:00Z": "2026-11-22T03:00:00Z and 2026-11-22T04:00:00Z",
		"2026-11-22/-1h": "2026-11-22T00:00:00Z and -1h",
	} {
		if got, err := ParseSpan(text); err != nil || got.String() != want {
			t.Errorf("ParseSpan(%q) = %s, %v, want %s", text, got, err, want)
		}
	}
	for _, text := range []string{"", "/", "now/now", "-1h", "-1h/-2h", "-2h/frob", "frob/now", "-2h/-1h/now", "now/-1h"} {
		if got, err := ParseSpan(text); err == nil {
			t.Errorf("ParseSpan(%q) = %s, want an error", text, got)
		}
	}
}

func FuzzSpan(f *testing.F) {
	for _, text := range []string{"-2h/now", "2026-11-22/1h", "/", "-1h"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		span, err := ParseSpan(text)
		if err != nil {
			return
		}
		again, err := ParseSpan(SpanText(span))
		if err != nil || again != span {
			t.Errorf("%q is %s, which is read as %s, %v", text, span, again, err)
		}
	})
}
