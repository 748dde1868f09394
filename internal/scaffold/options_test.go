package scaffold

import (
	"strings"
	"testing"
)

func TestModuleName(t *testing.T) {
	for _, test := range []struct{ remote, dir, want string }{
		{"git@github.com:acme/identity.git", "x", "github.com/acme/identity"},
		{"https://github.com/Acme/Identity.git", "x", "github.com/acme/identity"},
		{"https://github.com/acme/identity/", "x", "github.com/acme/identity"},
		{"https://user:secret@git.acme.com:8443/team/identity.git", "x", "git.acme.com/team/identity"},
		{"ssh://git@github.com:22/acme/identity.git", "x", "github.com/acme/identity"},
		{"git@gitlab.com:a/b/c.git", "x", "gitlab.com/a/b/c"},
		{"", "identity", "example.com/identity"},
		{"", "My Descope (new)!", "example.com/my-descope-new"},
		{"/srv/git/identity.git", "work", "example.com/work"},
		{"../other", "work", "example.com/work"},
		{"file:///srv/x.git", "work", "example.com/work"},
		{"https://github.com/acme/Ünïcode", "work", "example.com/work"},
		{"", "…", "example.com/descope"},
		{"", "", "example.com/descope"},
		{"", "/", "example.com/descope"},
		{"", "-", "example.com/descope"},
	} {
		got := ModuleName(test.remote, test.dir)
		if got != test.want {
			t.Errorf("%q in %q is %s, want %s", test.remote, test.dir, got, test.want)
		}
		if err := CheckModule(got); err != nil {
			t.Error(err)
		}
		if strings.Contains(got, "secret") {
			t.Errorf("%s has a password", got)
		}
	}
}

func TestCheckModule(t *testing.T) {
	for name, right := range map[string]bool{
		"example.com/descope": true, "github.com/acme/identity-config": true, "a.b/c_d": true,
		"": false, "descope": false, "Example.com/Descope": false, "example.com/descope@v0": false, "/x": false, "example.com/": false,
		"example.com//x": false, "../x": false, "example.com/..": false, "example.com/a b": false, "https://example.com/x": false, "example.com/ü": false, "example.com/x\n": false,
	} {
		if err := CheckModule(name); (err == nil) != right {
			t.Errorf("%q: %v", name, err)
		}
	}
}

func TestCheckEnvironment(t *testing.T) {
	for name, says := range map[string]string{
		"dev": "", "prod": "", "qa": "", "eu-prod": "", "d2": "", "2nd": "", strings.Repeat("a", 40): "",
		"flows": "envs/flows/ is where exported flows lie", "../x": "cannot be the name", "": "cannot be the name", "Prod": "did you mean prod?", "DEV": "did you mean dev?", "a/b": "cannot be the name",
		"a_b": "cannot be the name", ".git": "cannot be the name", "-x": "cannot be the name", "x-": "cannot be the name", "a b": "cannot be the name", "dev\n": "cannot be the name", "ä": "cannot be the name", strings.Repeat("a", 41): "at most 40",
	} {
		if err := CheckEnvironment(name); (err == nil) != (says == "") || err != nil && !strings.Contains(err.Error(), says) {
			t.Errorf("%q: %v, want %q", name, err, says)
		}
	}
}

func TestCheck(t *testing.T) {
	ok := Options{Module: "example.com/x", Environments: []Environment{{Name: "dev"}, {Name: "prod"}}}
	if err := ok.Check(); err != nil {
		t.Error(err)
	}
	for _, change := range []func(*Options){
		func(o *Options) { o.Module = "X" },
		func(o *Options) { o.Environments = nil },
		func(o *Options) { o.Environments = []Environment{{Name: "flows"}} },
		func(o *Options) { o.Environments = []Environment{{Name: "dev"}, {Name: "dev"}} },
		func(o *Options) {
			o.Environments = []Environment{{Name: "dev", ProjectID: "P2"}, {Name: "prod", ProjectID: "P2"}}
		},
	} {
		o := ok
		change(&o)
		if err := o.Check(); err == nil {
			t.Errorf("%+v is right", o)
		}
	}
}
