package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"strings"
	"syscall"

	"github.com/klauspost/compress/zstd"
	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/config"
	"ribglass/cmd/ribglass/exit"
	"ribglass/cmd/ribglass/outfile"
	"ribglass/ui/names"
)

func updateNamesCommand() *cobra.Command {
	var configFile, output string
	c := &cobra.Command{
		Use:   "update-names FILE",
		Short: "Make the file of AS names out of a list of them",
		Long: `Update-names reads AS names from FILE ("-": standard input), checks every line,
and writes them in the form that Ribglass reads, by default to names.file of the
configuration. FILE has lines of an AS number and a name, or is CSV with the
columns asn and name; it may be packed by gzip or zstd. What is written is packed
by zstd when its name ends in .zst. The old file stays whole until the new one is,
which has its mode and owner; links are followed, and pipes are written as they are.
"systemctl reload ribglass" takes it into use. Nothing is fetched from anywhere.`,
		Example: `  ribglass update-names asn2org-asns.csv.gz
  ribglass update-names names.txt --output /var/lib/ribglass/asnames.tsv`,
		Args: cobra.ExactArgs(1),
		RunE: func(c *cobra.Command, args []string) error {
			target, err := namesTarget(configFile, output)
			if err != nil {
				return err
			}
			all, err := readNames(args[0], c.InOrStdin())
			if err != nil {
				return err
			}
			ctx, stop := signal.NotifyContext(c.Context(), syscall.SIGTERM, syscall.SIGINT)
			defer stop()
			if target == "-" {
				return packNames(c.OutOrStdout(), false, all)
			}
			size, err := writeNames(ctx, target, all)
			if err != nil {
				return err
			}
			notes := c.OutOrStdout()
			if strings.HasPrefix(target, "/dev/") { // such as /dev/stdout
				notes = c.ErrOrStderr()
			}
			_, err = fmt.Fprintf(notes, "%s: %d names, %d bytes\n", target, all.Len(), size)
			return err
		},
	}
	f := c.Flags()
	f.StringVarP(&output, "output", "o", "", "`file` to write instead of names.file of the configuration, - for standard output")
	f.StringVarP(&configFile, "config", "c", cmp.Or(os.Getenv("RIBGLASS_CONFIG"), defaultConfigFile), "configuration `file` (environment: RIBGLASS_CONFIG)")
	return c
}

// namesTarget returns the file to write.
func namesTarget(configFile, output string) (string, error) {
	if output != "" {
		return output, nil
	}
	cfg, err := config.Load(configFile, config.Overrides{})
	if err != nil {
		return "", fmt.Errorf("no --output, and no names.file: %w", err)
	}
	if cfg.Names.File == "" || cfg.Names.File == names.None {
		return "", exit.UsageError{Err: fmt.Errorf("%s has no names.file: set it, or give --output", configFile)}
	}
	return cfg.Names.File, nil
}

func readNames(source string, stdin io.Reader) (*names.ASNames, error) {
	in := stdin
	if source != "-" {
		f, err := os.Open(source)
		if err != nil {
			return nil, fmt.Errorf("names: %w", err)
		}
		defer f.Close()
		in = f
	}
	all, err := names.ReadASNames(in)
	if err != nil {
		return nil, fmt.Errorf("%s: %w", source, err)
	}
	if all.Len() == 0 {
		return nil, fmt.Errorf("%s: there is no name in it", source)
	}
	return all, nil
}

// writeNames writes the target and returns its size.
func writeNames(ctx context.Context, target string, all *names.ASNames) (size int64, err error) {
	err = outfile.Write(ctx, target, func(w io.Writer) error {
		counted := &counter{w: w}
		defer func() { size = counted.n }()
		return packNames(counted, strings.HasSuffix(target, ".zst"), all)
	})
	if err != nil {
		return 0, fmt.Errorf("write names: %w", err)
	}
	return size, nil
}

// counter counts what is written.
type counter struct {
	w io.Writer
	n int64
}

// Write implements io.Writer.
func (c *counter) Write(b []byte) (int, error) {
	n, err := c.w.Write(b)
	c.n += int64(n)
	return n, err
}

func packNames(w io.Writer, pack bool, all *names.ASNames) error {
	if !pack {
		return all.Write(w)
	}
	z, err := zstd.NewWriter(w, zstd.WithEncoderLevel(zstd.SpeedBestCompression), zstd.WithEncoderConcurrency(1))
	if err != nil {
		return err
	}
	return errors.Join(all.Write(z), z.Close())
}
