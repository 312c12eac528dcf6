package interop

import (
	"fmt"
	"math/rand/v2"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"testing"
	"time"
)

// fileGuard looks at a file all the time, and keeps how large it was at most.
type fileGuard struct {
	stop, done chan struct{}
	most       int64
}

func guardFile(path string) *fileGuard {
	g := &fileGuard{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(g.done)
		for {
			if info, err := os.Stat(path); err == nil {
				g.most = max(g.most, info.Size())
			}
			select {
			case <-g.stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
		}
	}()
	return g
}

func (g *fileGuard) end() int64 {
	close(g.stop)
	<-g.done
	return g.most
}

func (g *glass) takeSnapshot() error {
	response, err := http.Post("http://"+g.admin+"/-/snapshot", "", nil)
	if err != nil {
		return err
	}
	defer response.Body.Close()
	if response.StatusCode != http.StatusOK {
		return fmt.Errorf("POST /-/snapshot: %d", response.StatusCode)
	}
	return nil
}

// TestOnePeerCannotTakeTheHistory has one peer flood a history of the smallest size,
// with attribute sets that cannot be compressed or with small changes, while another
// one changes a prefix now and then.
func TestOnePeerCannotTakeTheHistory(t *testing.T) {
	t.Parallel()
	for i, row := range []struct {
		name    string
		noise   int // octets of an attribute,
		codes   int // of which there are so many
		updates int // sent at one time
	}{{"large attributes", 16_000, 3, 50}, {"small changes", 60, 1, 1500}} {
		t.Run(row.name, func(t *testing.T) {
			t.Parallel()
			attacker := speakerConfig{local: fmt.Sprintf("127.0.1.%d", 130+2*i), asn: 65230, capabilities: append(usualCapabilities(65230), capability(6))}
			honest := speakerConfig{local: fmt.Sprintf("127.0.1.%d", 131+2*i), asn: 65231}
			g := configuredGlass(t, "127.0.0.1", neighbor("attacker", attacker.local, 65230), neighbor("honest", honest.local, 65231))
			g.settings = "history: { max_size: 16MiB }\n"
			g.start()
			file := guardFile(filepath.Join(g.dataDir, "history.db"))
			a, h := dial(t, attacker, g.bgp), dial(t, honest, g.bgp)
			begun := thisMoment()
			a.send(endOfRIB(1), endOfRIB(2))
			h.send(endOfRIB(1), endOfRIB(2))
			memory := g.residentMemory()

			noise := rand.NewChaCha8([32]byte{byte(i)})
			value := make([]byte, row.noise)
			const rounds = 60
			for round := range rounds {
				var batch []byte
				for n := range row.updates {
					attributes := plainAttributes(65230)
					for code := range row.codes {
						_, _ = noise.Read(value)
						attributes = append(attributes, attribute(0xc0, byte(99+code), value...)...)
					}
					prefix := []byte{24, 20, 0, byte(n % 64)}
					if row.codes > 1 {
						prefix = []byte{24, 20, 0, 0}
					}
					batch = append(batch, updateMessage(nil, attributes, prefix)...)
				}
				if err := a.write(batch); err != nil {
					t.Fatal(err)
				}
				h.send(updateMessage(nil, concat(plainAttributes(65231), attribute(0x80, 4, 0, 0, 0, byte(round))), nlri("198.51.100.0/24")))
				time.Sleep(50 * time.Millisecond) // the flood lasts a while; nothing depends on how long
				if round == rounds/2 {
					if err := g.takeSnapshot(); err != nil {
						t.Error(err)
					}
				}
			}
			g.waitRoutes("honest", 1)
			g.waitFlooded(t, memory)
			g.wantEveryChange(t, begun, rounds)

			a.close()
			g.stop(t)
			g.start()
			defer g.stop(t)
			g.waitMetric("ribglass_history_recording", 1)
			if err := g.takeSnapshot(); err != nil {
				t.Error(err)
			}
			g.wantEveryChange(t, begun, rounds)
			if most := file.end(); most > 16<<20 {
				t.Errorf("the file had %d bytes", most)
			}
		})
	}
}

// waitFlooded waits until everything is recorded after a flood, and looks for what
// has to be said of the peer.
func (g *glass) waitFlooded(t *testing.T, memory int) {
	t.Helper()
	g.waitMetric("ribglass_history_recording", 1)
	g.waitRecorded()
	if err := g.takeSnapshot(); err != nil {
		t.Error(err)
	}
	if grown := g.residentMemory() - memory; grown > 384<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	} else {
		t.Logf("memory grew by %d MiB", grown>>20)
	}
	if n, err := g.metric(`ribglass_history_thinned_changes_total{peer="attacker"}`); err != nil || n == 0 {
		t.Errorf("%v changes were thinned, error %v", n, err)
	}
	if n, err := g.metric(`ribglass_history_thinned_changes_total{peer="honest"}`); err == nil && n > 0 {
		t.Errorf("%v changes of the other peer were thinned", n)
	}
	if !g.logged("more than its share of the history") {
		t.Errorf("the log does not name the peer:\n%s", g.tail())
	}
	var status struct {
		Attention []struct{ Peer, Kind string }
	}
	if err := g.getJSON("/api/v1/status", &status); err != nil {
		t.Fatal(err)
	}
	found := false
	for _, one := range status.Attention {
		found = found || one.Peer == "attacker" && (one.Kind == "history_thinned" || one.Kind == "history_lost")
	}
	if !found {
		t.Errorf("what needs attention: %+v", status.Attention)
	}
	g.unharmed()
}

// wantEveryChange fails the test unless the history has every change of the honest
// peer since a moment.
func (g *glass) wantEveryChange(t *testing.T, since time.Time, changes int) {
	t.Helper()
	var line struct {
		Notices []string
		Rows    []struct {
			Peer          string
			Announcements int
		}
	}
	span := " between " + moment(since) + " and " + moment(time.Now())
	if err := g.getJSON("/api/v1/timeline?q="+url.QueryEscape("198.51.100.0/24"+span), &line); err != nil {
		t.Fatal(err)
	}
	if len(line.Rows) != 1 || line.Rows[0].Peer != "honest" || line.Rows[0].Announcements != changes {
		t.Errorf("the history has %+v of the prefix of the other peer, want %d announcements", line.Rows, changes)
	}
	if len(line.Notices) == 0 {
		t.Error("nothing tells that changes of the attacker are missing")
	}
}
