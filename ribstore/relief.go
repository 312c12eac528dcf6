package ribstore

import (
	"cmp"
	"fmt"
	"slices"
	"sync"
	"time"

	"ribglass/ribstore/route"
	"ribglass/setting"
)

// Order is what the writer wants of the collector.
type Order struct {
	Peer   string
	Kind   OrderKind
	Reason string // for people
}

// OrderKind says what is wanted.
type OrderKind uint8

// The kinds.
const (
	// EndSession: the session of the peer takes too much memory. It is to end, and
	// its routes are to be removed.
	EndSession OrderKind = iota
	// SendAgain: routes of the peer were not kept while memory was short. It is to
	// be asked for all of them.
	SendAgain
)

// The notices of the memory limit.
const (
	noticeMemory   route.NoticeKind = "memory_limit"   // of the program
	noticeUnkept   route.NoticeKind = "routes_unkept"  // of a peer
	noticeRelieved route.NoticeKind = "memory_removed" // of a peer
)

// Bounds of the relief.
const (
	lookEvery   = 4 << 20          // octets applied between two looks at the memory
	nlriOctets  = 64               // what an announced prefix takes at most, beside its attributes
	worthEnding = 64               // a peer with less than this part of the limit stays
	endingTime  = 10 * time.Second // how long an ordered end may take before it is ordered again
	maxOrders   = 64               // that wait for the collector
)

// relief keeps the program below its memory limit: near it, routes of the peer that
// takes most memory are not kept, and then its session is ended. The writer alone
// uses it, but for the notices.
type relief struct {
	store  *Store
	orders chan Order

	unseen  int               // octets applied since the last look
	unkept  map[string]uint64 // routes by peer that are not kept
	ending  string            // peer that has to go; "": none
	ordered time.Time         // when
	working bool              // the table has work in the background

	mu      sync.Mutex // guards what follows
	notices map[noticeKey]route.Notice
}

type noticeKey struct {
	peer string // "" for the program
	kind route.NoticeKind
}

func newRelief(s *Store) *relief {
	return &relief{
		store: s, orders: make(chan Order, maxOrders), unkept: make(map[string]uint64), notices: make(map[noticeKey]route.Notice),
	}
}

// before is called with a batch before it is recorded and applied. Announcements of
// a peer whose routes are not kept become withdrawals: the table never shows a route
// that the peer has replaced.
func (r *relief) before(b *route.Batch) {
	switch b.Event {
	case route.PeerUp, route.RefreshEnd, route.PeerRemoved:
		r.withdraw(b.Peer.Name, noticeUnkept)
		if b.Event != route.RefreshEnd {
			r.withdraw(b.Peer.Name, noticeRelieved)
		}
	case route.PeerDown:
		delete(r.unkept, b.Peer.Name)
	case route.Routes, route.EndOfRIB, route.RefreshBegin, route.PeerChanged:
	}
	if _, refused := r.unkept[b.Peer.Name]; !refused {
		return
	}
	n := 0
	for i := range b.Updates {
		if u := &b.Updates[i]; !u.Withdraw() {
			n += len(u.NLRI)
			u.Attrs = nil
		}
	}
	if n > 0 {
		r.unkept[b.Peer.Name] += uint64(n)
		r.store.metrics.unkept.Add(float64(n))
		r.notice(b.Peer.Name, noticeUnkept, uint64(n), b.At, "Routes that it announced were not kept, because the memory limit is near.")
	}
}

// after is called when a batch was applied.
func (r *relief) after(b *route.Batch) {
	if r.store.deps.Budget.memory.Limit() == 0 {
		return
	}
	for i := range b.Updates {
		r.unseen += len(b.Updates[i].Attrs) + nlriOctets*len(b.Updates[i].NLRI)
	}
	if r.unseen >= lookEvery {
		r.look(b.At)
	}
}

// look looks how near the limit the memory in use is, and gives up what that
// demands.
func (r *relief) look(now time.Time) {
	r.unseen = 0
	s := r.store
	s.table().Measure()
	memory := &s.deps.Budget.memory
	was := memory.Strain()
	is := memory.look(s.table().Counts().Bytes)
	if is != was {
		r.tell(was, is, now)
	}
	switch {
	case is >= NoNewRoutes:
		r.refuseLargest()
		if is >= EndsSession {
			r.endLargest(now)
		}
	case is < Warned && len(r.unkept) > 0:
		r.resume()
	}
}

// tell says how near the limit is.
func (r *relief) tell(was, is Strain, now time.Time) {
	memory := &r.store.deps.Budget.memory
	what := [numStrains]string{
		"memory use is well below its limit again",
		"memory use nears its limit: tables of the past are not kept",
		"memory use is close to its limit: questions over the whole table are refused",
		"memory use is close to its limit: new routes of the largest peer are not kept",
		"memory use has reached its limit: the session of the largest peer is ended",
	}[is]
	log := r.store.deps.Logger.Warn
	if is < was {
		log = r.store.deps.Logger.Info
	}
	log(what, "used", memory.Used(), "memory.limit", memory.Limit())
	if is == Relaxed {
		r.withdraw("", noticeMemory)
		return
	}
	text := fmt.Sprintf("%s: %s in use, memory.limit is %s.", upperFirst(what), setting.Size(memory.Used()), setting.Size(memory.Limit()))
	r.notice("", noticeMemory, 1, now, text)
}

// refuseLargest has no new route of the largest peer with a session kept, until
// memory is well below its limit.
func (r *relief) refuseLargest() {
	name, bytes := r.store.table().Largest(func(_ string, up bool) bool { return up })
	if _, refused := r.unkept[name]; refused || name == "" {
		return
	}
	r.unkept[name] = 0
	r.store.deps.Logger.Warn("the routes that the peer announces are not kept, because the memory limit is near", "peer", name, "bytes", bytes)
}

// endLargest ends the session of the largest peer. It waits until what the one
// before had is gone.
func (r *relief) endLargest(now time.Time) {
	s := r.store
	if r.ending != "" && now.Sub(r.ordered) < endingTime {
		if p, known := s.table().Peer(r.ending); known && p.Up || r.working || s.table().Pending() {
			return
		}
	}
	name, bytes := s.table().Largest(func(string, bool) bool { return true })
	if bytes < s.deps.Budget.memory.Limit()/worthEnding {
		return // the memory is not the routes of one peer
	}
	r.ending, r.ordered = name, now
	reason := fmt.Sprintf("its routes take %s, and memory.limit %s was reached", setting.Size(bytes), setting.Size(s.deps.Budget.memory.Limit()))
	s.deps.Logger.Error("the routes of the largest peer are removed, because the memory limit was reached", "peer", name, "bytes", bytes)
	s.metrics.relieved.Inc()
	r.notice(name, noticeRelieved, 1, now, "Its routes were removed: "+reason+".")
	if p, _ := s.table().Peer(name); !p.Up {
		b := route.Batch{Peer: p.Peer, At: now, Event: route.PeerDown, Reason: reason}
		s.apply(&b)
		return
	}
	r.order(Order{Peer: name, Kind: EndSession, Reason: reason})
}

// resume keeps the routes of all peers again, and has those be asked for that were
// not kept.
func (r *relief) resume() {
	for name, n := range r.unkept {
		r.store.deps.Logger.Info("the routes of the peer are kept again", "peer", name, "not_kept", n)
		if n > 0 {
			r.order(Order{Peer: name, Kind: SendAgain, Reason: fmt.Sprintf("%d routes were not kept", n)})
		}
	}
	clear(r.unkept)
}

// order gives an order. When too many wait it is lost: an end is ordered again, and
// what is missing of a peer stays on its page.
func (r *relief) order(o Order) {
	select {
	case r.orders <- o:
	default:
	}
}

func (r *relief) notice(peer string, kind route.NoticeKind, times uint64, at time.Time, text string) {
	r.mu.Lock()
	defer r.mu.Unlock()
	key := noticeKey{peer, kind}
	one, known := r.notices[key]
	if !known {
		one = route.Notice{Kind: kind, Since: at}
	}
	one.Last, one.Text, one.Count = at, text, one.Count+times
	r.notices[key] = one
}

func (r *relief) withdraw(peer string, kind route.NoticeKind) {
	r.mu.Lock()
	defer r.mu.Unlock()
	delete(r.notices, noticeKey{peer, kind})
}

// Orders returns what the store wants of the collector. An order that nobody takes
// is given again or lost.
func (s *Store) Orders() <-chan Order { return s.relief.orders }

// Notices returns what an operator should know of the routes of peers, by peer and
// kind, and of the whole for "". It may be called by anyone at any time.
func (s *Store) Notices() map[string][]route.Notice {
	r := s.relief
	r.mu.Lock()
	defer r.mu.Unlock()
	list := make(map[string][]route.Notice)
	for key, one := range r.notices {
		list[key.peer] = append(list[key.peer], one)
	}
	for _, of := range list {
		slices.SortFunc(of, func(a, b route.Notice) int { return cmp.Compare(a.Kind, b.Kind) })
	}
	return list
}

// upperFirst returns a text that begins a sentence.
func upperFirst(text string) string { return string(text[0]-'a'+'A') + text[1:] }
