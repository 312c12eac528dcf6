// Command ribglass is a looking glass that routers peer with: one binary for
// the server (serve), for checking its configuration (check), and for asking a
// running server (lookup, search, peers, changes, timeline, diff, history), for
// what it keeps (snapshot, export, import, replay), and for measuring (bench).
//
// Every command is a function that builds a cobra command and returns its
// errors; only main exits. The exit status is 0 when the command did what it
// was asked, 1 when it failed, 2 when it was called in a wrong way, and 3 when
// a lookup or search found no route; diff, like diff(1), returns 1 when there are
// differences and 2 when it failed.
package main

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/bench"
)

// Exit codes, documented in the help of the root command.
const (
	exitFailure  = 1
	exitUsage    = 2
	exitNotFound = 3

	exitDiffer  = 1 // of diff
	exitTrouble = 2 // idem
)

// usageError is a command line that cannot be understood.
type usageError struct{ error }

func (e usageError) Unwrap() error { return e.error }

// errNoRoute is a lookup whose answer has no route. The answer has been
// printed, so it is not printed as an error.
var errNoRoute = errors.New("no route")

func main() {
	root := rootCommand()
	err := root.ExecuteContext(context.Background())
	var usage usageError
	var trouble troubleError
	switch {
	case err == nil:
	case errors.Is(err, errNoRoute):
		os.Exit(exitNotFound)
	case errors.Is(err, errDiffer):
		os.Exit(exitDiffer)
	case errors.As(err, &usage):
		fmt.Fprintf(os.Stderr, "ribglass: %v\nSee \"ribglass --help\".\n", err)
		os.Exit(exitUsage)
	case errors.As(err, &trouble):
		fmt.Fprintf(os.Stderr, "ribglass: %v\n", err)
		os.Exit(exitTrouble)
	default:
		fmt.Fprintf(os.Stderr, "ribglass: %v\n", err)
		os.Exit(exitFailure)
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "ribglass",
		Short: "A looking glass that routers peer with",
		Long: `Ribglass is a looking glass that never logs in to a router: routers peer with
it over BGP, and every route they send can be looked up in a browser, over an
API and on the command line.

Exit status: 0 done, 1 failed, 2 wrong usage, 3 a lookup or search found no route;
of diff: 0 the same, 1 different, 2 failed or wrong usage.`,
		Example: `  ribglass check /etc/ribglass/ribglass.yaml
  ribglass serve --config /etc/ribglass/ribglass.yaml
  ribglass lookup 192.0.2.1 --server http://lg.example.net:8080
  ribglass diff --at 1h --at now --server http://lg.example.net:8080
  ribglass search 'path _64501_64502$' --server http://lg.example.net:8080`,
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		SilenceUsage:               true,
		Args:                       cobra.ArbitraryArgs,
		RunE:                       helpOrUnknown,
	}
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return usageError{err} })
	root.AddCommand(serveCommand(), checkCommand(),
		lookupCommand(), searchCommand(), peersCommand(),
		changesCommand(), timelineCommand(), diffCommand(), historyCommand(), snapshotCommand(),
		exportCommand(), importCommand(), replayCommand(), updateNamesCommand(),
		bench.Command(), versionCommand())
	markUsage(root)
	return root
}

// markUsage has the commands below c report wrong arguments as wrong usage.
func markUsage(c *cobra.Command) {
	for _, sub := range c.Commands() {
		if sub.Args != nil {
			sub.Args = usageArgs(sub.Args)
		}
		markUsage(sub)
	}
}

// helpOrUnknown runs when no command of the name given exists.
func helpOrUnknown(c *cobra.Command, args []string) error {
	if len(args) == 0 {
		return c.Help()
	}
	err := fmt.Errorf("unknown command %q", args[0])
	if near := c.SuggestionsFor(args[0]); len(near) > 0 {
		err = fmt.Errorf("%w: did you mean %q?", err, near[0])
	}
	return usageError{err}
}

// usageArgs marks what validate reports as wrong usage.
func usageArgs(validate cobra.PositionalArgs) cobra.PositionalArgs {
	return func(c *cobra.Command, args []string) error {
		if err := validate(c, args); err != nil {
			return usageError{err}
		}
		return nil
	}
}
