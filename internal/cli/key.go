package cli

import (
	"fmt"
	"net/url"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/ui"
)

// warnUnencrypted says so if the key goes to another machine for everybody on the
// way to read. Only a flag and the real environment can lead there.
func (a *app) warnUnencrypted(base setting) {
	u, err := url.Parse(base.value)
	if err != nil || !strings.EqualFold(u.Scheme, "http") || api.CheckBaseURL(base.value, false) == nil {
		return // encrypted, or this machine
	}
	a.note(ui.Safe(fmt.Sprintf("warning: base URL %s (from %s) is not https: the management key travels unencrypted to %s", base.value, base.where(), u.Hostname())) + "\n")
}
