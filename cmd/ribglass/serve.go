package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
	"syscall"

	"github.com/spf13/cobra"

	"ribglass/cmd/ribglass/config"
)

const defaultConfigFile = "/etc/ribglass/ribglass.yaml"

func serveCommand() *cobra.Command {
	var file string
	var over config.Overrides
	c := &cobra.Command{
		Use:   "serve",
		Short: "Take BGP sessions in and answer lookups",
		Long: `Serve is the looking glass: it listens for the neighbors of the configuration,
keeps every route they send, and answers over HTTP.

Signals: HUP reads the configuration again; sessions whose settings did not
change stay up, and a configuration with mistakes changes nothing. TERM and INT
stop within five seconds; a second one stops at once.`,
		Example: `  ribglass serve --config /etc/ribglass/ribglass.yaml
  ribglass serve --config configs/demo.yaml --http-listen localhost:8081`,
		Args: cobra.NoArgs,
		RunE: func(c *cobra.Command, _ []string) error {
			return serve(c.Context(), file, over)
		},
	}
	f := c.Flags()
	f.StringVarP(&file, "config", "c", cmp.Or(os.Getenv("RIBGLASS_CONFIG"), defaultConfigFile), "configuration `file` (environment: RIBGLASS_CONFIG)")
	f.StringVar(&over.Listen, "listen", os.Getenv("RIBGLASS_LISTEN"), "`address` for BGP instead of the configuration's (environment: RIBGLASS_LISTEN)")
	f.StringVar(&over.HTTPListen, "http-listen", os.Getenv("RIBGLASS_HTTP_LISTEN"), "`address` for HTTP instead of the configuration's (environment: RIBGLASS_HTTP_LISTEN)")
	f.StringVar(&over.AdminListen, "admin-listen", os.Getenv("RIBGLASS_ADMIN_LISTEN"), "`address` for metrics and health instead of the configuration's (environment: RIBGLASS_ADMIN_LISTEN)")
	return c
}

// serve runs a server until a signal ends it.
func serve(ctx context.Context, file string, over config.Overrides) error {
	ctx, stop := signal.NotifyContext(ctx, syscall.SIGTERM, syscall.SIGINT)
	defer stop()
	// After the first signal the default is back: the second one kills.
	context.AfterFunc(ctx, stop)
	// From here on, not when the server runs: a HUP must never kill.
	hangups := make(chan os.Signal, 1)
	signal.Notify(hangups, syscall.SIGHUP)
	defer signal.Stop(hangups)

	shareProcessors()
	load := func() (*config.Config, error) { return config.Load(file, over) }
	cfg, err := load()
	if err != nil {
		return err
	}
	s, err := newServer(ctx, cfg, os.Stderr)
	if err != nil {
		return err
	}
	return s.run(ctx, load, hangups)
}

// reloadErrors splits what is wrong with a configuration into log lines.
func reloadErrors(err error) []string {
	problems, ok := errors.AsType[config.Errors](err)
	if !ok {
		return []string{err.Error()}
	}
	lines := make([]string, len(problems))
	for i, p := range problems {
		lines[i] = fmt.Sprintf("%s:%d:%d: %s", p.File, p.Line, p.Column, p.Message)
	}
	return lines
}
