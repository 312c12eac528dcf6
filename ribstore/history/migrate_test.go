package history

import (
	"bytes"
	"errors"
	"log/slog"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// A file of the former format has the one of this version afterwards, and all it had.
func TestMigrate(t *testing.T) {
	t.Parallel()
	s, moments := recorded(t, filepath.Join(memoryDir(t), "now.db"), 120)
	path := filepath.Join(memoryDir(t), "h.db")
	unpack(t, "testdata/format3.db.gz", path)
	for _, want := range []string{"ribglass history 3", Format} {
		if before, err := Migrate(path); before != want || err != nil {
			t.Errorf("Migrate = %q, %v; want %q", before, err, want)
		}
	}
	h, err := OpenReadOnly(path, s.clockFor(1000).deps(slog.DiscardHandler))
	if err != nil {
		t.Fatal(err)
	}
	if err := errors.Join(knows(t, h, moments), h.Close()); err != nil {
		t.Error(err)
	}
}

// What is no history of the former format is left as it is.
func TestMigrateLeavesOthersAlone(t *testing.T) {
	t.Parallel()
	path := filepath.Join(memoryDir(t), "h.db")
	unpack(t, "testdata/format3.db.gz", path)
	old, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	for name, octets := range map[string][]byte{
		"an older one": bytes.ReplaceAll(old, []byte("ribglass history 3"), []byte("ribglass history 2")),
		"a text":       []byte(strings.Repeat("no history\n", 10_000)),
	} {
		if err := os.WriteFile(path, octets, 0o600); err != nil {
			t.Fatal(err)
		}
		if _, err := Migrate(path); err == nil {
			t.Errorf("%s: no error", name)
		}
		if now, err := os.ReadFile(path); err != nil || !bytes.Equal(now, octets) {
			t.Errorf("%s: the file is another now, %v", name, err)
		}
	}
}
