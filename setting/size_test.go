package setting_test

import (
	"testing"

	"ribglass/setting"
)

func TestASizeIsWrittenAsItIsRead(t *testing.T) {
	for text, want := range map[string]setting.Size{"0B": 0, "1023B": 1023, "64MiB": 64 << 20, "4GiB": 4 << 30, "7TiB": 7 << 40} {
		var got setting.Size
		if err := got.UnmarshalText([]byte(text)); err != nil || got != want {
			t.Errorf("%s was read as %d: %v", text, got, err)
		}
		if got.String() != text {
			t.Errorf("%s is written as %s", text, got)
		}
	}
	for size, want := range map[setting.Size]string{1_500_000: "1.4MiB", 134_217_728: "128MiB", 268_000_000: "255MiB"} {
		if got := size.String(); got != want {
			t.Errorf("%d is written as %s, want %s", int64(size), got, want)
		}
	}
}
