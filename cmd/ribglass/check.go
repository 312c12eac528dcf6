package main

import (
	"fmt"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/config"
	"ribglass/ui/names"
)

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Check a configuration file without starting",
		Long: `Check reads a configuration file and the secrets and files it names, and reports every
mistake with its line, column and reason. It starts nothing and connects to
nothing. Run it as the user that Ribglass runs as, so that it may read the same
secrets.`,
		Example: "  ribglass check /etc/ribglass/ribglass.yaml",
		Args:    cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := config.Load(args[0], config.Overrides{})
			if err != nil {
				return err
			}
			if err := new(names.Keeper).Load(cfg.Names); err != nil {
				return fmt.Errorf("names: %w", err)
			}
			if _, err := cfg.HTTP.LoadTexts(); err != nil {
				return fmt.Errorf("http: %w", err)
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: OK: AS%d, router id %s, %d neighbors, %d dynamic neighbor rules\n",
				args[0], cfg.ASN, cfg.RouterID, len(cfg.Neighbors), len(cfg.DynamicNeighbors))
			return err
		},
	}
}
