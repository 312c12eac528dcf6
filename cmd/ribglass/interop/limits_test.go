package interop

import (
	"bytes"
	"encoding/binary"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// A peer that hits a limit pays for it alone, and everybody can learn why: on a
// page, in the API, in a metric and in the log, with its name.

// wantSeen waits until a limit that a peer hit is seen everywhere. metric is the one
// of notices; logged is what the log says beside the name of the peer.
func (g *glass) wantSeen(peer, kind, metric, logged string) {
	g.t.Helper()
	waitFor(g.t, 10*time.Second, kind+" of "+peer+" is seen", func() error {
		var status struct {
			Attention []struct{ Peer, Kind, Text string }
		}
		if err := g.getJSON("/api/v1/status", &status); err != nil {
			return err
		}
		text := ""
		for _, a := range status.Attention {
			if a.Peer == peer && a.Kind == kind {
				text = a.Text
			}
		}
		if text == "" {
			return fmt.Errorf("the status has %+v", status.Attention)
		}
		for path, want := range map[string]string{"/peers.txt": peer + ": " + text, "/peers/" + peer + ".txt": text} {
			if _, page, err := g.get(path); err != nil || !strings.Contains(string(page), "! "+want) {
				return fmt.Errorf("%s does not say %q: %w\n%s", path, want, err, page)
			}
		}
		if v, err := g.metric(fmt.Sprintf("%s{kind=%q,peer=%q}", metric, kind, peer)); err != nil || v != 1 {
			return fmt.Errorf("the metric is %v: %w", v, err)
		}
		for line := range bytes.Lines(g.log()) {
			if bytes.Contains(line, []byte("peer="+peer)) && bytes.Contains(line, []byte(logged)) {
				return nil
			}
		}
		return fmt.Errorf("the log does not say %q about %s", logged, peer)
	})
}

// extended are the capabilities of a router with extended messages (RFC 8654).
func extended(asn uint32) [][]byte { return append(usualCapabilities(asn), capability(6)) }

// floodAttributes announces /32s with four attributes of 15 kB each, which nothing
// shares, until so many octets are out or the other side ends the session.
func floodAttributes(s *speaker, asn uint32, octets int) (sent int) {
	const long = 15_000
	for i := uint32(0); sent < octets && !s.ended(); i++ {
		attrs := concat(origin(), asPath(asn), nextHop())
		for code := range byte(4) {
			value := binary.BigEndian.AppendUint32(make([]byte, 0, long), i)
			attrs = append(attrs, attribute(0xc0, 200+code, value[:long]...)...)
		}
		prefix := []byte{32, 10, byte(i >> 16), byte(i >> 8), byte(i)}
		m := updateMessage(nil, attrs, prefix)
		if s.write(m) != nil {
			return sent
		}
		sent += len(m)
	}
	return sent
}

// peakMemory returns the most memory that the process ever had resident and that no
// file backs, in octets, as far as Linux tells: the peak, less the pages of files.
func (g *glass) peakMemory() int {
	g.t.Helper()
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", g.cmd.Process.Pid))
	if err != nil {
		g.t.Fatal(err)
	}
	value := func(name string) int {
		_, rest, _ := strings.Cut(string(status), name+":")
		n, err := strconv.Atoi(strings.Fields(rest)[0])
		if err != nil {
			g.t.Fatal(err)
		}
		return n << 10
	}
	return value("VmHWM") - value("RssFile")
}

func TestLargeAttributesEndTheSessionOfTheirPeer(t *testing.T) {
	cfg := speakerConfig{local: "127.0.1.91", asn: 65191, capabilities: extended(65191)}
	b := newAttackBench(t, 11, cfg, "max_attribute_bytes: 32MiB")
	s := b.session()
	answered := watchLookups(t, b.glass)
	sent := floodAttributes(s, cfg.asn, 512<<20)
	s.wantNotification(6, 8) // out of resources
	answered.check(t)
	b.glass.waitPeer("attacker", "has no routes left", func(p shownPeer) bool {
		return p.State != "established" && p.Routes.Accepted == 0
	})
	b.glass.wantSeen("attacker", "max_attribute_bytes", "ribglass_collector_notice", "max_attribute_bytes 32MiB")
	if sent > 128<<20 {
		t.Errorf("the session ended after %d MiB, want about 32", sent>>20)
	}
	b.unharmed()
}

func TestOfALongAttributeTheLengthIsShown(t *testing.T) {
	t.Parallel()
	cfg := speakerConfig{local: "127.0.1.92", asn: 65192, capabilities: extended(65192)}
	b := newAttackBench(t, 12, cfg)
	s := b.session()
	s.send(updateMessage(nil, concat(origin(), asPath(cfg.asn), nextHop(), attribute(0xc0, 8, make([]byte, 40_000)...)), nlri(target)))
	if err := b.barrier(); err != nil {
		t.Fatal(err)
	}
	_, page, err := b.glass.get("/" + target + ".txt")
	if err != nil || !strings.Contains(string(page), "COMMUNITIES flags 0xc0: 40000 octets, too long to keep; SHA-256 ") {
		t.Errorf("the page of the prefix: %v\n%s", err, page)
	}
	b.glass.wantSeen("attacker", "max_attribute_length", "ribglass_collector_notice", "attributes are too long to be kept")
	b.unharmed()
}

// With a history and a limit of 256 MiB a peer sends 1 GB of attributes. It loses
// its routes, then its session; the program stays below the limit, and starts again.
func TestTheMemoryLimitHolds(t *testing.T) {
	const limit = 256 << 20
	cfg := speakerConfig{local: "127.0.1.93", asn: 65193, capabilities: extended(65193)}
	witness := speakerConfig{local: "127.0.7.13", asn: 65007}
	g := configuredGlass(t, "127.0.0.1",
		neighbor("attacker", cfg.local, cfg.asn, "max_attribute_bytes: 8GiB"), neighbor("bystander", witness.local, witness.asn))
	g.settings = "memory: { limit: 256MiB }\nhistory: { max_size: 256MiB }\n"
	g.start()
	bystander := dial(t, witness, g.bgp)
	bystander.send(plainRoute("203.0.113.0/24", witness.asn), endOfRIB(1), endOfRIB(2))
	g.waitRoutes("bystander", 1)
	attacker := dial(t, cfg, g.bgp)
	answered := watchLookups(t, g)
	sent := floodAttributes(attacker, cfg.asn, 1<<30)
	g.wantSeen("attacker", "routes_unkept", "ribglass_ribstore_notice", "are not kept, because the memory limit is near")
	bystander.send(plainRoute("203.0.113.128/25", witness.asn))
	g.waitRoutes("bystander", 2)
	answered.check(t)
	if peak := g.peakMemory(); peak > limit*5/4 {
		t.Errorf("after %d MiB the peak of memory is %d MiB", sent>>20, peak>>20)
	} else {
		t.Logf("after %d MiB the peak of memory is %d MiB", sent>>20, peak>>20)
	}
	g.unharmed()

	g.waitRecorded()
	g.signal(t, syscall.SIGKILL)
	<-g.exited
	g.start()
	if peak := g.peakMemory(); peak > limit*5/4 {
		t.Errorf("the start takes %d MiB", peak>>20)
	} else {
		t.Logf("the start takes %d MiB", peak>>20)
	}
	g.waitPeer("bystander", "has its routes again", func(p shownPeer) bool { return p.Routes.Accepted == 2 })
	attacker.close()
	bystander.close()
}
