package config

import (
	"encoding"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net/netip"
	"reflect"
	"slices"
	"strconv"
	"strings"
	"time"

	"ribglass/ribstore/query"
	"ribglass/ribstore/route"
)

// isScalar reports whether setScalar knows the type of v.
func isScalar(v reflect.Value) bool {
	switch v.Addr().Interface().(type) {
	case encoding.TextUnmarshaler, *route.ASN, *route.Family, *time.Duration:
		return true
	}
	k := v.Kind()
	return k == reflect.String || k == reflect.Bool || k == reflect.Int
}

// setScalar reads text into v. The error says what is wrong with the text and
// what was wanted; it does not say where.
func setScalar(v reflect.Value, text string) error {
	switch into := v.Addr().Interface().(type) {
	case *route.ASN:
		return parse(into, text, route.ParseASN)
	case *route.Family:
		return parse(into, text, route.ParseFamily)
	case *time.Duration:
		return parse(into, text, parseDuration)
	case *netip.Addr:
		return parse(into, text, parseAddr)
	case *netip.Prefix:
		return parse(into, text, parsePrefix)
	case *netip.AddrPort:
		return parse(into, text, parseAddrPort)
	case *slog.Level:
		return parse(into, text, parseLevel)
	case encoding.TextUnmarshaler:
		return into.UnmarshalText([]byte(text))
	}
	return setPlain(v, text)
}

func setPlain(v reflect.Value, text string) error {
	switch v.Kind() {
	case reflect.Bool:
		if text != "true" && text != "false" {
			return fmt.Errorf("%q is neither true nor false", text)
		}
		v.SetBool(text == "true")
	case reflect.Int:
		n, err := strconv.ParseInt(strings.ReplaceAll(text, "_", ""), 10, 64)
		if err != nil {
			return fmt.Errorf("%q is not a whole number", text)
		}
		v.SetInt(n)
	default:
		v.SetString(text)
	}
	return nil
}

// parse stores what read makes of text.
func parse[T any](into *T, text string, read func(string) (T, error)) error {
	got, err := read(text)
	if err == nil {
		*into = got
	}
	return err
}

// parseDuration reads a duration with Go's units, and with weeks (w) and days (d)
// in front of them.
func parseDuration(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	wrong := fmt.Errorf("%q is not a duration such as 90s, 2h30m, 2d or 4w", text)
	if strings.HasPrefix(text, "-") {
		return 0, fmt.Errorf("%q is negative", text)
	}
	rest, sum := text, time.Duration(0)
	for _, unit := range []struct {
		letter string
		length time.Duration
	}{{"w", 7 * day}, {"d", day}} {
		digits, behind, found := strings.Cut(rest, unit.letter)
		if !found {
			continue
		}
		n, err := strconv.ParseUint(digits, 10, 13) // so many weeks and days together are a duration still
		if err != nil {
			return 0, wrong
		}
		sum, rest = sum+time.Duration(n)*unit.length, behind
	}
	if rest == "" && text != "" {
		return sum, nil
	}
	d, err := time.ParseDuration(rest)
	if err != nil || d < 0 || d > math.MaxInt64-sum {
		return 0, wrong
	}
	return sum + d, nil
}

func parseAddr(text string) (netip.Addr, error) {
	addr, err := netip.ParseAddr(text)
	if err != nil {
		return addr, fmt.Errorf("%q is not an IP address", text)
	}
	return addr.Unmap(), nil
}

func parsePrefix(text string) (netip.Prefix, error) {
	prefix, err := netip.ParsePrefix(text)
	switch {
	case err != nil:
		return prefix, fmt.Errorf("%q is not a prefix such as 198.51.100.0/24", text)
	case prefix.Addr().Is4In6():
		return prefix, fmt.Errorf("%q: write an IPv4 prefix as IPv4", text)
	case prefix != prefix.Masked():
		return prefix, fmt.Errorf("%q has bits set behind its length: did you mean %s?", text, prefix.Masked())
	}
	return prefix, nil
}

func parseLevel(text string) (slog.Level, error) {
	var name string
	if err := oneOf(&name, text, "debug", "info", "warn", "error"); err != nil {
		return 0, err
	}
	var level slog.Level
	return level, level.UnmarshalText([]byte(name))
}

// parseAddrPort reads "192.0.2.1:179" and "[::]:179"; ":179" means all addresses
// of both families.
func parseAddrPort(text string) (netip.AddrPort, error) {
	if strings.HasPrefix(text, ":") {
		text = "[::]" + text
	}
	ap, err := netip.ParseAddrPort(text)
	if err != nil {
		return ap, errors.New(strconv.Quote(text) + ` is not an address and port such as "[::]:179" or 192.0.2.10:179`)
	}
	return ap, nil
}

// oneOf stores text when it is one of the words.
func oneOf[T ~string](into *T, text string, words ...T) error {
	if slices.Contains(words, T(text)) {
		*into = T(text)
		return nil
	}
	names := make([]string, len(words))
	for i, w := range words {
		names[i] = string(w)
	}
	list := strings.Join(names, ", ")
	if near := query.Nearest(text, names); near != "" {
		return fmt.Errorf("unknown value %q: did you mean %q? (have %s)", text, near, list)
	}
	return fmt.Errorf("unknown value %q: have %s", text, list)
}
