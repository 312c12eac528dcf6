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
	if err != nil || first == 0 {
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
	begin := uint32(0)
	for i, end := range n.ends {
		name := n.text[begin:end]
		begin = end
		at := indexFold(name, needle)
		if at < 0 {
			continue
		}
		rank := rankAt(name, needle, at)
		if len(ranks[rank]) < limit {
			ranks[rank] = append(ranks[rank], Match{n.asns[i], name})
			if rank == 0 && len(ranks[0]) == limit {
				break // nothing better can come
			}
		}
	}
	return ranks
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
// of ASCII letters in s; -1 when it has not. It looks for the first byte only and
// compares there: names are short, and needles of few letters rarely meet their
// first.
func indexFold(s, needle string) int {
	first := needle[0]
	for i := 0; i+len(needle) <= len(s); i++ {
		if lower(s[i]) == first && hasFoldPrefix(s[i+1:], needle[1:]) {
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

// foldASCII puts the letters of ASCII into lower case.
func foldASCII(s string) string {
	b := []byte(s)
	for i, c := range b {
		b[i] = lower(c)
	}
	return string(b)
}
