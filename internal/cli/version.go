package cli

import (
	"fmt"
	"runtime"
	"runtime/debug"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// What the linker of a release sets; it can set nothing but globals.
//
//nolint:gochecknoglobals // see above
var (
	buildVersion string
	buildCommit  string
	buildDate    string // of the commit, RFC 3339
)

// version is the version of a release, of the module, or "dev".
func version() string {
	if buildVersion != "" {
		return buildVersion
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" && info.Main.Version != "(devel)" {
		return info.Main.Version
	}
	return "dev"
}

func newVersionCmd(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, the commit and the hash of the schema",
		Example: `  descope-mgmt version
  descope-mgmt version -o json`,
		Args: noArgs,
		RunE: func(*cobra.Command, []string) error {
			v := map[string]any{"version": version(), "go": runtime.Version(), "schema": compiler.SchemaHash(), "commit": buildCommit, "date": buildDate}
			if info, ok := debug.ReadBuildInfo(); ok && buildCommit == "" {
				for _, s := range info.Settings {
					switch s.Key {
					case "vcs.revision":
						v["commit"] = s.Value
					case "vcs.time":
						v["date"] = s.Value
					}
				}
			}
			if a.flags.output != formatText {
				return a.encode(v)
			}
			a.print(fmt.Sprintf("descope-mgmt %s\n", v["version"]))
			for _, k := range []string{"commit", "date", "go", "schema"} {
				if s, _ := v[k].(string); s != "" {
					a.print(fmt.Sprintf("%-8s %s\n", k, ui.Safe(s)))
				}
			}
			return nil
		},
	}
}
