package collector

import "log/slog"

// Secret is a password that does not print. The zero value is no password.
// Compare it and convert it to string to use it; every way to format, marshal or
// log it shows a mask.
type Secret string

const masked = "********"

// String returns a mask, "" for no password.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return masked
}

// GoString returns what String returns, for %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText returns what String returns, for JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue returns what String returns.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }
