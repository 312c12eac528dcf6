package interop

import (
	"encoding/binary"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"
)

// flood announces random /32 prefixes, ten an UPDATE, each UPDATE with path and
// communities of its own, so that nothing can be shared, until count are out or
// the other side ends the session.
func flood(s *speaker, asn uint32, count int) (sent int) {
	r := rand.New(rand.NewPCG(1, 2))
	batch := make([]byte, 0, 1<<18)
	for sent < count && !s.ended() {
		batch = batch[:0]
		for len(batch) < 1<<17 {
			path := binary.BigEndian.AppendUint32([]byte{2, 4}, asn)
			for range 3 {
				path = binary.BigEndian.AppendUint32(path, r.Uint32())
			}
			communities := make([]byte, 0, 32)
			for range 8 {
				communities = binary.BigEndian.AppendUint32(communities, r.Uint32())
			}
			var prefixes []byte
			for range 10 {
				prefixes = append(prefixes, 32, byte(1+r.UintN(222)), byte(r.UintN(256)), byte(r.UintN(256)), byte(r.UintN(256)))
			}
			batch = append(batch, updateMessage(nil, concat(origin(), attribute(0x40, 2, path...), nextHop(),
				attribute(0xc0, 8, communities...)), prefixes)...)
			sent += 10
		}
		if s.write(batch) != nil {
			return sent
		}
	}
	return sent
}

// A peer that floods random host routes trips max_prefixes: Cease, its routes
// gone, the memory back, and lookups answered all the while.
func TestAFloodTripsMaxPrefixes(t *testing.T) {
	cfg := speakerConfig{local: "127.0.1.81", asn: 65181}
	b := newAttackBench(t, 6, cfg, "max_prefixes: 200000")
	before := b.glass.residentMemory()
	s := b.session()
	answered := watchLookups(t, b.glass)
	sent := flood(s, cfg.asn, 1_500_000)
	s.wantNotification(6, 1) // maximum number of prefixes reached
	b.glass.waitPeer("attacker", "has no routes left", func(p shownPeer) bool {
		return p.State != "established" && p.Routes.Accepted == 0
	})
	answered.check(t)
	if grown := b.glass.residentMemory() - before; grown > 256<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	}
	if _, err := tryDial(t, cfg, b.glass.bgp); err == nil {
		t.Error("the peer may come back at once")
	}
	b.unharmed()
	t.Logf("%d prefixes sent", sent)
}

// Without a limit a flood costs what it holds, and lookups are answered.
func TestAFloodWithoutLimitIsHeld(t *testing.T) {
	const count = 400_000
	cfg := speakerConfig{local: "127.0.1.82", asn: 65182}
	b := newAttackBench(t, 7, cfg)
	before := b.glass.residentMemory()
	s := b.session()
	answered := watchLookups(t, b.glass)
	flood(s, cfg.asn, count)
	if err := b.barrier(); err != nil {
		t.Fatal(err)
	}
	answered.check(t)
	if n := b.glass.peer("attacker").Routes.Accepted; n < count*9/10 { // a few are drawn twice
		t.Errorf("%d routes, want about %d", n, count)
	}
	// 40,000 attribute sets of 80 octets and 400,000 prefixes.
	if grown := b.glass.residentMemory() - before; grown > 512<<20 {
		t.Errorf("memory grew by %d MiB", grown>>20)
	} else {
		t.Logf("memory grew by %d MiB", grown>>20)
	}
	b.unharmed()
}

// lookups asks for an address over and over, and keeps how long that takes.
type lookups struct {
	stop, done chan struct{}
	took       []time.Duration
	failed     error
}

func watchLookups(t *testing.T, g *glass) *lookups {
	t.Helper()
	l := &lookups{stop: make(chan struct{}), done: make(chan struct{})}
	go func() {
		defer close(l.done)
		for {
			select {
			case <-l.stop:
				return
			case <-time.After(5 * time.Millisecond):
			}
			start := time.Now()
			status, body, err := g.get("/api/v1/routes?q=203.0.113.7")
			if err != nil || status != 200 {
				l.failed = fmt.Errorf("lookup: status %d, %w: %s", status, err, body)
				return
			}
			l.took = append(l.took, time.Since(start))
		}
	}()
	return l
}

// check ends the lookups, which all were answered. How fast is for bench to say:
// sender, server and this share the machine with other tests.
func (l *lookups) check(t *testing.T) {
	t.Helper()
	close(l.stop)
	<-l.done
	if l.failed != nil {
		t.Fatal(l.failed)
	}
	slices.Sort(l.took)
	p99 := l.took[len(l.took)*99/100]
	t.Logf("%d lookups, p50 %v, p99 %v", len(l.took), l.took[len(l.took)/2], p99)
}

// A hundred flaps of the same prefixes leave what the last word says.
func TestFlappingEndsInWhatWasSaidLast(t *testing.T) {
	t.Parallel()
	cfg := speakerConfig{local: "127.0.1.83", asn: 65183}
	b := newAttackBench(t, 8, cfg)
	s := b.session()
	for i := range 100 {
		s.send(plainRoute(target, cfg.asn), plainRoute("198.51.100.0/24", cfg.asn), updateMessage(nlri(target), nil, nil))
		if i%2 == 0 {
			s.send(updateMessage(nlri("198.51.100.0/24"), nil, nil))
		}
	}
	if err := b.barrier(); err != nil {
		t.Fatal(err)
	}
	if n := len(b.glass.routes(target + " peer attacker")); n != 0 {
		t.Errorf("%d routes for a prefix withdrawn last", n)
	}
	if n := len(b.glass.routes("198.51.100.0/24 peer attacker")); n != 1 {
		t.Errorf("%d routes for a prefix announced last", n)
	}
	b.unharmed()
}

// Prefixes that no router should announce are data like others, or refused;
// the table answers on.
func TestOddPrefixes(t *testing.T) {
	t.Parallel()
	cfg := speakerConfig{local: "127.0.1.84", asn: 65184}
	b := newAttackBench(t, 9, cfg)
	held := func(prefix string) error {
		if n := len(b.glass.routes(prefix + " peer attacker")); n != 1 {
			return fmt.Errorf("%d routes for %s", n, prefix)
		}
		return nil
	}
	for _, row := range []struct {
		name    string
		update  []byte
		prefix  string // found afterwards
		outcome string
	}{
		{"loopback", plainRoute("127.0.0.0/8", cfg.asn), "127.0.0.0/8", ""},
		{"multicast", plainRoute("224.0.0.0/4", cfg.asn), "224.0.0.0/4", ""},
		{"the default route", plainRoute("0.0.0.0/0", cfg.asn), "0.0.0.0/0", ""},
		{"a host route", plainRoute("255.255.255.255/32", cfg.asn), "255.255.255.255/32", ""},
		{"host bits set", updateMessage(nil, plainAttributes(cfg.asn), []byte{16, 100, 64, 24, 100, 65, 255, 12, 100, 0xff}), "100.240.0.0/12", ""},
		{"a prefix twice in one UPDATE", updateMessage(nil, plainAttributes(cfg.asn), nlri("100.66.0.0/16", "100.66.0.0/16")), "100.66.0.0/16", ""},
		{"withdrawn and announced in one UPDATE", updateMessage(nlri("100.67.0.0/16"), plainAttributes(cfg.asn), nlri("100.67.0.0/16")), "100.67.0.0/16", ""},
		{"a withdrawal of what was never announced", updateMessage(nlri("100.68.0.0/16"), nil, nil), "", ""},
		{"length 33", updateMessage(nil, plainAttributes(cfg.asn), []byte{33, 100, 69, 0, 0, 0}), "", reset},
		{"length 255", updateMessage(nil, plainAttributes(cfg.asn), append([]byte{255}, make([]byte, 32)...)), "", reset},
		{"IPv6 length 129", updateMessage(nil, concat(origin(), asPath(cfg.asn),
			attribute(0x80, 14, append(unhex("0002 01 10 20010db8000000000000000000000001 00 81"), make([]byte, 17)...)...)), nil), "", reset},
		{"IPv6 in the IPv4 family", updateMessage(nil, concat(origin(), asPath(cfg.asn),
			attribute(0x80, 14, unhex("0001 01 04 c0000263 00 40 20010db800000000")...)), nil), "", reset},
		{"an IPv4-mapped IPv6 prefix", updateMessage(nil, concat(origin(), asPath(cfg.asn),
			attribute(0x80, 14, unhex("0002 01 10 20010db8000000000000000000000001 00 78 00000000000000000000ffffc00002")...)), nil), "", ""},
	} {
		t.Run(row.name, func(t *testing.T) {
			s := b.session()
			s.send(row.update)
			switch err := b.barrier(); {
			case err == nil && row.outcome == reset:
				t.Error("the session went on")
			case err != nil && row.outcome != reset:
				t.Error(err)
			case err != nil:
				if n := s.messages(msgNotification); len(n) == 0 || n[0][19] != 3 {
					t.Errorf("ended without NOTIFICATION 3: %v, %v", n, err)
				}
			}
			if row.prefix != "" {
				if err := held(row.prefix); err != nil {
					t.Error(err)
				}
			}
		})
	}
	b.unharmed()
}

// A path identifier used again replaces the route, and only that one.
func TestAPathIdentifierUsedAgainReplacesItsRoute(t *testing.T) {
	t.Parallel()
	g := newGlass(t, neighbor("peer", "127.0.1.85", 65185, "add_path: true"))
	s := dial(t, speakerConfig{
		local: "127.0.1.85", asn: 65185,
		capabilities: append(usualCapabilities(65185), capability(69, 0, 1, 1, 2)),
	}, g.bgp)
	announce := func(id uint32, med byte) []byte {
		prefix := append(binary.BigEndian.AppendUint32(nil, id), nlri(target)...)
		return updateMessage(nil, append(plainAttributes(65185), attribute(0x80, 4, 0, 0, 0, med)...), prefix)
	}
	s.send(announce(1, 1), announce(2, 2), announce(1, 3), announce(0xffffffff, 4), announce(0, 5),
		updateMessage(append([]byte{0, 0, 0, 2}, nlri(target)...), nil, nil),
		updateMessage(append([]byte{0, 0, 0, 9}, nlri(target)...), nil, nil), endOfRIB(1))
	waitFor(t, 10*time.Second, "three paths", func() error {
		med := map[uint32]uint32{}
		for _, r := range g.routes(target) {
			if r.PathID == nil || r.MED == nil {
				return errors.New("a route without path id or MED")
			}
			med[*r.PathID] = *r.MED
		}
		if len(med) != 3 || med[1] != 3 || med[0xffffffff] != 4 || med[0] != 5 {
			return fmt.Errorf("path id to MED: %v", med)
		}
		return nil
	})
	g.unharmed()
}
