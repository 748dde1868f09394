package cli

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/joho/godotenv"

	"pcconnect.ai/descope-mgmt/internal/api"
	"pcconnect.ai/descope-mgmt/internal/compiler"
	"pcconnect.ai/descope-mgmt/internal/model"
)

// The environment variables that the tool reads. Those of one environment put
// its name in the middle: DESCOPE_PROD_MANAGEMENT_KEY.
const (
	varProjectID = "PROJECT_ID"
	varKey       = "MANAGEMENT_KEY"
	// The same, from a file or a command; see [chooseKey].
	varKeyFile    = "MANAGEMENT_KEY_FILE"
	varKeyCommand = "MANAGEMENT_KEY_COMMAND"
	varBaseURL    = "BASE_URL"
	varEnv        = "ENVIRONMENT"
	varStateDir   = "STATE_DIR"
	varConfig     = "CONFIG"
	varBackupDir  = "BACKUP_DIR"
	varRetention  = "BACKUP_RETENTION_DAYS"
	varPrefix     = "DESCOPE_"
	// varCache: off keeps nothing of what was evaluated. It is of the process alone.
	varCache = varPrefix + "CACHE"
)

// source says where a setting came from. It decides how far it is trusted: a
// file that travels with a repository must not be able to redirect a key.
type source string

const (
	fromNowhere source = ""
	fromFlag    source = "flag"
	fromEnv     source = "environment"
	fromDotEnv  source = ".env"
	fromConfig  source = "configuration"
	fromBranch  source = "git branch"
	fromProject source = "project id"
)

// setting is a value, the name it was found under and where.
type setting struct {
	value  string
	name   string
	source source
}

// where reads well after "from": "DESCOPE_PROJECT_ID in .env".
func (s setting) where() string {
	switch s.source {
	case fromFlag:
		return "the flag " + s.name
	case fromEnv:
		return s.name + " in the environment"
	case fromDotEnv:
		return s.name + " in .env"
	default:
		return "the " + string(s.source)
	}
}

// variables looks settings up in the real environment first, then in .env.
type variables struct {
	environ func(string) (string, bool)
	dotenv  map[string]string
	// module is the configuration that the settings are for, or nil.
	module *compiler.Module
}

// place is where an environment is written, in words.
func (v variables) place(env string) string {
	if v.module == nil {
		return "envs/" + env
	}
	return v.module.Place(env)
}

// keyVariable is the variable that a configuration in YAML names for the key, or "".
func (v variables) keyVariable(env string) string {
	if v.module == nil {
		return ""
	}
	return v.module.KeyVariable(env)
}

// readDotEnv reads the .env file of a directory; a missing one is empty.
func readDotEnv(dir string) (map[string]string, error) {
	path := filepath.Join(dir, ".env")
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, configError("", "reading %s: %w", path, err)
	}
	defer f.Close() //nolint:errcheck // only read from
	m, err := godotenv.Parse(f)
	if err != nil {
		// The parser's error quotes the line, which may hold a key.
		return nil, configError("", "%s is not a file of NAME=value lines", path)
	}
	return m, nil
}

// lookup finds the first of the names that is set and not empty, in the
// environment before .env.
func (v variables) lookup(names ...string) setting {
	for _, n := range names {
		if s, ok := v.environ(n); ok && s != "" {
			return setting{s, n, fromEnv}
		}
	}
	for _, n := range names {
		if s := v.dotenv[n]; s != "" {
			return setting{s, n, fromDotEnv}
		}
	}
	return setting{}
}

// general finds DESCOPE_<what>.
func (v variables) general(what string) setting { return v.lookup(varPrefix + what) }

// forEnvironment finds DESCOPE_<ENV>_<what>, else DESCOPE_<what>.
func (v variables) forEnvironment(env, what string) setting {
	return v.lookup(environmentVariable(env, what), varPrefix+what)
}

// environmentVariable is the name of a setting of one environment.
func environmentVariable(env, what string) string {
	return varPrefix + strings.ToUpper(strings.ReplaceAll(env, "-", "_")) + "_" + what
}

// gitBranch is the branch that is checked out in the repository around dir, or
// "" where there is none (no repository, a detached head).
func gitBranch(dir string) string {
	for {
		git := filepath.Join(dir, ".git")
		if data, err := os.ReadFile(git); err == nil { // a worktree: "gitdir: PATH"
			if target, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "gitdir: "); ok {
				if !filepath.IsAbs(target) {
					target = filepath.Join(dir, target)
				}
				git = target
			}
		}
		if data, err := os.ReadFile(filepath.Join(git, "HEAD")); err == nil {
			branch, ok := strings.CutPrefix(strings.TrimSpace(string(data)), "ref: refs/heads/")
			if !ok {
				return ""
			}
			return branch
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			return ""
		}
		dir = parent
	}
}

// chooseProject decides the project of an environment. The environment's own
// project_id is never overridden: another id from anywhere is refused, since
// it would send one environment's configuration to another's customers.
func chooseProject(env, configured string, v variables) (setting, error) {
	given := v.forEnvironment(env, varProjectID)
	if configured == "" {
		if given.value == "" {
			return setting{}, configError("descope-mgmt plan --env "+env+" --emulator", "environment %s has no project: write project_id in %s, or set %s", env, v.place(env), environmentVariable(env, varProjectID))
		}
		return given, nil
	}
	if given.value != "" && given.value != configured {
		return setting{}, refusedError(unsetting(given), "environment %s belongs to project %s, but %s says %s; the environment decides, so unset one of the two",
			env, configured, given.where(), given.value)
	}
	return setting{configured, "project_id", fromConfig}, nil
}

// unsetting is the command that takes a setting back, where the shell made it.
func unsetting(s setting) string {
	if s.source == fromEnv {
		return "unset " + s.name
	}
	return ""
}

// chooseBaseURL decides which server is spoken to. What comes from a file is
// accepted only where it cannot lead a key astray.
func chooseBaseURL(flag, configured, project string, v variables) (setting, error) {
	s := setting{flag, "--base-url", fromFlag}
	if s.value == "" {
		s = v.general(varBaseURL)
	}
	if s.value == "" && configured != "" {
		s = setting{configured, "base_url", fromConfig}
	}
	if s.value == "" {
		base, err := api.BaseURL(project)
		if err != nil {
			return setting{}, configError("", "%w", err)
		}
		return setting{base, "", fromProject}, nil
	}
	trusted := s.source == fromFlag || s.source == fromEnv
	if err := api.CheckBaseURL(s.value, trusted); err != nil {
		if trusted {
			return setting{}, configError("", "base URL from %s: %w", s.where(), err)
		}
		return setting{}, refusedError("descope-mgmt plan --base-url URL", "base URL from %s: %w", s.where(), err)
	}
	s.value = strings.TrimRight(s.value, "/")
	return s, nil
}

// chooseEnvironment decides the environment: the flag, DESCOPE_ENVIRONMENT, or
// the git branch if it bears the name of one.
func chooseEnvironment(flag string, names []string, v variables, branch string) (setting, error) {
	s := setting{flag, "--env", fromFlag}
	if s.value == "" {
		s = v.general(varEnv)
	}
	if s.value != "" {
		if err := known(s.value, " (from "+s.where()+")", names); err != nil {
			return setting{}, err
		}
		return s, nil
	}
	if slices.Contains(names, branch) {
		return setting{branch, branch, fromBranch}, nil
	}
	return setting{}, configError("descope-mgmt env list", "no environment given; choose one with --env: %s", strings.Join(names, ", "))
}

// fromEnvFlag says that a name stands behind --env; see [known].
const fromEnvFlag = " (from the flag --env)"

// known refuses the name of an environment that there is none of; from says where
// it stands, as words that follow the name, or is "".
func known(name, from string, names []string) error {
	if slices.Contains(names, name) {
		return nil
	}
	meant := ""
	if near := model.Suggest(name, names); near != "" {
		meant = "; did you mean " + near + "?"
	}
	return configError("", "%w", &model.MistypedError{
		Text: fmt.Sprintf("there is no environment %q%s; there are %s%s", name, from, strings.Join(names, ", "), meant),
		Word: name, Meant: model.Suggest(name, names),
	})
}
