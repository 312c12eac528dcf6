package client

import (
	"encoding/json"
	"io"
	"net/url"
	"strconv"
	"strings"

	"github.com/spf13/cobra"

	"ribglass/httpapi/answer"
	"ribglass/ribstore/route"
)

func peersCommand() *cobra.Command {
	var (
		cl    remote
		where scene
	)
	c := &cobra.Command{
		Use:   "peers",
		Short: "List the peers of a running Ribglass and the state of their sessions",
		Example: `  ribglass peers
  ribglass peers --at 2026-11-22T03:12Z
  ribglass peers --server http://lg.example.net:8080 --format json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			values := url.Values{}
			where.set(values)
			var list peersAnswer
			body, err := cl.get(c.Context(), "/api/v1/peers", values, &list)
			if err != nil {
				return err
			}
			switch cl.format {
			case formatNDJSON:
				var plain struct {
					Peers []json.RawMessage `json:"peers"`
				}
				if err := json.Unmarshal(body, &plain); err != nil {
					return err
				}
				return printLines(c.OutOrStdout(), plain.Peers)
			case formatCSV:
				return printCSV(c.OutOrStdout(), list.csv())
			}
			return cl.print(c.OutOrStdout(), body, list.print)
		},
	}
	cl.flags(c, formatNDJSON, formatCSV)
	where.flags(c)
	c.AddCommand(peersForgetCommand(), peersRefusedCommand())
	return c
}

// peersAnswer is the answer of GET /api/v1/peers, for now or for the past.
type peersAnswer struct {
	answer.Moment

	Peers []peerThen `json:"peers"`
}

// peerThen is a peer as it is, or as it was: an [answer.Peer], or an
// [answer.PastPeer], which has some of its members and one more.
type peerThen struct {
	answer.Peer

	Up bool `json:"up"` // of the past
}

// csv returns the peers as rows, the same for now and for the past; state is "up" or
// "down" for the past.
func (a *peersAnswer) csv() [][]string {
	rows := [][]string{{
		"name", "address", "asn", "router", "group", "description", "state", "since", "admin_down", "stale_since",
		"accepted", "stale", "last_error",
	}}
	for i := range a.Peers {
		p := &a.Peers[i]
		state := string(p.State)
		switch {
		case state == "" && p.Up:
			state = "up"
		case state == "":
			state = "down"
		}
		rows = append(rows, []string{
			p.Name, p.Address, csvNumber(p.ASN), p.Router, p.Group, p.Description, state, csvTime(p.Since), csvTrue(p.AdminDown), csvTime(p.StaleSince),
			csvNumber(p.Routes.Accepted), csvNumber(p.Routes.Stale), p.LastError,
		})
	}
	return rows
}

func (a *peersAnswer) print(w io.Writer) error {
	if len(a.Peers) > 0 && a.Peers[0].State == "" {
		return a.printPast(w)
	}
	rows := [][]string{{"NAME", "ADDRESS", "AS", "STATE", "FOR", "ROUTES", "STALE", "DESCRIPTION"}}
	for i := range a.Peers {
		p := &a.Peers[i]
		state := string(p.State)
		if p.AdminDown {
			state = "shut down"
		}
		note := p.Description
		if p.State != route.StateEstablished && p.LastError != "" {
			note = strings.TrimSpace(note + " (" + p.LastError + ")")
		}
		rows = append(rows, []string{
			p.Name, p.Address, strconv.FormatUint(uint64(p.ASN), 10), state, age(a.At, p.Since),
			strconv.Itoa(p.Routes.Accepted), strconv.Itoa(p.Routes.Stale), note,
		})
	}
	return writeTable(w, rows)
}

// printPast prints what is known of peers in the past: whether sessions were up,
// not how they came to be.
func (a *peersAnswer) printPast(w io.Writer) error {
	rows := [][]string{{"NAME", "ADDRESS", "AS", "STATE", "ROUTES", "STALE", "DESCRIPTION"}}
	for i := range a.Peers {
		p := &a.Peers[i]
		state := "up"
		switch {
		case !p.Up && p.StaleSince.IsZero():
			state = "down"
		case !p.Up:
			state = "down for " + age(a.At, p.StaleSince)
		}
		rows = append(rows, []string{
			p.Name, p.Address, strconv.FormatUint(uint64(p.ASN), 10), state,
			strconv.Itoa(p.Routes.Accepted), strconv.Itoa(p.Routes.Stale), p.Description,
		})
	}
	if err := writeTable(w, rows); err != nil {
		return err
	}
	if _, err := io.WriteString(w, "\n"); err != nil {
		return err
	}
	return printMoment(w, &a.Moment, true)
}
