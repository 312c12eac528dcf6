// Package exit says with which status the program ends: it has the errors that
// stand for a status other than 1, and maps an error to its status. The commands
// of the program return these errors; only main exits. Nothing in it has state.
package exit

import (
	"errors"
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/cobra"
)

// The statuses. They are documented in the help of the root command.
const (
	Failure  = 1
	Usage    = 2
	NotFound = 3
	Partly   = 3 // of import: not everything could be read

	Unchecked = 4 // of snapshot verify: a file could not be checked

	Differ  = 1 // of diff
	Trouble = 2 // of diff
)

// The errors of a command that did what it was asked and has printed its answer.
// They are not printed.
var (
	ErrNotFound = errors.New("nothing was found")     // the answer is empty
	ErrPartly   = errors.New("not everything")        // something of the files was passed over
	ErrDiffer   = errors.New("there are differences") // the comparison found differences
)

// UsageError is a command line that cannot be understood.
type UsageError struct{ Err error }

// Error returns the text of the error inside.
func (e UsageError) Error() string { return e.Err.Error() }

// Unwrap returns the error inside.
func (e UsageError) Unwrap() error { return e.Err }

// QuestionError is a question that a server cannot understand: wrong usage too, with
// the server's own words of what is wrong.
type QuestionError struct{ Err error }

// Error returns the text of the error inside.
func (e QuestionError) Error() string { return e.Err.Error() }

// Unwrap returns the error inside.
func (e QuestionError) Unwrap() error { return e.Err }

// TroubleError is the failure of a command whose status 1 means something else.
type TroubleError struct{ Err error }

// Error returns the text of the error inside.
func (e TroubleError) Error() string { return e.Err.Error() }

// Unwrap returns the error inside.
func (e TroubleError) Unwrap() error { return e.Err }

// UncheckedError says that something could not be checked, and so was not found wrong.
type UncheckedError struct{ Err error }

// Error returns the text of the error inside.
func (e UncheckedError) Error() string { return e.Err.Error() }

// Unwrap returns the error inside.
func (e UncheckedError) Unwrap() error { return e.Err }

// Status returns the status for what a command returned, and what is to be
// printed of it: "" when the command has printed everything. The command is named by its
// path, such as "ribglass lookup", whose help is pointed to.
func Status(command string, err error) (status int, message string) {
	switch {
	case err == nil:
		return 0, ""
	case errors.Is(err, ErrNotFound):
		return NotFound, ""
	case errors.Is(err, ErrDiffer):
		return Differ, ""
	case errors.Is(err, ErrPartly):
		return Partly, ""
	}
	if _, ok := errors.AsType[UsageError](err); ok {
		return Usage, fmt.Sprintf("%v\nSee \"%s --help\".", err, command)
	}
	if _, ok := errors.AsType[QuestionError](err); ok {
		return Usage, err.Error()
	}
	if _, ok := errors.AsType[TroubleError](err); ok {
		return Trouble, err.Error()
	}
	if _, ok := errors.AsType[UncheckedError](err); ok {
		return Unchecked, err.Error()
	}
	return Failure, err.Error()
}

// HelpOrUnknown is the Run of a command that only has commands below it: it
// prints the help, or says that no command has the name given.
func HelpOrUnknown(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	err := fmt.Errorf("unknown command %q", args[0])
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w: did you mean %q?", err, near[0])
	}
	return UsageError{err}
}

// MarkUsage has the commands below c report wrong arguments as wrong usage.
func MarkUsage(c *cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.Args != nil {
			sub.Args = usageArgs(sub.Args)
		}
		MarkUsage(sub)
	}
}

// usageArgs marks what validate reports as wrong usage, in words that show the right one.
func usageArgs(validate cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if validate(c, args) == nil {
			return nil
		}
		form := strings.TrimSuffix(c.UseLine(), " [flags]")
		if validate(c, append(slices.Clone(args), "more")) == nil || len(args) == 0 {
			return UsageError{fmt.Errorf("an argument is missing: %s", form)}
		}
		return UsageError{fmt.Errorf("an argument too many, %q: %s", args[len(args)-1], form)}
	}
}
