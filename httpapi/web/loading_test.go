package web

import "testing"

func TestLoadingSaysHowFarItIs(t *testing.T) {
	for of, want := range map[Loading]string{
		{}:                     "Ribglass is loading what it recorded. Sessions come up meanwhile; ask again in a moment.",
		{Done: 1, Of: 3}:       "Ribglass is loading what it recorded: 33% of 3 routes and changes. Sessions come up meanwhile; ask again in a moment.",
		{Done: 0, Of: 1234567}: "Ribglass is loading what it recorded: 0% of 1,234,567 routes and changes. Sessions come up meanwhile; ask again in a moment.",
		{Done: 1000, Of: 1000}: "Ribglass is loading what it recorded: 100% of 1,000 routes and changes. Sessions come up meanwhile; ask again in a moment.",
	} {
		if got := of.String(); got != want {
			t.Errorf("%+v: %q, want %q", of, got, want)
		}
	}
}
