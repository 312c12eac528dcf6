package query

import (
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// The second reading of expressions over AS paths: an expression of Cisco is a regular
// expression over the printed path, and the others walk over its elements.

// path reads an expression, in which dialect it is by its signs or by name.
func (r *reading) path() meaning {
	text := r.next()
	if strings.HasPrefix(text, `"`) {
		text = strings.NewReplacer(`\"`, `"`, `\\`, `\`).Replace(text[1 : len(text)-1])
	}
	dialect := "cisco"
	switch {
	case strings.HasPrefix(text, "[="):
		dialect = "bird"
	case !strings.ContainsAny(text, `_^$\[]`) && regexp.MustCompile(`\. |\.[*+?]? | \.|\.\{|\d\d+[*+?{]|\d-\d`).MatchString(text):
		dialect = "junos"
	}
	if r.keyword() == "dialect" {
		r.next()
		dialect = strings.ToLower(r.next())
	}
	switch dialect {
	case "bird":
		items := itemsOfBIRD(strings.Fields(strings.Trim(text, "[=]")))
		return ofRoute(func(h heard) bool { return metAsBIRD(items, elementsOf(h.path), false) })
	case "junos":
		items := itemsOfJunos(strings.Fields(text))
		return ofRoute(func(h heard) bool { return metAsJunos(items, elementsOf(h.path)) })
	}
	delimited := strings.NewReplacer("_", `(?:^|[ {}(),\[\]]|$)`).Replace(text)
	pattern := regexp.MustCompile(delimited)
	return ofRoute(func(h heard) bool { return pattern.MatchString(h.path) })
}

// elementsOf returns the elements of a printed path: AS numbers, those of confederation
// sequences too, and sets in one piece.
func elementsOf(path string) []string {
	return regexp.MustCompile(`\{[^}]*\}|\[[^]]*\]|\d+`).FindAllString(path, -1)
}

func isSet(element string) bool { return strings.ContainsAny(element, "{[") }

// item is one term of an expression, met so many times in a row.
type item struct {
	of       string // an AS number, a range, or "any"
	min, max int
}

const endless = 1 << 20

func itemsOfJunos(terms []string) (items []item) {
	for _, term := range terms {
		m := regexp.MustCompile(`^(\.|[0-9-]+)(?:([*+?])|\{(\d+)(?:(,)(\d*))?\})?$`).FindStringSubmatch(term)
		it := item{of: m[1], min: 1, max: 1}
		if it.of == "." {
			it.of = "any"
		}
		switch {
		case m[2] == "*":
			it.min, it.max = 0, endless
		case m[2] == "+":
			it.max = endless
		case m[2] == "?":
			it.min = 0
		case m[3] != "":
			it.min, _ = strconv.Atoi(m[3])
			if it.max = it.min; m[4] != "" {
				it.max = endless
			}
			if m[5] != "" {
				it.max, _ = strconv.Atoi(m[5])
			}
		}
		items = append(items, it)
	}
	return items
}

// metAsJunos tries every number of repetitions. A set is met by .* and .+ only.
func metAsJunos(items []item, elements []string) bool {
	if len(items) == 0 {
		return len(elements) == 0
	}
	it := items[0]
	for n := 0; n <= it.max && n <= len(elements); n++ {
		if n > 0 {
			e := elements[n-1]
			sequence := it.of == "any" && it.max == endless && it.min <= 1
			if isSet(e) && !sequence || !isSet(e) && it.of != "any" && !within(it.of, e) {
				break
			}
		}
		if n >= it.min && metAsJunos(items[1:], elements[n:]) {
			return true
		}
	}
	return false
}

func itemsOfBIRD(terms []string) (items []item) {
	for _, term := range terms {
		switch term {
		case "*":
			items = append(items, item{"any", 0, endless})
		case "?":
			items = append(items, item{"any", 1, 1})
		default:
			it := item{of: strings.ReplaceAll(strings.TrimSuffix(term, "+"), "..", "-"), min: 1, max: 1}
			if strings.HasSuffix(term, "+") {
				it.max = endless
			}
			items = append(items, it)
		}
	}
	return items
}

// metAsBIRD tries every way. A set is met by one or more items in a row that a member
// meets; a set right behind a set may be passed over.
func metAsBIRD(items []item, elements []string, behindSet bool) bool {
	if len(elements) == 0 {
		return !slices.ContainsFunc(items, func(it item) bool { return it.min > 0 })
	}
	e, rest := elements[0], elements[1:]
	if behindSet && isSet(e) && metAsBIRD(items, rest, true) {
		return true
	}
	if !isSet(e) {
		return slices.ContainsFunc(afterOneOf(items, e), func(left []item) bool { return metAsBIRD(left, rest, false) })
	}
	// What may be left after one item, two, and so on has met the set.
	seen := map[string]bool{}
	states := [][]item{items}
	for len(states) > 0 {
		var next [][]item
		for _, s := range states {
			for _, left := range afterOneOf(s, e) {
				if key := keyOf(left); !seen[key] {
					seen[key] = true
					next = append(next, left)
				}
			}
		}
		for _, left := range next {
			if metAsBIRD(left, rest, true) {
				return true
			}
		}
		states = next
	}
	return false
}

func keyOf(items []item) (key string) {
	for _, it := range items {
		key += it.of + " " + strconv.Itoa(it.min) + " " + strconv.Itoa(it.max) + ";"
	}
	return key
}

// afterOneOf returns what may be left of items after one of them met the element.
func afterOneOf(items []item, element string) (left [][]item) {
	for i, it := range items {
		meets := it.of == "any" || slices.ContainsFunc(numbersOf(element), func(n string) bool { return within(it.of, n) })
		if meets {
			more := it
			more.min, more.max = max(0, it.min-1), it.max
			if it.max != endless {
				more.max--
			}
			if more.max > 0 {
				left = append(left, append([]item{more}, items[i+1:]...))
			} else {
				left = append(left, items[i+1:])
			}
		}
		if it.min > 0 {
			break
		}
	}
	return left
}
