package interop

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
	"time"
)

// ownMounts makes file systems that only the glass sees: a command runs in a mount
// namespace of its own, which a process holds until the end of the test. It skips
// the test where that is not allowed.
func ownMounts(t testing.TB, g *glass, command string) (root string) {
	t.Helper()
	needProgram(t, "unshare", "util-linux")
	arguments := []string{"--mount"}
	if os.Geteuid() != 0 {
		arguments = append(arguments, "--user", "--map-root-user")
	}
	if out, err := output("unshare", append(arguments, "mount", "-t", "tmpfs", "none", t.TempDir())...); err != nil {
		t.Skipf("no mount namespaces here: %v%s", err, out)
	}
	ready := filepath.Join(workDir(t), "mounted")
	p := startProcess(t, g.dir, "unshare", append(arguments, "sh", "-ec", command+"; : > "+ready+"; exec sleep 3600")...)
	waitFor(t, 10*time.Second, "the mount", func() error {
		if !p.running() {
			t.Fatalf("%s: %s", command, p.tail())
		}
		_, err := os.Stat(ready)
		return err
	})
	pid := strconv.Itoa(p.cmd.Process.Pid)
	g.within = []string{"nsenter", "--mount", "--target", pid}
	if os.Geteuid() != 0 {
		g.within = append(g.within, "--user", "--preserve-credentials")
	}
	g.within = append(g.within, "--")
	return filepath.Join("/proc", pid, "root")
}

// On a disk that cannot be written the past is there to be asked, nothing is
// recorded, which is an alarm, and all else goes on.
func TestADataDirThatCannotBeWritten(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.117", 65217))
	cfg := speakerConfig{local: "127.0.1.117", asn: 65217}
	s := dial(t, cfg, g.bgp)
	s.send(plainRoute("198.51.100.0/24", 65217), endOfRIB(1), endOfRIB(2))
	g.waitRoutes("peer", 1)
	then := thisMoment()
	s.send(plainRoute("203.0.113.0/24", 65217))
	g.waitRoutes("peer", 2)
	stopped := time.Now()
	g.stop(t)
	s.close()
	file := filepath.Join(g.dataDir, "history.db")
	before, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}

	t.Run("with a history in it", func(t *testing.T) {
		g := *g
		g.t = t
		ownMounts(t, &g, fmt.Sprintf("mount --bind %[1]s %[1]s && mount -o remount,ro,bind %[1]s", g.dataDir))
		g.start()
		defer g.stop(t)
		g.wantStale("peer", 2, 2, stopped)
		if !g.logged("can only be read") {
			t.Errorf("the log does not say that nothing is recorded:\n%s", g.tail())
		}
		g.waitMetric("ribglass_history_recording", 0)
		if got := g.ask("peer peer at " + moment(then)); got.Total != 1 {
			t.Errorf("the past: %+v", got)
		}
		s := dial(t, cfg, g.bgp)
		defer s.close()
		s.send(plainRoute("192.0.2.0/24", 65217), endOfRIB(1), endOfRIB(2))
		g.waitRoutes("peer", 1)
		if got := g.ask("192.0.2.1"); got.Total != 1 {
			t.Errorf("the present: %+v", got)
		}
		g.unharmed()
		if after, err := os.ReadFile(file); err != nil || !bytes.Equal(before, after) {
			t.Errorf("the file was changed, error %v", err)
		}
	})

	t.Run("without a history", func(t *testing.T) {
		g := *g
		g.t, g.dataDir = t, workDir(t)
		ownMounts(t, &g, fmt.Sprintf("mount --bind %[1]s %[1]s && mount -o remount,ro,bind %[1]s", g.dataDir))
		g.start()
		defer g.stop(t)
		if !g.logged("nothing is recorded") {
			t.Errorf("the log does not say that nothing is recorded:\n%s", g.tail())
		}
		g.waitMetric("ribglass_history_recording", 0)
		s := dial(t, cfg, g.bgp)
		defer s.close()
		s.send(plainRoute("192.0.2.0/24", 65217), endOfRIB(1), endOfRIB(2))
		g.waitRoutes("peer", 1)
		g.unharmed()
	})
}

// fillDisk writes a file until there is no more room.
func fillDisk(t testing.TB, name string) {
	t.Helper()
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for _, size := range []int{1 << 16, 1} {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
		if !errors.Is(err, syscall.ENOSPC) {
			t.Fatal(err)
		}
	}
}

// When the disk is full, lookups go on and an alarm is there. When it has room
// again, what waited is written, and nothing is missing.
func TestADiskThatIsFull(t *testing.T) {
	t.Parallel()
	g := configuredGlass(t, "127.0.0.1", neighbor("peer", "127.0.1.118", 65218))
	cfg := speakerConfig{local: "127.0.1.118", asn: 65218}
	g.dataDir = workDir(t)
	root := ownMounts(t, g, "mount -t tmpfs -o size=4m none "+g.dataDir)
	ballast := filepath.Join(root, g.dataDir, "ballast")
	g.start()
	s := dial(t, cfg, g.bgp)
	s.send(plainRoute("198.51.100.0/24", 65218), endOfRIB(1), endOfRIB(2))
	g.waitRoutes("peer", 1)
	g.waitRecorded()
	full := thisMoment()
	fillDisk(t, ballast)

	feed := loadFeed(t)[:1000]
	s.send(feedUpdates(feed))
	g.waitRoutes("peer", 1001)
	g.waitMetric("ribglass_history_recording", 0)
	g.waitLogged(t, "the history cannot be written; lookups go on")
	if got := g.ask(feed[0].prefix.String()); got.Total != 1 {
		t.Errorf("a lookup while the disk is full: %+v", got)
	}
	if got := g.ask("peer peer at " + moment(full)); got.Total != 1 {
		t.Errorf("the past while the disk is full: %+v", got)
	}
	between := thisMoment()
	s.send(withdrawal(feed[0].prefix))
	g.waitRoutes("peer", 1000)
	g.unharmed()

	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	g.waitMetric("ribglass_history_recording", 1)
	g.waitLogged(t, "the history is written again")
	g.waitRecorded()
	for _, row := range []struct {
		when time.Time
		want int
	}{{full, 1}, {between, 1001}, {time.Now(), 1000}} {
		if got := g.ask("peer peer at " + moment(row.when)); got.Total != row.want || len(got.Notices) > 0 {
			t.Errorf("at %v: %d routes, want %d; notices %q", row.when, got.Total, row.want, got.Notices)
		}
	}

	// Killed while the disk is full: what was not written is lost, and that is
	// said.
	fillDisk(t, ballast)
	s.send(plainRoute("203.0.113.0/24", 65218))
	g.waitRoutes("peer", 1001)
	g.waitMetric("ribglass_history_recording", 0)
	lost := thisMoment()
	g.kill()
	s.close()
	if err := os.Remove(ballast); err != nil {
		t.Fatal(err)
	}
	g.start()
	g.wantStale("peer", 1000, 1000, lost)
	if got := g.ask("peer peer at " + moment(lost)); got.Total != 1000 || len(got.Notices) == 0 {
		t.Errorf("a moment that is lost: %d routes, notices %q", got.Total, got.Notices)
	}
	g.waitMetric("ribglass_history_recording", 1)
	g.unharmed()
}
