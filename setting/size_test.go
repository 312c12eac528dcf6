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
	var most setting.Size
	if err := most.UnmarshalText([]byte("9223372036854775807B")); err != nil || most != 1<<63-1 {
		t.Errorf("the largest size was read as %d: %v", most, err)
	}
	if err := most.UnmarshalText([]byte("8388607TiB")); err != nil || most != 8388607<<40 {
		t.Errorf("the most TiB were read as %d: %v", most, err)
	}
	for _, text := range []string{"", "4", "GiB", "-1GiB", "1.5GiB", "4Gi", "4gib", "8388608TiB", "9223372036854775808B", "1 000MB"} {
		if got := setting.Size(7); got.UnmarshalText([]byte(text)) == nil || got != 7 {
			t.Errorf("%q was read as %d", text, got)
		}
	}
	for size, want := range map[setting.Size]string{1_500_000: "1.4MiB", 134_217_728: "128MiB", 268_000_000: "255MiB"} {
		if got := size.String(); got != want {
			t.Errorf("%d is written as %s, want %s", int64(size), got, want)
		}
	}
}
