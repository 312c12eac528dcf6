package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/config"
)

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a configuration file without starting",
		Long: `Check reads a configuration file and every file that it names (passwords, names,
texts, what the site shows), and reports every mistake with its line, column, key
and reason. It starts nothing and connects to
nothing. Run it as the user that Ribglass runs as, so that it may read the same
secrets.`,
		Example: "  ribglass check /etc/ribglass/ribglass.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := config.Check(args[0])
			if err != nil {
				return err
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: OK: AS%d, router id %s, %d neighbors, %d dynamic neighbor rules\n",
				args[0], cfg.ASN, cfg.RouterID, len(cfg.Neighbors), len(cfg.DynamicNeighbors))
			return err
		},
	}
}
