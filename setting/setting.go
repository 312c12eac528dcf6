// Package setting says what is wrong with a setting, in the same way for every
// component: the Validate of a component returns an [*Error], and whoever read the
// configuration knows where its key stands. The package holds values only and
// imports nothing of this program.
package setting

import (
	"fmt"
	"strings"
)

// Error is a setting that cannot be. It is a value: nobody changes it.
type Error struct {
	Key    string // as the configuration writes it below the component's own, such as "neighbors[2].hold_time"
	Reason string // what is wrong with the value, and the value where that helps
}

// Errorf returns the error of a key; the reason is formatted as by [fmt.Sprintf].
func Errorf(key, format string, args ...any) *Error {
	return &Error{key, fmt.Sprintf(format, args...)}
}

// Error returns the key and the reason.
func (e *Error) Error() string { return e.Key + ": " + e.Reason }

// Errors is everything that is wrong with the settings of a component. It is never
// empty as an error.
type Errors []*Error

// Error returns the errors, one a line.
func (es Errors) Error() string {
	texts := make([]string, len(es))
	for i, e := range es {
		texts[i] = e.Error()
	}
	return strings.Join(texts, "\n")
}
