package main

import (
	"io"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/build"
)

func versionCommand() *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit and its date, and the version of Go",
		Args:  cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			_, err := io.WriteString(c.OutOrStdout(), build.Of().String())
			return err
		},
	}
}
