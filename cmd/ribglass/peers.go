package main

import (
	"io"
	"strconv"
	"strings"
	"time"

	"github.com/spf13/cobra"
)

func peersCommand() *cobra.Command {
	var cl client
	c := &cobra.Command{
		Use:   "peers",
		Short: "List the peers of a running Ribglass and the state of their sessions",
		Example: `  ribglass peers
  ribglass peers --server http://lg.example.net:8080 --format json`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			var answer peersAnswer
			body, err := cl.get(c.Context(), "/api/v1/peers", nil, &answer)
			if err != nil {
				return err
			}
			return cl.print(c.OutOrStdout(), body, answer.print)
		},
	}
	cl.flags(c)
	return c
}

// peersAnswer is what is printed of the answer of GET /api/v1/peers.
type peersAnswer struct {
	At    time.Time `json:"at"`
	Peers []struct {
		Name        string    `json:"name"`
		Address     string    `json:"address"`
		ASN         uint32    `json:"asn"`
		Description string    `json:"description"`
		AdminDown   bool      `json:"admin_down"`
		State       string    `json:"state"`
		Since       time.Time `json:"since"`
		LastError   string    `json:"last_error"`
		Routes      struct {
			Accepted int `json:"accepted"`
			Stale    int `json:"stale"`
		} `json:"routes"`
	} `json:"peers"`
}

func (a *peersAnswer) print(w io.Writer) error {
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
