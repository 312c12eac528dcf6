package route

// Audience says who asks. What an audience may not see does not exist for it: in
// no answer, count or error. The zero value is everybody, who sees every peer.
// An Audience is a value; anyone may use it at any time.
type Audience struct {
	Name string
	// Sees reports whether the audience may see a peer and its routes. nil: it
	// sees all of them. It is called for every peer of a question and must be
	// quick.
	Sees func(*Peer) bool
}

// SeesAll reports whether nothing is hidden from the audience.
func (a Audience) SeesAll() bool { return a.Sees == nil }

// MaySee reports whether the audience may see the peer.
func (a Audience) MaySee(p *Peer) bool { return a.Sees == nil || a.Sees(p) }
