package main

import (
	"io"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func peersCommand() *cobra.Command {
	var (
		cl    client
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
			var answer peersAnswer
			body, err := cl.get(c.Context(), "/api/v1/peers", values, &answer)
			if err != nil {
				return err
			}
			return cl.print(c.OutOrStdout(), body, answer.print)
		},
	}
	cl.flags(c)
	where.flags(c)
	return c
}

// peersAnswer is what is printed of the answer of GET /api/v1/peers.
type peersAnswer struct {
	pastAnswer

	Peers []struct {
		Name        string    `json:"name"`
		Address     string    `json:"address"`
		ASN         uint32    `json:"asn"`
		Description string    `json:"description"`
		AdminDown   bool      `json:"admin_down"`
		State       string    `json:"state"` // of now
		Up          bool      `json:"up"`    // of the past
		StaleSince  time.Time `json:"stale_since"`
		Since       time.Time `json:"since"`
		LastError   string    `json:"last_error"`
		Routes      struct {
			Accepted int `json:"accepted"`
			Stale    int `json:"stale"`
		} `json:"routes"`
	} `json:"peers"`
}

func (a *peersAnswer) print(w io.Writer) error {
	if len(a.Peers) > 0 && a.Peers[0].State == "" {
		return a.printPast(w)
	}
	rows := [][]string{{"NAME", "ADDRESS", "AS", "STATE", "FOR", "ROUTES", "STALE", "DESCRIPTION"}}
	for i := range a.Peers {
		p := &a.Peers[i]
		state := p.State
		if p.AdminDown {
			state = "shut down"
		}
		note := p.Description
		if p.State != "established" && p.LastError != "" {
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
	return a.printMoment(w, true)
}
