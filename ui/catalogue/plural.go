package catalogue

import (
	"fmt"
	"slices"
	"strings"
)

// category is a class of numbers that a language counts alike, named as in the
// Unicode CLDR.
type category int

const (
	other category = iota
	zero
	one
	two
	few
	many
	categories
)

func categoryNames() [categories]string {
	return [categories]string{"other", "zero", "one", "two", "few", "many"}
}

// rule says in which category a whole number is. The zero value is English.
type rule struct {
	has []category // beside other
	of  func(n uint64) category
}

// wants lists the forms a text has that is counted.
func (r rule) wants() []string {
	names := categoryNames()
	var list []string
	for _, c := range append(slices.Clone(r.has), other) {
		list = append(list, names[c])
	}
	return list
}

// check reports a form that is missing, and one that the language has not.
func (r rule) check(forms map[string]string) error {
	wants := r.wants()
	for _, name := range wants {
		if _, ok := forms[name]; !ok {
			return fmt.Errorf("the form %q is missing; the language has %s", name, strings.Join(wants, ", "))
		}
	}
	for name := range forms {
		if !slices.Contains(wants, name) && name != "by" {
			return fmt.Errorf("there is no form %q; the language has %s", name, strings.Join(wants, ", "))
		}
	}
	return nil
}

// ruleOf returns the rule of a language, for whole numbers, after the CLDR. One
// that is not listed counts as English does.
func ruleOf(tag string) rule {
	language, _, _ := strings.Cut(strings.ToLower(tag), "-")
	switch language {
	case "ja", "zh", "ko", "vi", "th", "id", "ms", "my", "lo", "km":
		return rule{nil, func(uint64) category { return other }}
	case "fr", "pt", "hy", "fa", "hi", "bn", "am", "zu":
		return rule{[]category{one}, func(n uint64) category { return pick(n <= 1, one, other) }}
	case "ru", "uk", "be", "sr", "hr", "bs":
		return eastSlavic(language)
	case "pl":
		return rule{[]category{one, few, many}, func(n uint64) category { return pick(n == 1, one, pick(isFew(n), few, many)) }}
	case "cs", "sk":
		return rule{[]category{one, few}, func(n uint64) category { return pick(n == 1, one, pick(n >= 2 && n <= 4, few, other)) }}
	case "sl":
		return rule{[]category{one, two, few}, slovenian}
	case "lt":
		return rule{[]category{one, few}, lithuanian}
	case "lv":
		return rule{[]category{zero, one}, latvian}
	case "ro", "mo":
		return rule{[]category{one, few}, func(n uint64) category {
			return pick(n == 1, one, pick(n == 0 || n%100 >= 1 && n%100 <= 19, few, other))
		}}
	case "he", "iw":
		return rule{[]category{one, two}, func(n uint64) category { return pick(n == 1, one, pick(n == 2, two, other)) }}
	case "ar":
		return rule{[]category{zero, one, two, few, many}, arabic}
	}
	return rule{[]category{one}, func(n uint64) category { return pick(n == 1, one, other) }}
}

func pick(condition bool, yes, no category) category {
	if condition {
		return yes
	}
	return no
}

// isFew holds for 2 to 4, 22 to 24 and so on, but not for 12 to 14.
func isFew(n uint64) bool { return n%10 >= 2 && n%10 <= 4 && (n%100 < 12 || n%100 > 14) }

func eastSlavic(language string) rule {
	rest, has := many, []category{one, few, many}
	if slices.Contains([]string{"sr", "hr", "bs"}, language) {
		rest, has = other, []category{one, few}
	}
	return rule{has, func(n uint64) category {
		return pick(n%10 == 1 && n%100 != 11, one, pick(isFew(n), few, rest))
	}}
}

func slovenian(n uint64) category {
	switch n % 100 {
	case 1:
		return one
	case 2:
		return two
	case 3, 4:
		return few
	}
	return other
}

func lithuanian(n uint64) category {
	teen := n%100 >= 11 && n%100 <= 19
	return pick(n%10 == 1 && !teen, one, pick(n%10 >= 2 && !teen, few, other))
}

func latvian(n uint64) category {
	teen := n%100 >= 11 && n%100 <= 19
	return pick(n%10 == 0 || teen, zero, pick(n%10 == 1, one, other))
}

func arabic(n uint64) category {
	switch {
	case n == 0:
		return zero
	case n == 1:
		return one
	case n == 2:
		return two
	case n%100 >= 3 && n%100 <= 10:
		return few
	}
	return pick(n%100 >= 11, many, other)
}
