package setting_test

import (
	"testing"

	"ribglass/setting"
)

func TestAnErrorBeginsWithItsKey(t *testing.T) {
	all := setting.Errors{setting.Errorf("searches", "%d: must be from 1 to %d", 0, 1000), {Key: "keep[0].for", Reason: "must be positive"}}
	const want = "searches: 0: must be from 1 to 1000\nkeep[0].for: must be positive"
	if got := all.Error(); got != want {
		t.Errorf("Error() = %q, want %q", got, want)
	}
}
