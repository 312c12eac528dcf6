package main

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"iter"
	"math/rand/v2"
	"net/netip"
	"os"
	"slices"

	"ribglass/collector/wire/mrt"
	"ribglass/ribstore/route"
)

// recorded is the table of an MRT file. Each router of the file that has routes
// is a feed, those with the most routes first. A router's sessions for IPv4 and
// for IPv6, which files list as two peers, are one feed.
type recorded struct {
	prefixes []recordedPrefix
	peers    []*recordedPeer // the feeds
	index    []*recordedPeer // by the peer index of the file
}

type recordedPrefix struct {
	prefix netip.Prefix
	family route.Family
}

// recordedPeer holds a peer's routes: for each prefix of the table up to the
// last one that it has, one more than the number of its attribute set; zero is
// no route.
type recordedPeer struct {
	feed   feed
	routes []uint32
	count  int
	sets   map[string]uint32 // number by the octets of the file
	attrs  []route.Attrs     // by number
}

// readTable reads a TABLE_DUMP_V2 file, of which at most feeds peers are used.
func readTable(path string, feeds int) (*recorded, error) {
	file, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer file.Close()
	r, err := mrt.NewReader(file)
	if err != nil {
		return nil, err
	}
	defer r.Close()
	t, err := readRecords(r)
	if err != nil {
		return nil, fmt.Errorf("read %s: %w", path, err)
	}
	if len(t.peers) < feeds {
		return nil, fmt.Errorf("read %s: %d peers have routes, want %d feeds", path, len(t.peers), feeds)
	}
	t.peers = t.peers[:feeds]
	for i, p := range t.peers {
		p.feed = newFeed(i, p.feed.asn)
	}
	return t, nil
}

func readRecords(r *mrt.Reader) (*recorded, error) {
	t, decoder := &recorded{}, mrt.NewDecoder()
	for {
		record, err := r.Next()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return nil, err
		}
		switch record := record.(type) {
		case *mrt.PeerIndex:
			t.indexPeers(record)
		case *mrt.RIB:
			if err := t.add(decoder, record); err != nil {
				return nil, err
			}
		}
	}
	t.peers = slices.DeleteFunc(t.peers, func(p *recordedPeer) bool { return p.count == 0 })
	slices.SortStableFunc(t.peers, func(a, b *recordedPeer) int { return cmp.Compare(b.count, a.count) })
	return t, nil
}

func (t *recorded) indexPeers(index *mrt.PeerIndex) {
	type router struct {
		id  netip.Addr
		asn route.ASN
	}
	byRouter := make(map[router]*recordedPeer)
	t.index = nil
	for _, p := range index.Peers {
		key := router{p.RouterID, p.ASN}
		if byRouter[key] == nil {
			byRouter[key] = &recordedPeer{feed: feed{asn: p.ASN}, sets: make(map[string]uint32)}
			t.peers = append(t.peers, byRouter[key])
		}
		t.index = append(t.index, byRouter[key])
	}
}

func (t *recorded) add(decoder *mrt.Decoder, rib *mrt.RIB) error {
	at := len(t.prefixes)
	t.prefixes = append(t.prefixes, recordedPrefix{rib.Prefix, rib.Family})
	for _, e := range rib.Entries {
		if err := t.index[e.Peer].add(decoder, rib, e, at); err != nil {
			return err
		}
	}
	return nil
}

func (p *recordedPeer) add(decoder *mrt.Decoder, rib *mrt.RIB, e mrt.Entry, at int) error {
	number, known := p.sets[string(e.Attributes)]
	if !known {
		attrs, _, err := decoder.Attrs(rib, e)
		if err != nil {
			return err
		}
		number = uint32(len(p.attrs) + 1)
		p.attrs = append(p.attrs, external(attrs))
		p.sets[string(e.Attributes)] = number
	}
	p.routes = append(p.routes, make([]uint32, at+1-len(p.routes))...)
	if p.routes[at] == 0 {
		p.count++
	}
	p.routes[at] = number
	return nil
}

// external returns a copy of a set without what an external peer does not send.
func external(a route.Attrs) route.Attrs {
	var kept route.Attrs
	for code, value := range a.All() {
		switch code {
		case route.AttrLocalPref, route.AttrOriginatorID, route.AttrClusterList, route.AttrAIGP:
		default:
			kept = kept.AppendAttr(code, value)
		}
	}
	return kept
}

func (t *recorded) feeds() []feed {
	var feeds []feed
	for _, p := range t.peers {
		feeds = append(feeds, p.feed)
	}
	return feeds
}

// runs groups the prefixes by attribute set, as routers do when they send a whole
// table, in the order in which the sets appear in it.
func (t *recorded) runs(i int) iter.Seq[route.Update] {
	p := t.peers[i]
	type key struct {
		number uint32
		family route.Family
	}
	groups := make(map[key][]route.NLRI, len(p.attrs))
	var order []key
	for at, number := range p.routes {
		if number == 0 {
			continue
		}
		k := key{number, t.prefixes[at].family}
		if groups[k] == nil {
			order = append(order, k)
		}
		groups[k] = append(groups[k], route.NLRI{Prefix: t.prefixes[at].prefix})
	}
	return func(yield func(route.Update) bool) {
		for _, k := range order {
			if !yield(route.Update{Family: k.family, Attrs: p.attrs[k.number-1], NLRI: groups[k]}) {
				return
			}
		}
	}
}

func (t *recorded) stream(i int) (*stream, error) {
	p := t.peers[i]
	s := &stream{sets: len(p.attrs)}
	session := encoding(p.feed)
	for u := range t.runs(i) {
		s.add(session, u)
	}
	s.finish()
	return s, nil
}

func (t *recorded) change(i int, random *rand.Rand) route.Update {
	p := t.peers[i]
	draw := func() (at int, number uint32) {
		for number == 0 {
			at = random.IntN(len(p.routes))
			number = p.routes[at]
		}
		return at, number
	}
	at, _ := draw()
	chosen := t.prefixes[at]
	other, number := draw()
	for t.prefixes[other].family != chosen.family {
		other, number = draw()
	}
	return route.Update{Family: chosen.family, Attrs: p.attrs[number-1], NLRI: []route.NLRI{{Prefix: chosen.prefix}}}
}

func (t *recorded) sample(n int) []netip.Addr {
	random := newRandom(0)
	addresses := make([]netip.Addr, n)
	for i := range addresses {
		addresses[i] = addressIn(random, t.prefixes[random.IntN(len(t.prefixes))].prefix)
	}
	return addresses
}
