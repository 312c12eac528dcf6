package pathexpr

import "sync"

const (
	// thousandBits gives a row of the tables room for 000 to 999.
	thousandBits = 10
	// maxThousandStates bounds the tables to half a megabyte. Larger automata
	// are walked digit by digit.
	maxThousandStates = 128
)

// thousands lets a match move over three digits at once, so that most AS numbers
// take two steps. Rows are by state. They are made when an expression is matched often:
// most are only read, explained or asked of a few routes. Then they are immutable, and
// empty for a large automaton.
type thousands struct {
	once sync.Once
	lead []uint16 // after a space and 0 to 999 without leading zeros
	full []uint16 // after three digits, 000 to 999
}

func (t *thousands) make(d *dfa) {
	if d.states() > maxThousandStates {
		return
	}
	t.lead = make([]uint16, d.states()<<thousandBits)
	t.full = make([]uint16, d.states()<<thousandBits)
	for state := range d.states() {
		for ten := range 100 {
			first := d.after(uint16(state), ten/10, ten%10)
			for low := range 10 {
				t.full[state<<thousandBits|(10*ten+low)] = d.after(first, low)
			}
		}
	}
	for state := range d.states() {
		spaced := d.after(uint16(state), space)
		from, to := int(spaced)<<thousandBits, state<<thousandBits
		copy(t.lead[to+100:to+1000], t.full[from+100:])
		for n := range 10 {
			t.lead[to+n] = d.after(spaced, n)
		}
		for n := 10; n < 100; n++ {
			t.lead[to+n] = d.after(spaced, n/10, n%10)
		}
	}
}

// after returns the state that the symbols lead to.
func (d *dfa) after(state uint16, symbols ...int) uint16 {
	for _, symbol := range symbols {
		state = d.next[int(state)*stride+symbol]
	}
	return state
}
