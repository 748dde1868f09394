package compiler

import (
	"pcconnect.ai/descope-mgmt/internal/model"
	src "pcconnect.ai/descope-mgmt/internal/source"
)

// Declare writes a file of the package envs that declares one resource with
// these attributes, formatted. The attributes are normalised values; what they
// say comes back from [Compile] when the file lies in an overlay.
func (m *Module) Declare(key model.Key, attrs map[string]any) ([]byte, error) {
	return src.Declare(m.path, key, attrs)
}

// Path is the import path of the module, without a version.
func (m *Module) Path() string { return m.path }
