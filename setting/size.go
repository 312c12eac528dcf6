package setting

import (
	"fmt"
	"math"
	"strconv"
	"strings"
)

// Size is an amount of memory in bytes, written as "4GiB" or "512MB".
type Size int64

// UnmarshalText reads a whole number and a unit, B to TiB or TB.
func (s *Size) UnmarshalText(text []byte) error {
	digits := strings.TrimRight(string(text), "BKMGTkib ")
	factor, ok := unitFactor(strings.TrimSpace(string(text[len(digits):])))
	n, err := strconv.ParseInt(digits, 10, 64)
	if !ok || err != nil || n < 0 || n > math.MaxInt64/factor {
		return fmt.Errorf("%q is not an amount of memory such as 4GiB or 512MiB", text)
	}
	*s = Size(n * factor)
	return nil
}

func unitFactor(unit string) (int64, bool) {
	switch unit {
	case "B":
		return 1, true
	case "kB", "KB":
		return 1e3, true
	case "MB":
		return 1e6, true
	case "GB":
		return 1e9, true
	case "TB":
		return 1e12, true
	case "KiB":
		return 1 << 10, true
	case "MiB":
		return 1 << 20, true
	case "GiB":
		return 1 << 30, true
	case "TiB":
		return 1 << 40, true
	}
	return 0, false
}

// String writes the size with the largest unit that leaves a whole number, as the
// configuration does, or with one digit after the point.
func (s Size) String() string {
	units := []string{"B", "KiB", "MiB", "GiB", "TiB"}
	n, rest, i := int64(s), int64(0), 0
	for ; n >= 1<<10 && i < len(units)-1; i++ {
		n, rest = n>>10, n&(1<<10-1)
	}
	if tenths := rest * 10 >> 10; tenths > 0 && n < 100 {
		return fmt.Sprintf("%d.%d%s", n, tenths, units[i])
	}
	return strconv.FormatInt(n, 10) + units[i]
}
