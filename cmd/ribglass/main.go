// Command ribglass is a looking glass that routers peer with: one binary for
// the server (serve), for checking its configuration (check), and for asking a
// running server (lookup, search, peers, changes, timeline, diff, history), for
// what it keeps (snapshot, export, import, replay); open is a server for files alone.
//
// Every command is a function that builds a cobra command and returns its
// errors; only main exits. The exit status is 0 when the command did what it
// was asked, 1 when it failed, 2 when it was called in a wrong way or asked what
// cannot be understood, and 3 when nothing was found or an import passed something
// over; diff, like diff(1), returns 1 when there are
// differences and 2 when it failed.
package main

import (
	"context"
	"fmt"
	"os"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/build"
	"ribglass/cmd/ribglass/client"
	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/terminal"
)

func main() {
	command, err := rootCommand().ExecuteContextC(context.Background())
	status, message := exit.Status(command.CommandPath(), err)
	if message != "" {
		fmt.Fprintln(os.Stderr, "ribglass:", message)
	}
	if status != 0 {
		os.Exit(status)
	}
}

func rootCommand() *cobra.Command {
	root := &cobra.Command{
		Use:   "ribglass",
		Short: "A looking glass that routers peer with",
		Long: `Ribglass is a looking glass that never logs in to a router: routers peer with
it over BGP, and every route they send can be looked up in a browser, over an
API and on the command line.

Exit status: 0 done, 1 failed, 2 wrong usage or a question that cannot be
understood, 3 nothing was found, or an import passed something over, 4 a file could
not be verified; of diff: 0 the same, 1 different, 2 failed or wrong usage.`,
		Example: `  ribglass check /etc/ribglass/ribglass.yaml
  ribglass serve --config /etc/ribglass/ribglass.yaml
  ribglass lookup 192.0.2.1 --server http://lg.example.net:8080
  ribglass diff --at 1h --at now --server http://lg.example.net:8080
  ribglass search 'path _64501_64502$' --server http://lg.example.net:8080`,
		SilenceErrors:              true,
		SuggestionsMinimumDistance: 2,
		SilenceUsage:               true,
		Args:                       cobra.ArbitraryArgs,
		RunE:                       exit.HelpOrUnknown,
		Version:                    build.Version(),
	}
	root.SetVersionTemplate(build.Of().String())
	root.SetFlagErrorFunc(func(_ *cobra.Command, err error) error { return exit.UsageError{Err: err} })
	root.AddCommand(serveCommand(), checkCommand(), snapshotCommand(), importCommand(), openCommand(), collectionCommand(), replayCommand(), updateNamesCommand(), versionCommand())
	root.AddCommand(client.Commands()...)
	addLocal(root, "history", historyMigrateCommand())
	exit.MarkUsage(root)
	inLocale(root)
	return root
}

// inLocale has the help of a command and of those below it in signs that the locale has.
func inLocale(c *cobra.Command) {
	c.Use, c.Long, c.Example = terminal.Signs(c.Use), terminal.Signs(c.Long), terminal.Signs(c.Example)
	for _, sub := range c.Commands() {
		inLocale(sub)
	}
}

// addLocal adds a command that needs no server to the subcommands of another command.
func addLocal(root *cobra.Command, below string, local *cobra.Command) {
	for _, c := range root.Commands() {
		if c.Name() == below {
			c.AddCommand(local)
		}
	}
}

// snapshotCommand puts what a server is asked and what is done without one below
// one name.
func snapshotCommand() *cobra.Command {
	c := &cobra.Command{
		Use:   "snapshot",
		Short: "Take, list and verify snapshots of the table",
		Args:  cobra.ArbitraryArgs,
		RunE:  exit.HelpOrUnknown,
	}
	c.AddCommand(client.SnapshotCommands()...)
	c.AddCommand(snapshotVerifyCommand())
	return c
}
