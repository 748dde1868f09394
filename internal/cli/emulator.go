package cli

import (
	"context"
	"fmt"
	"net"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/emulator"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

type emulatorOptions struct {
	*app
	listen  string
	data    string
	rate    string
	latency time.Duration
	jitter  time.Duration
	tier    string
	seed    string
	faults  []string
	quirks  []string
	keys    []string
	project []string
}

func newEmulatorCmd(a *app) *cobra.Command {
	o := &emulatorOptions{app: a}
	cmd := &cobra.Command{
		Use:   "emulator",
		Short: "Run Descope's management API on this machine",
		Long: `Emulator serves Descope's management API for tenants and flows, until it is
interrupted. It takes any project id and any management key unless told otherwise.
Its first line of output is "listening on http://HOST:PORT".

The flag --emulator of other commands needs no server: the command emulates the project
itself, and keeps it in the state directory; reset empties it. The server is for other
programs too, and for faults and limits; its projects are in memory, or in --data.

While it runs: POST /_emulator/faults, POST /_emulator/reset, POST /_emulator/seed,
GET /_emulator/requests. See docs/emulator.md.`,
		Example: `  descope-mgmt emulator --listen 127.0.0.1:8080
  descope-mgmt emulator --rate 20/10s --latency 200ms --fault 503-once
  descope-mgmt plan --env dev --base-url http://127.0.0.1:8080
  descope-mgmt plan --env dev --emulator`,
		Args:        noArgs,
		Annotations: formats(formatText),
		RunE:        func(cmd *cobra.Command, _ []string) error { return o.run(cmd.Context()) },
	}
	f := cmd.Flags()
	f.StringVar(&o.listen, "listen", "127.0.0.1:0", "address; port 0 picks a free one")
	f.StringVar(&o.data, "data", "", "keep the data in this directory (default: in memory)")
	f.StringVar(&o.rate, "rate", "200/60s", "budget of tenant writes, or off for no limits at all")
	f.DurationVar(&o.latency, "latency", 0, "time that every answer takes")
	f.DurationVar(&o.jitter, "jitter", 0, "vary the latency by up to this")
	f.StringVar(&o.tier, "tier", "tier1", "licence: tier1 (free) to tier4 (enterprise)")
	f.StringVar(&o.seed, "seed", "", "load this JSON file first")
	f.StringArrayVar(&o.faults, "fault", nil, "fail on purpose: "+strings.Join(emulator.FaultNames(), ", ")+", or a status such as 429 or 503-once (repeat)")
	f.StringArrayVar(&o.quirks, "quirk", nil, "answer to an open question about Descope, as NAME=VALUE (repeat)")
	f.StringArrayVar(&o.keys, "key", nil, "management key to accept; without one any is (repeat)")
	f.StringArrayVar(&o.project, "project", nil, "project that exists; without one any does (repeat)")
	must(cmd.RegisterFlagCompletionFunc("tier", fixedCompletion("tier1", "tier2", "tier3", "tier4")))
	must(cmd.RegisterFlagCompletionFunc("fault", fixedCompletion(append(emulator.FaultNames(), "429", "503-once")...)))
	cmd.AddCommand(newEmulatorResetCmd(a))
	return cmd
}

func (o *emulatorOptions) run(ctx context.Context) error {
	options, err := o.options()
	if err != nil {
		return err
	}
	if o.data != "" {
		dir, err := store.Open(o.path(o.data))
		if err != nil {
			return err
		}
		storage, err := o.emulatorStorage(ctx, dir)
		if err != nil {
			return err
		}
		defer storage.Close() //nolint:errcheck // everything is saved as it is written
		options.Storage = storage
	}
	server, err := emulator.New(options)
	if err != nil {
		return configError("", "%w", err)
	}
	if o.seed != "" {
		data, err := os.ReadFile(o.path(o.seed))
		if err != nil {
			return configError("", "--seed: %w", err)
		}
		if err := server.Seed(data); err != nil {
			return configError("", "--seed %s: %w", o.seed, err)
		}
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", o.listen)
	if err != nil {
		return configError("", "--listen %s: %w", o.listen, err)
	}
	o.print(fmt.Sprintf("listening on http://%s\n", listener.Addr()))
	if host, _, _ := net.SplitHostPort(listener.Addr().String()); !net.ParseIP(host).IsLoopback() {
		o.note(ui.Safe("warning: "+host+" can be reached from other machines, and any key is accepted") + "\n")
	}
	return emulator.Serve(ctx, listener, server)
}

func (o *emulatorOptions) options() (emulator.Options, error) {
	options := emulator.Options{Latency: o.latency, Jitter: o.jitter, Tier: o.tier, Projects: o.project, Now: o.now}
	var err error
	if options.Budgets, err = emulator.ParseBudgets(o.rate); err != nil {
		return options, configError("", "%w", err)
	}
	for _, s := range o.faults {
		f, err := emulator.ParseFault(s)
		if err != nil {
			return options, configError("", "%w", err)
		}
		options.Faults = append(options.Faults, f)
	}
	for _, s := range o.quirks {
		name, value, ok := strings.Cut(s, "=")
		if !ok {
			return options, configError("", "--quirk %q: write NAME=VALUE", s)
		}
		if err := options.Quirks.Set(name, value); err != nil {
			return options, configError("", "--quirk: %w", err)
		}
	}
	for _, k := range o.keys {
		options.Keys = append(options.Keys, emulator.Key{Key: k})
	}
	return options, nil
}
