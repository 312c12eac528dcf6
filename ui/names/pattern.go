package names

import (
	"errors"
	"fmt"
	"math"
	"strconv"
	"strings"
)

// kind is a kind of community.
type kind uint8

const (
	standard kind = iota
	large
	routeTarget
	routeOrigin
)

// parts returns how many numbers communities of the kind have.
func (k kind) parts() int {
	if k == large {
		return 3
	}
	return 2
}

// most returns the greatest number that part i of the kind can be.
func (k kind) most() uint32 {
	if k == standard {
		return math.MaxUint16
	}
	return math.MaxUint32
}

// part is what a pattern says of one number of a community.
type part struct {
	lo, hi uint32 // the number is between them
	mask   string // its digits, 'x' for any, '*' at the end for any rest; "": as lo and hi say
	groups int    // how many variable parts there are
	size   float64
}

// pattern is a line of a file of communities.
type pattern struct {
	kind  kind
	parts [3]part
	text  string
	line  int
}

// literal reports whether the pattern is of one community.
func (p *pattern) literal() bool { return p.size() == 1 }

// size returns how many communities the pattern can be of, about.
func (p *pattern) size() float64 {
	return p.parts[0].size * p.parts[1].size * p.parts[2].size
}

func (p *pattern) groups() int {
	return p.parts[0].groups + p.parts[1].groups + p.parts[2].groups
}

// parsePattern reads "64500:20x" and the like; self is the AS number of the file.
func parsePattern(text, self string) (pattern, error) {
	p := pattern{parts: [3]part{{size: 1}, {size: 1}, {size: 1}}}
	p.kind = standard
	numbers := text
	if word, rest, found := strings.Cut(text, " "); found {
		numbers = strings.TrimSpace(rest)
		switch strings.ToLower(word) {
		case "rt":
			p.kind = routeTarget
		case "ro", "soo":
			p.kind = routeOrigin
		default:
			return p, fmt.Errorf("%q is no kind of community: have rt, ro, soo", clip(word))
		}
	}
	list := strings.Split(numbers, ":")
	if len(list) == 3 && p.kind == standard {
		p.kind = large
	}
	if len(list) != p.kind.parts() {
		return p, fmt.Errorf("%q is not a community: it has %d parts", clip(text), len(list))
	}
	for i, one := range list {
		var err error
		if p.parts[i], err = parsePart(strings.ReplaceAll(one, "<ASN>", self), p.kind.most()); err != nil {
			return p, fmt.Errorf("%q: %w", clip(text), err)
		}
	}
	return p, nil
}

func parsePart(text string, most uint32) (part, error) {
	switch {
	case text == "nnn":
		return part{hi: most, groups: 1, size: float64(most) + 1}, nil
	case strings.HasSuffix(text, "nnn"):
		return parseMask(text[:len(text)-3]+"*", most)
	case strings.Contains(text, "x"):
		return parseMask(text, most)
	}
	if low, high, isRange := strings.Cut(text, "-"); isRange {
		lo, errLow := parseNumber(low, most)
		hi, errHigh := parseNumber(high, most)
		if err := errors.Join(errLow, errHigh); err != nil {
			return part{}, err
		}
		if lo > hi {
			return part{}, fmt.Errorf("%s: the range ends before it begins", text)
		}
		return part{lo: lo, hi: hi, groups: 1, size: float64(hi-lo) + 1}, nil
	}
	n, err := parseNumber(text, most)
	return part{lo: n, hi: n, size: 1}, err
}

// parseNumber reads a number; zeros before it do not count.
func parseNumber(text string, most uint32) (uint32, error) {
	n, err := strconv.ParseUint(text, 10, 32)
	if err != nil || n > uint64(most) || len(text) > 10 {
		return 0, fmt.Errorf("%q is not a number from 0 to %d", clip(text), most)
	}
	return uint32(n), nil
}

// parseMask reads digits with "x" among them and perhaps "*" at the end.
func parseMask(mask string, most uint32) (part, error) {
	p := part{hi: most, mask: mask, size: 1}
	digits := strings.TrimSuffix(mask, "*")
	if strings.Trim(digits, "0123456789x") != "" || len(digits) > 10 {
		return part{}, fmt.Errorf("%q is not made of digits, x and nnn", clip(mask))
	}
	p.groups = strings.Count(mask, "x")
	for range p.groups {
		p.size *= 10
	}
	if len(digits) < len(mask) {
		p.groups++
		for range len(strconv.FormatUint(uint64(most), 10)) - len(digits) {
			p.size *= 10
		}
	}
	return p, nil
}

// number is a number and its digits.
type number struct {
	n      uint32
	digits [10]byte
	len    int
}

func numberOf(n uint32) number {
	v := number{n: n}
	v.len = len(strconv.AppendUint(v.digits[:0], uint64(n), 10))
	return v
}

func (v *number) text() string { return string(v.digits[:v.len]) }

// match reports whether v is what the part says.
func (p *part) match(v *number) bool {
	if p.mask == "" {
		return v.n >= p.lo && v.n <= p.hi
	}
	mask := p.mask
	if rest := len(mask) - 1; mask[rest] == '*' {
		if v.len <= rest {
			return false
		}
		mask = mask[:rest]
	} else if v.len != len(mask) {
		return false
	}
	for i := range len(mask) {
		if mask[i] != 'x' && mask[i] != v.digits[i] {
			return false
		}
	}
	return true
}

// appendGroups appends what the variable parts stand for in v.
func (p *part) appendGroups(groups []string, v *number) []string {
	switch {
	case p.groups == 0:
		return groups
	case p.mask == "":
		return append(groups, v.text())
	}
	for i := range len(p.mask) {
		switch p.mask[i] {
		case 'x':
			groups = append(groups, string(v.digits[i:i+1]))
		case '*':
			groups = append(groups, string(v.digits[i:v.len]))
		}
	}
	return groups
}

// fill puts what groups stand for into a description.
func fill(text string, groups []string) string {
	if len(groups) == 0 || !strings.Contains(text, "$") {
		return text
	}
	var b strings.Builder
	for i := 0; i < len(text); i++ {
		if text[i] == '$' && i+1 < len(text) {
			if g := int(text[i+1]) - '0'; g >= 0 && g < len(groups) {
				b.WriteString(groups[g])
				i++
				continue
			}
		}
		b.WriteByte(text[i])
	}
	return b.String()
}
