package table

// word is one route: what a column or a row holds of it. It is read and
// written whole. Zero is no route.
//
//	bits  0-31  time of receipt, seconds since 1970, good until 2106
//	bits 32-35  generation of the session that confirmed it
//	bits 36-63  attribute set id plus one
type word uint64

const (
	idBits      = 28
	idShift     = 64 - idBits
	genShift    = 32
	generations = 16
)

func newWord(id uint32, gen uint8, received uint32) word {
	return word(id+1)<<idShift | word(gen)<<genShift | word(received)
}

func (w word) id() uint32       { return uint32(w>>idShift) - 1 }
func (w word) gen() uint8       { return uint8(w>>genShift) & (generations - 1) }
func (w word) received() uint32 { return uint32(w) }

// withGen returns the route as confirmed by the generation.
func (w word) withGen(gen uint8) word {
	return w&^(word(generations-1)<<genShift) | word(gen)<<genShift
}

// withReceived returns the route as received at a time.
func (w word) withReceived(at uint32) word { return w>>32<<32 | word(at) }
