package cli

import (
	"bytes"
	"fmt"
	"os"
	"strings"

	"github.com/spf13/cobra"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/schemadoc"
	"pcconnect.ai/descope-mgmt/internal/store"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// formatJSONSchema is JSON Schema 2020-12.
const formatJSONSchema = "jsonschema"

func newSchemaExportCmd(a *app) *cobra.Command {
	var out string
	cmd := &cobra.Command{
		Use:   "export KIND",
		Short: "Print the schema of a kind, as JSON Schema or CUE",
		Long: `Export prints the schema of one kind of document, for editors and other programs:

  tenant        what stands below the id of a tenant
  flow          what stands below the id of a flow
  environment   what an environment says of itself
  config        an environment with its tenants and flows
  yaml          a configuration in YAML or JSON: descope.yaml, .descope/config.yaml
  yaml-overlay  what .descope/NAME.yaml puts over it for one environment

--format jsonschema is JSON Schema 2020-12, with the comments of the schema as
descriptions. --format cue is the definition with all that it needs, in one file; the
spelling of YAML has none. What concerns several objects (unique names, parents) only
validate can check.`,
		Example: `  descope-mgmt schema export tenant
  descope-mgmt schema export flow --format cue
  descope-mgmt schema export yaml --out descope.schema.json`,
		Annotations:       formats(formatJSONSchema, formatCUE),
		ValidArgsFunction: completeSchemaKinds,
		Args: func(cmd *cobra.Command, args []string) error {
			if len(args) != 1 {
				return configError(cmd.CommandPath()+" yaml", "%s needs one kind: %s", cmd.CommandPath(), strings.Join(schemaKinds(), ", "))
			}
			return nil
		},
		RunE: func(_ *cobra.Command, args []string) error { return a.schemaExport(args[0], out) },
	}
	cmd.Flags().StringVar(&out, "out", "", "write it to this file, or over one that export wrote (default: stdout)")
	return cmd
}

func schemaKinds() []string {
	var names []string
	for _, k := range schemadoc.Kinds() {
		names = append(names, string(k))
	}
	return names
}

func completeSchemaKinds(_ *cobra.Command, args []string, _ string) ([]string, cobra.ShellCompDirective) {
	if len(args) > 0 {
		return nil, cobra.ShellCompDirectiveNoFileComp
	}
	return schemaKinds(), cobra.ShellCompDirectiveNoFileComp
}

func (a *app) schemaExport(name, out string) error {
	kind, err := schemaKind(name)
	if err != nil {
		return err
	}
	document, err := schemadoc.Read()
	if err != nil {
		return err
	}
	var text []byte
	if a.flags.output == formatCUE {
		if !kind.InCUE() {
			return configError("descope-mgmt schema export "+name, "%w", schemadoc.ErrNoCUE)
		}
		text, err = document.CUE(kind)
	} else {
		var s *schemadoc.Schema
		if s, err = document.JSONSchema(kind); err == nil {
			text, err = s.Text()
		}
	}
	if err != nil {
		return err
	}
	if out == "" || out == "-" {
		a.print(string(text))
		return nil
	}
	path := a.path(out)
	if is, err := os.ReadFile(path); err == nil && !bytes.Contains(is, []byte("enerated by descope-mgmt")) {
		return refusedError("", "%s is there, and export did not write it; name another file", a.relative(path))
	}
	if err := store.ReplaceFile(path, text, 0o644); err != nil {
		return a.notWritten("writing the schema", out, err)
	}
	a.note(fmt.Sprintf("Wrote %s.\n", ui.Safe(out)))
	if !kind.InCUE() {
		a.note("Editors find it by the first line of the YAML: " + ui.Safe(schemadoc.Modeline(out)) + "\n")
	}
	return nil
}

// schemaKind finds a kind by its name.
func schemaKind(name string) (schemadoc.Kind, error) {
	for _, k := range schemadoc.Kinds() {
		if string(k) == name {
			return k, nil
		}
	}
	meant, hint := "", "descope-mgmt schema export --help"
	if near := model.Suggest(name, schemaKinds()); near != "" {
		meant, hint = "; did you mean "+near+"?", "descope-mgmt schema export "+near
	}
	return "", configError(hint, "there is no schema of %q; there are %s%s", name, strings.Join(schemaKinds(), ", "), meant)
}
