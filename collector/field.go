package collector

import "fmt"

// FieldError is a wrong setting of a component. Field is the path of the setting
// in the configuration, such as "neighbors[2].hold_time".
type FieldError struct {
	Field  string
	Reason string
}

// Error returns the field and the reason.
func (e *FieldError) Error() string { return e.Field + ": " + e.Reason }

// FieldErrorf returns a FieldError whose reason is formatted as by fmt.Sprintf.
func FieldErrorf(field, format string, args ...any) *FieldError {
	return &FieldError{Field: field, Reason: fmt.Sprintf(format, args...)}
}
