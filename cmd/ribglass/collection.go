package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"text/tabwriter"
	"time"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/intake"
	"ribglass/cmd/ribglass/terminal"
	"ribglass/ribstore"
	"ribglass/ribstore/history"
)

func collectionCommand() *cobra.Command {
	c := &cobra.Command{
		Use:     "collection",
		Aliases: []string{"collections"},
		Short:   "List, rename and delete collections",
		Long: `Collection works on the collections of a data directory, which "ribglass import"
makes, adds to and replaces. A running server notices: what is deleted or renamed
is gone from its list at once, and questions that are being answered end as they
began.`,
		Args: cobra.ArbitraryArgs,
		RunE: exit.HelpOrUnknown,
	}
	c.AddCommand(collectionListCommand(), collectionDeleteCommand(), collectionRenameCommand())
	return c
}

// listed is a collection as the list tells of it.
type listedCollection struct {
	Name   string    `json:"name"`
	Begins time.Time `json:"begins,omitzero"`
	Ends   time.Time `json:"ends,omitzero"`
	Bytes  int64     `json:"bytes"`
	Files  []string  `json:"files"`
	Error  string    `json:"error,omitempty"` // why it cannot be opened
}

func collectionListCommand() *cobra.Command {
	var (
		place  dataDir
		asJSON bool
	)
	c := &cobra.Command{
		Use:   "list",
		Short: "List the collections of a data directory",
		Long: `List names the collections of a data directory with their spans, sizes and the
files that they were imported from.

Exit status: 0 listed, 1 failed, 2 wrong usage, 3 there is none.`,
		Example: `  ribglass collection list --data-dir /var/lib/ribglass`,
		Args:    cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			dir, err := place.find()
			if err != nil {
				return err
			}
			list, err := listCollections(dir)
			if err != nil {
				return err
			}
			if asJSON {
				err = json.NewEncoder(c.OutOrStdout()).Encode(map[string]any{"collections": list})
			} else {
				err = printCollections(c.OutOrStdout(), list)
			}
			if err == nil && len(list) == 0 {
				err = exit.ErrNotFound
			}
			return err
		},
	}
	place.flags(c)
	c.Flags().BoolVar(&asJSON, "json", false, "as JSON")
	return c
}

func listCollections(dir string) ([]listedCollection, error) {
	list := []listedCollection{}
	discard := ribstore.Deps{Logger: slog.New(slog.DiscardHandler), Now: time.Now}
	all := ribstore.NewCollections(dir, ribstore.DefaultConfig(), discard)
	names, err := all.List()
	if err != nil {
		return nil, err
	}
	for _, name := range names {
		one := listedCollection{Name: name, Files: []string{}}
		if path, err := ribstore.CollectionPath(dir, name); err == nil {
			if info, err := os.Stat(path); err == nil {
				one.Bytes = info.Size()
			}
		}
		switch a, err := all.Get(name); {
		case errors.Is(err, history.ErrLocked):
			one.Error = "in use by another process"
		case err != nil:
			one.Error = err.Error()
		default:
			stats := a.Stats()
			one.Begins, one.Ends = stats.Begins.UTC(), stats.Ends.UTC()
			one.Files = append(one.Files, a.Files...)
		}
		list = append(list, one)
	}
	return list, all.Close()
}

func printCollections(w io.Writer, list []listedCollection) error {
	if len(list) == 0 {
		return nil
	}
	table := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(table, "NAME\tFROM\tTO\tSIZE\tFILES")
	for i := range list {
		one := &list[i]
		if one.Error != "" {
			fmt.Fprintf(table, "%s\t-\t-\t%s\t%s\n", one.Name, terminal.Amount(one.Bytes), terminal.Clean(one.Error))
			continue
		}
		files := "-"
		if n := len(one.Files); n > 0 {
			files = terminal.Clean(one.Files[0])
			if n > 1 {
				files += fmt.Sprintf(" and %d more", n-1)
			}
		}
		fmt.Fprintf(table, "%s\t%s\t%s\t%s\t%s\n", one.Name, one.Begins.Format(time.RFC3339), one.Ends.Format(time.RFC3339), terminal.Amount(one.Bytes), files)
	}
	return table.Flush()
}

func collectionDeleteCommand() *cobra.Command {
	var place dataDir
	c := &cobra.Command{
		Use:     "delete NAME…",
		Aliases: []string{"remove", "rm"},
		Short:   "Delete collections",
		Long: `Delete removes collections from a data directory. There is no way back but to
import their files again.

Exit status: 0 deleted, 1 failed, 2 wrong usage, 3 there is no such collection;
then nothing is deleted.`,
		Example: `  ribglass collection delete rrc01 --data-dir /var/lib/ribglass`,
		Args:    cobra.MinimumNArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := place.find()
			if err != nil {
				return err
			}
			for _, name := range args {
				if err := mustExist(dir, name, c.ErrOrStderr()); err != nil {
					return err
				}
			}
			for _, name := range args {
				if err := intake.Delete(dir, name); err != nil {
					return err
				}
				fmt.Fprintf(c.OutOrStdout(), "%s: deleted\n", name)
			}
			return nil
		},
	}
	c.ValidArgsFunction = completeStored(place.find, 0)
	place.flags(c)
	return c
}

func collectionRenameCommand() *cobra.Command {
	var place dataDir
	c := &cobra.Command{
		Use:   "rename NAME NEW",
		Short: "Rename a collection",
		Long: `Rename gives a collection another name, which no collection has.

Exit status: 0 renamed, 1 failed, 2 wrong usage, 3 there is no such collection.`,
		Example: `  ribglass collection rename rrc01 rrc01-october --data-dir /var/lib/ribglass`,
		Args:    cobra.ExactArgs(2),
		RunE: func(c *cobra.Command, args []string) error {
			dir, err := place.find()
			if err != nil {
				return err
			}
			if err := mustExist(dir, args[0], c.ErrOrStderr()); err != nil {
				return err
			}
			return intake.Rename(dir, args[0], args[1])
		},
	}
	c.ValidArgsFunction = completeStored(place.find, 1)
	place.flags(c)
	return c
}

// completeStored offers the collections of a directory: for so many arguments, or for
// any number of them, each once.
func completeStored(find func() (string, error), most int) cobra.CompletionFunc {
	return func(_ *cobra.Command, args []string, _ string) ([]cobra.Completion, cobra.ShellCompDirective) {
		dir, err := find()
		if err != nil || dir == "" || most > 0 && len(args) >= most {
			return nil, cobra.ShellCompDirectiveNoFileComp
		}
		all := ribstore.NewCollections(dir, ribstore.DefaultConfig(), ribstore.Deps{Logger: slog.New(slog.DiscardHandler), Now: time.Now})
		defer all.Close()
		names, _ := all.List() // none when the directory cannot be read
		return slices.DeleteFunc(names, func(name string) bool { return slices.Contains(args, name) }), cobra.ShellCompDirectiveNoFileComp
	}
}

// mustExist says that there is no such collection, and which there are.
func mustExist(dir, name string, notes io.Writer) error {
	path, err := ribstore.CollectionPath(dir, name)
	if err != nil {
		return exit.UsageError{Err: err}
	}
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	fmt.Fprintf(notes, "ribglass: %s has no collection %s: \"ribglass collection list\" names those it has\n", dir, name)
	return exit.ErrNotFound
}
