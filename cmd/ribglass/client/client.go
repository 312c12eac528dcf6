// Package client has the commands that ask a running Ribglass over HTTP: lookup,
// search, peers, changes, timeline, diff, history, export, and those of
// snapshot. They print what [ribglass/httpapi/answer] declares, as a table or as
// it came. A command does one piece of work in the goroutine that runs it and
// holds nothing afterwards. Its errors are those of package exit; whatever a
// server or a router wrote is printed without control characters.
package client

import (
	"github.com/spf13/cobra"
)

// Commands returns the commands that stand below "ribglass".
func Commands() []*cobra.Command {
	return []*cobra.Command{
		lookupCommand(), searchCommand(), peersCommand(), changesCommand(), timelineCommand(), diffCommand(), historyCommand(), exportCommand(),
	}
}

// SnapshotCommands returns the commands that stand below "ribglass snapshot".
func SnapshotCommands() []*cobra.Command {
	return []*cobra.Command{snapshotTakeCommand(), snapshotListCommand()}
}
