package table

import "sync/atomic"

// rows hold the routes of peers that have few, and of sessions with ADD-PATH,
// which have several for a prefix: for each slot the routes of all such peers,
// side by side, so that a lookup costs what it finds and not what peers there
// are (an exchange has a thousand).
//
// A row is a block of the arena that never changes: its length, then a
// [rowEntry] of two words each. A change builds a new row and stores its index
// with the slot; the old row is retired to the grace.
type rows struct {
	arena   arena[uint64]
	grace   *grace
	scratch []uint64
}

// rowEntry is one route of a row.
type rowEntry struct {
	owner uint64 // peer index << 32 | path identifier
	word  word
}

func owner(peer uint16, pathID uint32) uint64 { return uint64(peer)<<32 | uint64(pathID) }

func (e rowEntry) peer() uint16   { return uint16(e.owner >> 32) }
func (e rowEntry) pathID() uint32 { return uint32(e.owner) }

// row is the words of one row, header left out.
type row []uint64

func (r row) len() int { return len(r) / 2 }

func (r row) at(i int) rowEntry { return rowEntry{r[2*i], word(r[2*i+1])} }

// find returns where the route of the owner is, or -1.
func (r row) find(owner uint64) int {
	for i := 0; i < len(r); i += 2 {
		if r[i] == owner {
			return i / 2
		}
	}
	return -1
}

// maxRow bounds the routes of one prefix that are kept in a row: an ADD-PATH
// session can send four billion.
const maxRow = 4096

// load returns the row that ref refers to.
func (s *rows) load(ref *uint32) row {
	index := atomic.LoadUint32(ref)
	if index == 0 {
		return nil
	}
	words := s.arena.from(index)
	return row(words[1 : 1+2*words[0]])
}

// set stores the route of the owner. It returns false when the row is full.
func (s *rows) set(ref *uint32, owner uint64, w word) bool {
	current := s.load(ref)
	at := current.find(owner)
	if at < 0 && current.len() == maxRow {
		return false
	}
	size := len(current)
	if at < 0 {
		size += 2
	}
	index, words := s.arena.alloc(1 + size)
	words[0] = uint64(size / 2)
	changed := row(words[1:])
	copy(changed, current)
	if at < 0 {
		changed[size-2], changed[size-1] = owner, uint64(w)
	} else {
		changed[2*at+1] = uint64(w)
	}
	s.publish(ref, index, current)
	return true
}

// remove takes out the routes that match and reports each to removed, which may
// be nil.
func (s *rows) remove(ref *uint32, match func(rowEntry) bool, removed func(rowEntry)) {
	current := s.load(ref)
	kept := s.scratch[:0]
	for i := range current.len() {
		e := current.at(i)
		if match(e) {
			if removed != nil {
				removed(e)
			}
			continue
		}
		kept = append(kept, e.owner, uint64(e.word))
	}
	s.scratch = kept
	if len(kept) == len(current) {
		return
	}
	var index uint32
	if len(kept) > 0 {
		var words []uint64
		index, words = s.arena.alloc(1 + len(kept))
		words[0] = uint64(len(kept) / 2)
		copy(words[1:], kept)
	}
	s.publish(ref, index, current)
}

func (s *rows) publish(ref *uint32, index uint32, old row) {
	was := atomic.LoadUint32(ref)
	atomic.StoreUint32(ref, index)
	if was != 0 {
		s.grace.retire(retired{&s.arena, was, 1 + len(old)})
	}
}

// anyOf reports whether a route of the row matches.
func (r row) anyOf(match func(rowEntry) bool) bool {
	for i := range r.len() {
		if match(r.at(i)) {
			return true
		}
	}
	return false
}
