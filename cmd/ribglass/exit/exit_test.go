package exit

import (
	"errors"
	"fmt"
	"testing"
)

func TestEveryErrorHasItsStatus(t *testing.T) {
	refused := errors.New("refused")
	for _, row := range []struct {
		name    string
		err     error
		status  int
		message string
	}{
		{"done", nil, 0, ""},
		{"an answer without a route has been printed", fmt.Errorf("lookup: %w", ErrNotFound), NotFound, ""},
		{"differences have been printed", ErrDiffer, Differ, ""},
		{"wrong usage points to the help", UsageError{refused}, Usage, "refused\nSee \"ribglass lookup --help\"."},
		{"a question that cannot be understood", fmt.Errorf("search: %w", QuestionError{refused}), Usage, "search: refused"},
		{"a diff that failed", TroubleError{refused}, Trouble, "refused"},
		{"anything else", refused, Failure, "refused"},
	} {
		t.Run(row.name, func(t *testing.T) {
			if status, message := Status("ribglass lookup", row.err); status != row.status || message != row.message {
				t.Errorf("Status(%v) = %d, %q, want %d, %q", row.err, status, message, row.status, row.message)
			}
		})
	}
}
