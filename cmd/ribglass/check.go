package main

import (
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/config"
	"ribglass/cmd/ribglass/terminal"
)

// standardInput stands for it where a file has its name.
const standardInput = "<stdin>"

// maxConfig bounds a configuration that is read from standard input, in bytes.
const maxConfig = 64 << 20

// checkFile checks a file, or what comes in.
func checkFile(name string, in io.Reader) (*config.Config, error) {
	if name != "-" {
		return config.Check(name)
	}
	text, err := io.ReadAll(io.LimitReader(in, maxConfig))
	if err != nil {
		return nil, fmt.Errorf("configuration: %w", err)
	}
	return config.CheckText(standardInput, text)
}

func checkCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE|-",
		Short: "Check a configuration file without starting",
		Long: `Check reads a configuration file and every file that it names (passwords, names,
texts, what the site shows), and reports every mistake with its line, column, key
and reason. It starts nothing and connects to
nothing. With - it reads standard input. Run it as the user that Ribglass runs as, so that it may read the same
secrets.`,
		Example: `  ribglass check /etc/ribglass/ribglass.yaml
  envsubst < ribglass.yaml.in | ribglass check -`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			cfg, err := checkFile(args[0], c.InOrStdin())
			if err != nil {
				return err
			}
			name := args[0]
			if name == "-" {
				name = standardInput
			}
			_, err = fmt.Fprintf(c.OutOrStdout(), "%s: OK: AS%d, router id %s, %s, %s\n", name, cfg.ASN, cfg.RouterID,
				terminal.Several(len(cfg.Neighbors), "neighbor"), terminal.Several(len(cfg.DynamicNeighbors), "rule")+" for dynamic neighbors")
			return err
		},
	}
}
