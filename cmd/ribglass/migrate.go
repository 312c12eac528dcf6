package main

import (
	"errors"
	"fmt"
	"io"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/terminal"
	"ribglass/ribstore/history"
)

func historyMigrateCommand() *cobra.Command {
	var place dataDir
	c := &cobra.Command{
		Use:   "migrate [FILE…]",
		Short: "Bring stored files to the format of this version",
		Long: `Migrate brings files of the history and of collections, or all of a data
directory, from the format of the last version to the format of this one. A server
does that by itself for the file that it records in, and reads collections of the
last format as they are; migrate is for what the next version is to read.

A file changes in one transaction, within a second whatever its size, and keeps all
it has. No server may have it open meanwhile. The last version cannot read it
afterwards: keep a copy when you may go back.

Exit status: 0 all files have the format of this version, 1 one could not be
brought to it, 2 wrong usage.`,
		Example: `  ribglass history migrate --data-dir /var/lib/ribglass
  ribglass history migrate /backup/history.db`,
		RunE: func(c *cobra.Command, args []string) error {
			files, err := place.files(args)
			if err != nil {
				return err
			}
			return migrateFiles(files, c.OutOrStdout())
		},
	}
	place.flags(c)
	return c
}

// errNotMigrated is the failure of some files. Which and why has been printed.
var errNotMigrated = errors.New("not all files could be brought to the format of this version")

func migrateFiles(files []string, out io.Writer) (failed error) {
	for _, file := range files {
		before, err := history.Migrate(file)
		said := fmt.Sprintf("has the format %q already", history.Format)
		switch {
		case err != nil:
			said, failed = terminal.Clean(explainHistory(err).Error()), errNotMigrated
		case before != history.Format:
			said = fmt.Sprintf("had the format %q, has %q now", before, history.Format)
		}
		if _, err := fmt.Fprintf(out, "%s: %s\n", terminal.Clean(file), said); err != nil {
			return err
		}
	}
	return failed
}
