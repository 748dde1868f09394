package lsp

import (
	"net/url"
	"path"
	"strings"
)

// paths turns addresses of files into paths and back.
type paths struct{ windows bool }

// path is the path of an address; ok is false for what is no file of this machine.
// Editors differ in what they escape and in the case of a drive, so that files are
// told apart by their paths.
func (p paths) path(uri string) (string, bool) {
	u, err := url.Parse(uri)
	if err != nil || u.Scheme != "file" || u.Path == "" {
		return "", false
	}
	if !p.windows {
		return path.Clean(u.Path), u.Host == "" || u.Host == "localhost"
	}
	clean := path.Clean(u.Path)
	switch {
	case len(clean) >= 3 && clean[0] == '/' && clean[2] == ':':
		clean = strings.ToUpper(clean[1:2]) + clean[2:]
		if len(clean) == 2 {
			clean += "/"
		}
	case u.Host != "":
		clean = "//" + u.Host + clean
	default:
		return "", false
	}
	return strings.ReplaceAll(clean, "/", `\`), true
}

// uri is the address of an absolute path.
func (p paths) uri(name string) string {
	u := url.URL{Scheme: "file", Path: name}
	if p.windows {
		u.Path = strings.ReplaceAll(name, `\`, "/")
		if rest, ok := strings.CutPrefix(u.Path, "//"); ok {
			host, share, _ := strings.Cut(rest, "/")
			u.Host, u.Path = host, "/"+share
		} else {
			u.Path = "/" + u.Path
		}
	}
	return u.String()
}

// join is the path of a file of a module; name is slash-separated.
func (p paths) join(root, name string) string {
	if p.windows {
		return strings.TrimSuffix(root, `\`) + `\` + strings.ReplaceAll(name, "/", `\`)
	}
	return path.Join(root, name)
}
