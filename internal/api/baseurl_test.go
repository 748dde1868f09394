package api

import (
	"strings"
	"testing"
)

func TestBaseURL(t *testing.T) {
	for id, want := range map[string]string{
		"P2aAc4T2V93bddihGEx2Ryhc8e5Z":      "https://api.descope.com",
		"Puse12aAc4T2V93bddihGEx2Ryhc8e5Z":  "https://api.use1.descope.com",
		"Peuc12aAc4T2V93bddihGEx2Ryhc8e5Z":  "https://api.euc1.descope.com",
		"":                                  "",
		"P":                                 "",
		"Puse1":                             "",
		"X2aAc4T2V93bddihGEx2Ryhc8e5Z":      "",
		"p2aAc4T2V93bddihGEx2Ryhc8e5Z":      "",
		"P2aAc4T2V93bddihGEx2Ryhc8e5ZZ":     "", // 29: SDKs disagree
		"Puse12aAc4T2V93bddihGEx2Ryhc8e5ZZ": "", // 33
		"P2aAc4T2V93bddihGEx2Ryhc8e5/":      "",
		"Pa.b/2aAc4T2V93bddihGEx2Ryhc8e5Z":  "", // would become a host
		"PUSE12aAc4T2V93bddihGEx2Ryhc8e5Z":  "",
		"P2aAc4T2V93bddihGEx2Ryhc8e5Z\n":    "",
	} {
		got, err := BaseURL(id)
		if got != want || (err == nil) != (want != "") {
			t.Errorf("BaseURL(%q) = %q, %v; want %q", id, got, err, want)
		}
		if err != nil && strings.Contains(err.Error(), "\n") {
			t.Errorf("BaseURL(%q): the error has a line break: %v", id, err)
		}
	}
}

func TestCheckBaseURL(t *testing.T) {
	for in, want := range map[string]struct{ untrusted, trusted, loopback bool }{
		"https://api.descope.com":              {true, true, false},
		"https://api.descope.com/":             {true, true, false},
		"https://API.Descope.COM:443":          {true, true, false},
		"https://api.use1.descope.com":         {true, true, false},
		"https://descope.com":                  {true, true, false},
		"http://api.descope.com":               {false, true, false},
		"https://evildescope.com":              {false, true, false},
		"https://descope.com.evil.example":     {false, true, false},
		"https://api.descope.com.":             {false, true, false},
		"https://[2001:db8::1%25.descope.com]": {false, true, false}, // the zone of an address
		"https://\xec.descope.com":             {false, true, false},
		"https://evil.example":                 {false, true, false},
		"http://10.0.0.1:8080":                 {false, true, false},
		"http://localhost:1":                   {true, true, true},
		"http://LOCALHOST":                     {true, true, true},
		"https://127.0.0.1:8443":               {true, true, true},
		"http://127.9.9.9":                     {true, true, true},
		"http://[::1]:8080":                    {true, true, true},
		"http://0.0.0.0:1":                     {false, true, false},
		"http://127.0.0.1.evil.example":        {false, true, false},
		"http://localhost.evil.example":        {false, true, false},
		"http://2130706433":                    {false, true, false},
		"https://user:pw@api.descope.com":      {false, false, false},
		"https://api.descope.com@evil.com":     {false, false, false},
		"https://evil.com\\@api.descope.com":   {false, false, false},
		"https://api.descope.com/x":            {false, false, false},
		"https://api.descope.com?x=1":          {false, false, false},
		"https://api.descope.com?":             {false, false, false},
		"https://api.descope.com#x":            {false, false, false},
		"https://evil.com/.descope.com":        {false, false, false},
		"https://evil.com#.descope.com":        {false, false, false},
		"ftp://localhost":                      {false, false, false},
		"localhost:8080":                       {false, false, false},
		"":                                     {false, false, false},
		"https://":                             {false, false, false},
		"http://localhost:99999999\x1b[2J":     {false, false, false},
		"https://api.descope.com\r\nX-Evil:1":  {false, false, false},
	} {
		err := CheckBaseURL(in, false)
		if (err == nil) != want.untrusted {
			t.Errorf("CheckBaseURL(%q, untrusted): %v", in, err)
		}
		if err != nil && (strings.ContainsAny(err.Error(), "\x1b\r\n") || strings.Contains(err.Error(), "pw@")) {
			t.Errorf("the error for %q repeats what it should not: %q", in, err)
		}
		if err := CheckBaseURL(in, true); (err == nil) != want.trusted {
			t.Errorf("CheckBaseURL(%q, trusted): %v", in, err)
		}
		u, err := parseBaseURL(in)
		if got := err == nil && isLoopbackHost(u.Hostname()); got != want.loopback {
			t.Errorf("%q is loopback: %v", in, got)
		}
	}
}

func TestNewRefusesBadConfiguration(t *testing.T) {
	good := Config{ProjectID: testProject, Key: NewSecret(testKey)}
	c, err := New(good)
	if err != nil || c.BaseURL() != "https://api.descope.com" || c.ProjectID() != testProject || c.Workers() != 20 {
		t.Fatalf("%v, %v", c, err)
	}
	for name, edit := range map[string]func(*Config){
		"project of no known length": func(c *Config) { c.ProjectID = "P1" },
		"project with a colon":       func(c *Config) { c.ProjectID, c.BaseURL = "P1:x", "http://localhost" },
		"no project":                 func(c *Config) { c.ProjectID, c.BaseURL = "", "http://localhost" },
		"no key":                     func(c *Config) { c.Key = Secret{} },
		"key with a line break":      func(c *Config) { c.Key = NewSecret(testKey + "\n") },
		"base URL with a path":       func(c *Config) { c.BaseURL = "http://localhost/v1" },
	} {
		config := good
		edit(&config)
		if _, err := New(config); err == nil || strings.Contains(err.Error(), testKey[5:12]) {
			t.Errorf("%s: %v", name, err)
		}
	}
}
