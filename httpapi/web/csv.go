package web

import (
	"net/netip"
	"strings"
	"time"
)

// Column is a column of CSV whose lines are values of a type. Lists in a cell
// are separated by spaces.
type Column[T any] struct {
	Name   string
	Append func(b []byte, v *T) []byte
}

// CSVHeader returns the line that names the columns.
func CSVHeader[T any](columns []Column[T]) []byte {
	var b []byte
	for i, c := range columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = append(b, c.Name...)
	}
	return append(b, '\r', '\n')
}

// AppendCSVLine appends a value as a line of RFC 4180.
func AppendCSVLine[T any](b []byte, v *T, columns []Column[T]) []byte {
	for i, c := range columns {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.Append(b, v)
	}
	return append(b, '\r', '\n')
}

// AppendCSVTime appends a time, nothing for the zero Time.
func AppendCSVTime(b []byte, t time.Time) []byte {
	if t.IsZero() {
		return b
	}
	return t.UTC().AppendFormat(b, time.RFC3339Nano)
}

// AppendCSVTrue appends true, nothing for false.
func AppendCSVTrue(b []byte, v bool) []byte {
	if v {
		b = append(b, "true"...)
	}
	return b
}

// AppendCSVAddr appends an address, nothing for the zero Addr.
func AppendCSVAddr(b []byte, a netip.Addr) []byte {
	if a.IsValid() {
		b = a.AppendTo(b)
	}
	return b
}

// AppendCSVNumber appends a number where there is one.
func AppendCSVNumber[N ~uint32 | ~uint64](b []byte, n N, ok bool) []byte {
	if ok {
		b = AppendUint(b, uint64(n))
	}
	return b
}

// AppendCell appends text as a cell. Text that a spreadsheet would take for a
// formula gets an apostrophe in front, which such programs show as text.
func AppendCell(b []byte, s string) []byte {
	if s != "" && strings.IndexByte("=+-@\t\r", s[0]) >= 0 {
		s = "'" + s
	}
	if !strings.ContainsAny(s, ",\"\r\n") {
		return append(b, s...)
	}
	b = append(b, '"')
	b = append(b, strings.ReplaceAll(s, `"`, `""`)...)
	return append(b, '"')
}
