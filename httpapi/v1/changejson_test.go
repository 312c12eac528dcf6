package v1

import (
	"testing"

	"ribglass/ribstore/changes"
)

func TestWhatHappensToAFamilyOfASession(t *testing.T) {
	for kind, want := range map[changes.Kind]bool{
		changes.EndOfRIB: true, changes.RefreshBegun: true, changes.RefreshEnded: true,
		changes.Announced: false, changes.Withdrawn: false, changes.SessionUp: false, changes.SessionDown: false,
	} {
		if got := OfFamily(kind); got != want {
			t.Errorf("OfFamily(%v) = %v, want %v", kind, got, want)
		}
	}
}
