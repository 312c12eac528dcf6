package client

import (
	"time"

	"github.com/spf13/cobra"

	"ribglass/httpapi/answer"
)

// completeTimeout is how long a shell waits for names that a server tells.
const completeTimeout = 2 * time.Second

// asked returns the server that a command line which is not complete yet would ask.
func asked(c *cobra.Command) *remote {
	server := defaultServer()
	if f := c.Flags().Lookup("server"); f != nil {
		server = f.Value.String()
	}
	return &remote{server: server, timeout: completeTimeout}
}

// completeCollections offers the collections of the server, each with its span. A server
// that does not answer offers none.
func completeCollections(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var a answer.Collections
	_, _ = asked(c).get(c.Context(), "/api/v1/collections", nil, &a)
	var names []cobra.Completion
	for i := range a.Collections {
		one := &a.Collections[i]
		span := "cannot be opened"
		if !one.Broken {
			span = moment(one.Begins) + " to " + moment(one.Ends)
		}
		names = append(names, cobra.CompletionWithDesc(one.Name, span))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completePeers offers the peers of the server, each with its AS number.
func completePeers(c *cobra.Command, _ []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
	var a answer.Peers
	_, _ = asked(c).get(c.Context(), "/api/v1/peers", nil, &a)
	var names []cobra.Completion
	for i := range a.Peers {
		names = append(names, cobra.CompletionWithDesc(a.Peers[i].Name, "AS"+a.Peers[i].ASN.String()))
	}
	return names, cobra.ShellCompDirectiveNoFileComp
}

// completePeer is completePeers for a command with one argument.
func completePeer(c *cobra.Command, args []string, word string) ([]cobra.Completion, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return completePeers(c, args, word)
}
