package api

import (
	"context"
	"encoding/json"
)

// SnapshotSecret is a secret that a snapshot lacks, see [SnapshotReport].
type SnapshotSecret struct {
	ID   string `json:"id"`
	Name string `json:"name"`
	// Type is the field that holds it, such as password.
	Type string `json:"type"`
}

// SnapshotReport is what Descope says of a snapshot that would be imported.
type SnapshotReport struct {
	// Failures are why it would be refused; none means that it would not.
	Failures []string `json:"failures"`
	// Missing are the secrets that it would need, by kind of what they belong to:
	// connectors, oauthProviders, outboundApps, externalAuth.
	Missing map[string][]SnapshotSecret `json:"missing_secrets"`
}

func (c *Client) snapshotRequest(path string, body map[string]any) request {
	r := c.companyRequest("/v1/mgmt/project/snapshot/"+path, body)
	r.write = false
	return r
}

// ExportSnapshot returns the project's snapshot as the API has it, file by path. A
// licence without it is [IsLicence].
func (c *Client) ExportSnapshot(ctx context.Context) (map[string]json.RawMessage, error) {
	r := c.snapshotRequest("export", map[string]any{})
	got, err := c.read(ctx, r)
	if err != nil {
		return nil, err
	}
	var reply struct {
		Files map[string]json.RawMessage `json:"files"`
	}
	if err := json.Unmarshal(got.body, &reply); err != nil || len(reply.Files) == 0 {
		return nil, c.badReply(r, "the answer has no files")
	}
	return reply.Files, nil
}

// ValidateSnapshot asks what an import of a snapshot would be refused for. It changes
// nothing.
func (c *Client) ValidateSnapshot(ctx context.Context, files map[string]any) (SnapshotReport, error) {
	r := c.snapshotRequest("validate", map[string]any{"files": files})
	got, err := c.read(ctx, r)
	if err != nil {
		return SnapshotReport{}, err
	}
	var reply struct {
		OK       *bool                       `json:"ok"`
		Failures []string                    `json:"failures"`
		Missing  map[string][]SnapshotSecret `json:"missingSecrets"`
	}
	if err := json.Unmarshal(got.body, &reply); err != nil || reply.OK == nil {
		return SnapshotReport{}, c.badReply(r, `the answer does not say whether the snapshot is "ok"`)
	}
	report := SnapshotReport{Failures: []string{}, Missing: map[string][]SnapshotSecret{}}
	for _, f := range reply.Failures {
		report.Failures = append(report.Failures, clean(f))
	}
	if !*reply.OK && len(report.Failures) == 0 {
		report.Failures = append(report.Failures, "Descope does not say why")
	}
	for kind, secrets := range reply.Missing {
		for _, s := range secrets {
			report.Missing[clean(kind)] = append(report.Missing[clean(kind)], SnapshotSecret{clean(s.ID), clean(s.Name), clean(s.Type)})
		}
	}
	return report, nil
}

// ImportSnapshot overrides what the project has by a snapshot. It is not repeated where
// its answer was lost ([Error.Unanswered]); doing it again is safe.
func (c *Client) ImportSnapshot(ctx context.Context, files map[string]any) error {
	r := c.snapshotRequest("import", map[string]any{"files": files})
	r.write = true
	_, err := c.once(ctx, r)
	return err
}
