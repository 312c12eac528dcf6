package names

import (
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"ribglass/ribstore/route"
)

// Bounds of [ASNames.Complete].
const (
	MaxMatches = 50
	maxNeedle  = 64 // bytes
)

// Match is an AS whose name or number was found.
type Match struct {
	ASN  route.ASN `json:"asn"`
	Name string    `json:"name"`
}

// Complete returns at most limit ASes, and no more than [MaxMatches], whose
// number begins with what was typed, or whose name has it: first the names that
// begin with it, then those where a word does, then the others, small AS numbers
// first. Letters of ASCII may be of either case.
func (n *ASNames) Complete(typed string, limit int) []Match {
	needle := strings.TrimSpace(typed)
	limit = min(limit, MaxMatches)
	if n == nil || needle == "" || len(needle) > maxNeedle || limit <= 0 {
		return nil
	}
	list := n.byNumber(needle, limit)
	for _, found := range n.byName(foldASCII(needle), limit) {
		list = append(list, found...)
	}
	return list[:min(len(list), limit)]
}

// byNumber finds the AS numbers that begin with digits.
func (n *ASNames) byNumber(needle string, limit int) []Match {
	digits := needle
	if len(needle) > 2 && strings.EqualFold(needle[:2], "as") {
		digits = needle[2:]
	}
	first, err := strconv.ParseUint(digits, 10, 32)
	if err != nil || digits[0] == '0' {
		return nil
	}
	var list []Match
	// 645 begins 645, 6450 to 6459, 64500 to 64599 and so on.
	for span := uint64(1); first*span <= 1<<32-1 && len(list) < limit; span *= 10 {
		i, _ := slices.BinarySearch(n.asns, route.ASN(first*span))
		for ; i < len(n.asns) && uint64(n.asns[i]) < (first+1)*span && len(list) < limit; i++ {
			list = append(list, Match{n.asns[i], n.at(i)})
		}
	}
	return list
}

// byName finds names by what was typed, in three ranks of at most limit each.
func (n *ASNames) byName(needle string, limit int) (ranks [3][]Match) {
	i, f := 0, n.finder(needle)
	for at := f.next(0); at >= 0; at = f.next(max(at+1, int(n.ends[i]))) {
		for n.ends[i] <= uint32(at) {
			i++
		}
		name := n.at(i)
		inside := at - (int(n.ends[i]) - len(name))
		if inside+len(needle) > len(name) {
			continue // half of it is of the next name
		}
		rank := rankAt(name, needle, inside)
		if len(ranks[rank]) == limit {
			continue
		}
		ranks[rank] = append(ranks[rank], Match{n.asns[i], name})
		if rank == 0 && len(ranks[0]) == limit {
			break // nothing better can come
		}
	}
	return ranks
}

// finder goes through the names from one place that has needle, which is in lower
// case, to the next. It looks for the byte of needle that the names have least,
// in both cases, and compares there.
type finder struct {
	text, needle string
	rare         int // index of that byte in needle
	one, other   nextByte
}

func (n *ASNames) finder(needle string) *finder {
	f := &finder{text: n.text, needle: needle}
	for i := range len(needle) {
		if n.occurrences(needle[i]) < n.occurrences(needle[f.rare]) {
			f.rare = i
		}
	}
	b := needle[f.rare]
	f.one = nextByte{n.text, b, -1}
	f.other = nextByte{n.text, upper(b), -1}
	if f.one.b == f.other.b {
		f.other.at = len(n.text)
	}
	return f
}

// next returns the next place at index from or behind, -1 when there is none.
func (f *finder) next(from int) int {
	for at := from + f.rare; ; at++ {
		f.one.seek(at)
		f.other.seek(at)
		at = min(f.one.at, f.other.at)
		begin := at - f.rare
		if begin+len(f.needle) > len(f.text) {
			return -1
		}
		if hasFoldPrefix(f.text[begin:], f.needle) {
			return begin
		}
	}
}

// occurrences returns how often the names have a letter, in either case.
func (n *ASNames) occurrences(b byte) uint32 {
	if u := upper(b); u != b {
		return n.common[b] + n.common[u]
	}
	return n.common[b]
}

// nextByte goes from one place of a byte in text to the next; behind the last it
// is at the end of text.
type nextByte struct {
	text string
	b    byte
	at   int
}

// seek goes to the first place at index from or behind, unless it is there.
func (n *nextByte) seek(from int) {
	if n.at >= from {
		return
	}
	n.at = len(n.text)
	if from < len(n.text) {
		if next := strings.IndexByte(n.text[from:], n.b); next >= 0 {
			n.at = from + next
		}
	}
}

// rankAt ranks a name that has needle first at index at: 0 at its begin, 1 where
// a word begins, 2 within words only.
func rankAt(name, needle string, at int) int {
	if at == 0 {
		return 0
	}
	for {
		before, _ := utf8.DecodeLastRuneInString(name[:at])
		if !unicode.IsLetter(before) && !unicode.IsDigit(before) {
			return 1
		}
		next := indexFold(name[at+1:], needle)
		if next < 0 {
			return 2
		}
		at += 1 + next
	}
}

// indexFold returns where s has needle, which is in lower case, whatever the case
// of ASCII letters in s; -1 when it has not.
func indexFold(s, needle string) int {
	for i := 0; i+len(needle) <= len(s); i++ {
		if hasFoldPrefix(s[i:], needle) {
			return i
		}
	}
	return -1
}

func hasFoldPrefix(s, needle string) bool {
	for i := range len(needle) {
		if lower(s[i]) != needle[i] {
			return false
		}
	}
	return true
}

func lower(c byte) byte {
	if c-'A' < 26 {
		c += 'a' - 'A'
	}
	return c
}

func upper(c byte) byte {
	if c-'a' < 26 {
		c -= 'a' - 'A'
	}
	return c
}

// foldASCII puts the letters of ASCII into lower case.
func foldASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}
