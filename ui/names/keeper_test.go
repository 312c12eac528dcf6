package names

import (
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"ribglass/ribstore/route"
)

func write(t *testing.T, path, text string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestBuiltInFilesAreWhole(t *testing.T) {
	var k Keeper
	if err := k.Load(Config{}); err != nil {
		t.Fatal(err)
	}
	if ases, dictionaries, definitions := k.Counts(); ases != 103861 || dictionaries != 137 || definitions < 6665 {
		t.Errorf("Counts() = %d, %d, %d", ases, dictionaries, definitions)
	}
	if got := k.AS(13335); !strings.Contains(got, "Cloudflare") {
		t.Errorf("AS(13335) = %q", got)
	}
	if got := k.Explain(Standard(1299<<16|30100), nil); got != "Copenhagen (Customer)" {
		t.Errorf("Explain(1299:30100) = %q", got)
	}
	if got := k.Explain(Standard(65003<<16|7), []route.ASN{13030}); !strings.HasSuffix(got, "(AS13030)") || !strings.Contains(got, "3") {
		t.Errorf("Explain(65003:7) by way of AS13030 = %q", got)
	}
	if len(builtinNames)+len(builtinCommunities) > 1500<<10 {
		t.Errorf("built-in files have %d bytes", len(builtinNames)+len(builtinCommunities))
	}
}

func TestOwnFilesStandBeforeBuiltInOnes(t *testing.T) {
	dir := t.TempDir()
	write(t, filepath.Join(dir, "names"), "64500 Mine\n")
	write(t, filepath.Join(dir, "own", "as1299.txt"), "1299:1,Mine too\n")
	var k Keeper
	if err := k.Load(Config{File: filepath.Join(dir, "names"), Communities: filepath.Join(dir, "own")}); err != nil {
		t.Fatal(err)
	}
	for got, want := range map[string]string{
		k.AS(64500): "Mine", k.AS(13335): "",
		k.Explain(Standard(1299<<16|1), nil): "Mine too", k.Explain(Standard(1299<<16|30100), nil): "",
		k.Explain(Standard(174<<16|21000), nil): "Route is learned from NA (North America) non-customer.",
	} {
		if want == "Route is learned from NA (North America) non-customer." && got != "" {
			continue // the words are theirs
		}
		if got != want {
			t.Errorf("said %q, want %q", got, want)
		}
	}
}

func TestNoneIsNone(t *testing.T) {
	var k Keeper
	if err := k.Load(Config{File: None, Communities: None}); err != nil {
		t.Fatal(err)
	}
	if k.AS(13335) != "" || k.Explain(Standard(1299<<16|30100), nil) != "" || k.Complete("cloud", 3) != nil {
		t.Error("names of nothing")
	}
	if k.Explain(Standard(0xffffff01), nil) == "" {
		t.Error("well-known communities need no file")
	}
}

func TestBadFileKeepsTheOldNames(t *testing.T) {
	dir := t.TempDir()
	file, own := filepath.Join(dir, "names"), filepath.Join(dir, "own")
	cfg := Config{File: file, Communities: own}
	write(t, file, "64500 First\n")
	write(t, filepath.Join(own, "as64500.txt"), "64500:1,First\n")
	var k Keeper
	load := func(wantErr string) {
		t.Helper()
		err := k.Load(cfg)
		if wantErr == "" && err != nil || wantErr != "" && (err == nil || !strings.Contains(err.Error(), wantErr)) {
			t.Errorf("Load() = %v, want %q", err, wantErr)
		}
	}
	said := func(name, community string) {
		t.Helper()
		if got := k.AS(64500); got != name {
			t.Errorf("AS(64500) = %q, want %q", got, name)
		}
		if got := k.Explain(Standard(64500<<16|1), nil); got != community {
			t.Errorf("Explain(64500:1) = %q, want %q", got, community)
		}
	}
	load("")
	said("First", "First")
	write(t, file, "64500 Second\nbroken\n")
	write(t, filepath.Join(own, "as64500.txt"), "64500:1,Second\n")
	load(`names: line 2: "broken" is not`)
	said("First", "Second")
	write(t, file, "64500 Third\n")
	write(t, filepath.Join(own, "as64500.txt"), "64500:1,Third\n64500:x\n")
	load("as64500.txt: line 2")
	said("Third", "Second")
	cfg = Config{File: filepath.Join(dir, "gone"), Communities: filepath.Join(dir, "gone")}
	load("gone")
	said("Third", "Second")
	cfg = Config{}
	load("")
	if k.AS(13335) == "" || k.Explain(Standard(64500<<16|1), nil) != "" {
		t.Error("not back to the built-in files")
	}
	var fresh Keeper
	if err := fresh.Load(Config{File: filepath.Join(dir, "gone"), Communities: dir}); err == nil || fresh.AS(13335) == "" ||
		fresh.Explain(Standard(1299<<16|30100), nil) == "" {
		t.Errorf("at the start a bad file leaves the built-in names: %v", err)
	}
}

func TestReadersGoOnWhileFilesChange(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "names")
	write(t, file, "1 one\n")
	var k Keeper
	var readers sync.WaitGroup
	stop := make(chan struct{})
	for range 4 {
		readers.Go(func() {
			for {
				select {
				case <-stop:
					return
				default:
					_ = k.AS(1) + k.Explain(Standard(1), nil)
					_ = k.Complete("o", 3)
				}
			}
		})
	}
	for range 50 {
		if err := k.Load(Config{File: file, Communities: None}); err != nil {
			t.Error(err)
		}
	}
	close(stop)
	readers.Wait()
}
