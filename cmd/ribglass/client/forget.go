package client

import (
	"fmt"
	"io"
	"net/url"
	"strconv"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/terminal"
	"ribglass/httpapi/answer"
)

func peersForgetCommand() *cobra.Command {
	var cl remote
	c := &cobra.Command{
		Use:   "forget NAME",
		Short: "Have a running Ribglass remove the routes of a peer that is down",
		Long: `Forget asks the admin listener of a running Ribglass to remove the routes of a peer
whose session is down, which would stay for their stale time otherwise. A dynamic
neighbor is forgotten with them; a configured one goes on waiting for a connection.`,
		Example: "  ribglass peers forget ixp-198.51.100.7\n  ribglass peers forget edge1 --format json",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			told := new(answer.Forgotten)
			body, err := cl.command(c.Context(), "/-/forget", url.Values{"peer": {args[0]}}, told)
			if err != nil {
				return err
			}
			return cl.print(c.OutOrStdout(), body, func(w io.Writer) error {
				what := "its routes are removed"
				if told.Dynamic {
					what = "it and its routes are removed"
				}
				_, err := fmt.Fprintf(w, "%s: %s\n", terminal.Clean(told.Peer), what)
				return err
			})
		},
		ValidArgsFunction: completePeer,
	}
	cl.adminFlags(c, 30*time.Second, "how long to wait for the answer")
	cl.formatFlag(c, []string{formatTable, formatJSON})
	return c
}

func peersRefusedCommand() *cobra.Command {
	var cl remote
	c := &cobra.Command{
		Use:     "refused",
		Short:   "List the last connections to a running Ribglass that got no session, and why",
		Example: "  ribglass peers refused",
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var a answer.RefusedConnections
			body, err := cl.get(c.Context(), "/api/v1/refused", nil, &a)
			if err != nil {
				return err
			}
			return cl.print(c.OutOrStdout(), body, func(w io.Writer) error { return printRefused(w, &a) })
		},
		ValidArgsFunction: cobra.NoFileCompletions,
	}
	cl.flags(c)
	return c
}

func printRefused(w io.Writer, a *answer.RefusedConnections) error {
	rows := [][]string{{"ADDRESS", "AS", "PEER", "TIMES", "AGO", "REASON"}}
	for i := range a.Attempts {
		one := &a.Attempts[i]
		asn := ""
		if one.ASN != 0 {
			asn = one.ASN.String()
		}
		rows = append(rows, []string{one.Address, asn, one.Peer, strconv.FormatUint(one.Count, 10), age(a.At, one.Last), one.Text})
	}
	if err := writeTable(w, rows); err != nil {
		return err
	}
	if m := a.TCPMD5; m != (answer.MD5Errors{}) {
		_, err := fmt.Fprintf(w, "\nTCP-MD5: the kernel dropped %d segments with a wrong key, %d without one and %d with one too many.\n", m.Wrong, m.Missing, m.Unexpected)
		return err
	}
	return nil
}
