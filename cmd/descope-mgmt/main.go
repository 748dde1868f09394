// Command descope-mgmt keeps the tenants and flows of Descope projects as they
// are written in CUE.
package main

import (
	"os"

	"pcconnect.ai/descope-mgmt/internal/cli"
	_ "pcconnect.ai/descope-mgmt/internal/quickhelp"
)

func main() { os.Exit(cli.Main()) }
