package cli

import (
	"fmt"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// importDoc is an import as JSON.
type importDoc struct {
	Environments []importedEnv     `json:"environments"`
	Files        []importedFile    `json:"files"`
	Notes        model.Diagnostics `json:"notes"`
	Written      bool              `json:"written"`
}

// importedEnv is what was imported into one environment.
type importedEnv struct {
	Name      string       `json:"name"`
	ProjectID string       `json:"project_id"`
	From      string       `json:"from"`
	Tenants   int          `json:"tenants"`
	Flows     int          `json:"flows"`
	Present   int          `json:"present"`
	Differs   []difference `json:"differs"`
}

// importedFile is one file that is written.
type importedFile struct {
	Path      string   `json:"path"`
	Bytes     int      `json:"bytes"`
	Resources []string `json:"resources"`
}

func (i *imported) document() importDoc {
	d := importDoc{Environments: []importedEnv{}, Files: []importedFile{}, Notes: append(model.Diagnostics{}, i.notes...), Written: i.written}
	for _, r := range i.reads {
		d.Environments = append(d.Environments, importedEnv{
			Name: r.env, ProjectID: r.project, From: r.from, Present: r.present,
			Tenants: ofKind(r.missing.State, model.Tenant), Flows: ofKind(r.missing.State, model.Flow),
			Differs: append([]difference{}, r.differs...),
		})
	}
	for _, f := range i.files {
		resources := []string{}
		for _, k := range f.Declares {
			resources = append(resources, k.String())
		}
		d.Files = append(d.Files, importedFile{f.Path, len(f.Text), resources})
	}
	return d
}

// text shows what is imported, what is left alone, and the files.
func (i *imported) text(o *importOptions) string {
	var b strings.Builder
	for _, r := range i.reads {
		fmt.Fprintf(&b, "%s: %s and %s to import from %s", r.env,
			ui.Counted(ofKind(r.missing.State, model.Tenant), "tenant"), ui.Counted(ofKind(r.missing.State, model.Flow), "flow"), ui.Safe(r.from))
		if r.present > 0 {
			fmt.Fprintf(&b, "; the configuration has %d already", r.present)
		}
		b.WriteString(".\n")
		for _, d := range r.differs {
			if len(d.Fields) == 0 {
				fmt.Fprintf(&b, "  left as it is: %s is in the configuration only\n", ui.Safe(d.Address))
				continue
			}
			fmt.Fprintf(&b, "  left as it is: %s differs in %s\n", ui.Safe(d.Address), ui.Safe(strings.Join(d.Fields, ", ")))
		}
		if len(r.differs) > 0 {
			fmt.Fprintf(&b, "  To decide what counts: %s\n", ui.Safe(o.here("descope-mgmt drift --env "+r.env+" --resolve")))
		}
	}
	if len(i.files) == 0 {
		b.WriteString("Nothing to import.\n")
		return b.String()
	}
	table := ui.NewTable("file", "what")
	for _, f := range i.files {
		kinds := map[model.Kind]int{}
		for _, k := range f.Declares {
			kinds[k.Kind]++
		}
		var what string
		switch {
		case f.Declares == nil:
			what = fmt.Sprintf("%d kB", (len(f.Text)+999)/1000)
		case kinds[model.Tenant] > 0:
			what = ui.Counted(kinds[model.Tenant], "tenant")
		case kinds[model.Flow] > 0:
			what = ui.Counted(kinds[model.Flow], "flow")
		default:
			what = "connectors"
		}
		table.Add(f.Path, what)
	}
	return b.String() + table.Text(o.streams.OutStyle())
}

// verdict is what a plan says after the import.
func (i *imported) verdict(o *importOptions) string {
	var b strings.Builder
	for _, r := range i.reads {
		if len(r.differs) == 0 {
			fmt.Fprintf(&b, "%s: No changes. Everything that was imported is as it is in %s.\n", r.env, ui.Safe(r.from))
		} else {
			fmt.Fprintf(&b, "%s: No changes in what was imported; %s that were there before differ, as they did.\n", r.env, ui.Counted(len(r.differs), "object"))
		}
		fmt.Fprintf(&b, "  Read the files, then: %s\n", ui.Safe(o.here("descope-mgmt plan --env "+r.env)))
	}
	return b.String()
}
