package mrt

import (
	"fmt"
	"net/netip"
	"strconv"

	"ribglass/ribstore/route"
)

// maxPeers bounds what a file can make a Peers hold. The largest collectors have
// some hundreds.
const maxPeers = 1 << 16

// Peers gives the peers of MRT files an identity that they keep over all files
// that are read with it: a PEER_INDEX_TABLE, and then the messages of the same
// session. Make one with [NewPeers]; it is not for concurrent use.
//
// A peer is known by its address and AS number, where several of a table share
// these by their BGP identifiers too. Its routes with path identifiers are another
// peer's: a [route.Peer] says once and for all whether its routes have them, and a
// file says it record by record.
type Peers struct {
	router   string
	count    int
	sessions map[sessionKey][]*peer
	numbers  map[netip.Addr][]route.ASN // above AS_TRANS's reach, by address
	names    map[string]int             // how many were asked for
}

type sessionKey struct {
	address netip.Addr
	asn     route.ASN
	addPath bool
}

// peer is a peer and what is known of its session.
type peer struct {
	info     *route.Peer
	routerID netip.Addr
	nth      int  // of peers of a table that agree in everything
	up       bool // so say the batches
	routes   bool // there were some, or may be
}

// NewPeers returns a Peers that puts router into every [route.Peer] as the router
// their sessions end on, the collector's name as a rule.
func NewPeers(router string) *Peers {
	return &Peers{
		router:   router,
		sessions: make(map[sessionKey][]*peer),
		numbers:  make(map[netip.Addr][]route.ASN),
		names:    make(map[string]int),
	}
}

// ofTable returns the peer of a table's index. Nth counts those before it that
// agree with it in everything. It returns nil when there are too many.
func (p *Peers) ofTable(entry Peer, nth int, addPath bool) *peer {
	if known := p.known(entry, nth, addPath); known != nil {
		return known
	}
	key := sessionKey{entry.Address.Unmap(), entry.ASN, addPath}
	if known := p.convert(key); known != nil {
		known.routerID, known.nth = entry.RouterID, nth
		return known
	}
	return p.add(key, route.Peer{RouterID: entry.RouterID}, nth)
}

// known returns the peer of a table's index when there is one already.
func (p *Peers) known(entry Peer, nth int, addPath bool) *peer {
	key := sessionKey{entry.Address.Unmap(), entry.ASN, addPath}
	for _, known := range p.sessions[key] {
		// Messages and older tables do not tell the identifier.
		if !known.routerID.IsValid() {
			known.routerID = entry.RouterID
		}
		if (known.routerID == entry.RouterID || !entry.RouterID.IsValid()) && known.nth == nth {
			return known
		}
	}
	return nil
}

// ofSession returns the peer of a message, nil when there are too many.
func (p *Peers) ofSession(s Session, addPath bool) *peer {
	key := p.key(s, addPath)
	if known := p.sessions[key]; len(known) > 0 {
		return known[0]
	}
	if known := p.convert(key); known != nil {
		return known
	}
	return p.add(key, route.Peer{LocalASN: s.LocalASN}, 0)
}

// ofState returns the peers whose session a state change is about: one as a rule,
// two when some of its routes have path identifiers, none when there are too many.
func (p *Peers) ofState(s Session) []*peer {
	var found []*peer
	for _, addPath := range []bool{false, true} {
		if known := p.sessions[p.key(s, addPath)]; len(known) > 0 {
			found = append(found, known[0])
		}
	}
	if found == nil {
		if added := p.ofSession(s, false); added != nil {
			found = append(found, added)
		}
	}
	return found
}

// key returns the key of a session. A record with two octets for AS numbers says
// AS_TRANS for one that needs four; it is the peer's of that address.
func (p *Peers) key(s Session, addPath bool) sessionKey {
	key := sessionKey{s.PeerAddress.Unmap(), s.PeerASN, addPath}
	if s.PeerASN == route.ASTrans {
		if numbers := p.numbers[key.address]; len(numbers) == 1 {
			key.asn = numbers[0]
		}
	}
	return key
}

// convert makes of a peer of whom only the session is known so far one whose
// routes have path identifiers, when it is the only candidate.
func (p *Peers) convert(key sessionKey) *peer {
	plain := p.sessions[key.other()]
	if !key.addPath || len(p.sessions[key]) > 0 || len(plain) != 1 || plain[0].routes {
		return nil
	}
	known := plain[0]
	info := *known.info
	info.AddPath = everyFamily()
	known.info, known.up = &info, false // comes up anew, as a session with other values does
	delete(p.sessions, key.other())
	p.sessions[key] = plain
	return known
}

func everyFamily() (all [route.NumFamilies]bool) {
	for _, f := range route.Families() {
		all[f] = true
	}
	return all
}

func (p *Peers) add(key sessionKey, info route.Peer, nth int) *peer {
	if p.count >= maxPeers {
		return nil
	}
	p.count++
	info.Name = p.name(key, info.RouterID)
	info.Router = p.router
	info.Address, info.ASN = key.address, key.asn
	if key.addPath {
		info.AddPath = everyFamily()
	}
	if key.asn > 0xffff && len(p.sessions[key]) == 0 && len(p.sessions[key.other()]) == 0 {
		p.numbers[key.address] = append(p.numbers[key.address], key.asn)
	}
	added := &peer{info: &info, routerID: info.RouterID, nth: nth}
	p.sessions[key] = append(p.sessions[key], added)
	return added
}

// other is the key of the same session with and without path identifiers.
func (k sessionKey) other() sessionKey {
	k.addPath = !k.addPath
	return k
}

// name returns a name that no other peer has: AS and address, as far as needed
// with what else sets the peer apart.
func (p *Peers) name(key sessionKey, routerID netip.Addr) string {
	name := fmt.Sprintf("AS%v-%v", key.asn, key.address)
	if p.take(name) {
		return name
	}
	if routerID.IsValid() && len(p.sessions[key]) > 0 {
		name += "-" + routerID.String()
		if p.take(name) {
			return name
		}
	}
	if key.addPath && len(p.sessions[key.other()]) > 0 {
		name += "-add-path"
		if p.take(name) {
			return name
		}
	}
	// Nothing is left but to count.
	for {
		numbered := name + "-" + strconv.Itoa(p.names[name])
		if p.names[name]++; p.take(numbered) {
			return numbered
		}
	}
}

// take reports whether the name was free and takes it.
func (p *Peers) take(name string) bool {
	if p.names[name] > 0 {
		return false
	}
	p.names[name] = 1
	return true
}
