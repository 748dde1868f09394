package yamlconfig

import (
	"encoding/json"
	"fmt"
	"math/big"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"pcconnect.ai/descope-mgmt/internal/model"
)

// maxExponent is that of the compiler: beyond it, CUE reads another number.
const maxExponent = 99_999

var (
	decimal = regexp.MustCompile(`^[-+]?[0-9][0-9_]*$`)
	based   = regexp.MustCompile(`^[-+]?0(x[0-9a-fA-F_]+|o[0-7_]+|b[01_]+)$`)
	float   = regexp.MustCompile(`^[-+]?(\.[0-9][0-9_]*|[0-9][0-9_]*(\.[0-9_]*)?)([eE][-+]?[0-9]+)?$`)
	special = regexp.MustCompile(`^([-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN))$`)
)

// resolve says what a plain scalar means: what YAML 1.2 says, so that yes, no, on and
// off are text and a date is, and 1_000 the number that every reader before 1.2 and
// CUE take it for. What YAML 1.1 and 1.2 read as two different numbers is refused.
func resolve(plain string) (Kind, string, error) {
	switch plain {
	case "", "~", "null", "Null", "NULL":
		return Null, "", nil
	case "true", "True", "TRUE":
		return Bool, "true", nil
	case "false", "False", "FALSE":
		return Bool, "false", nil
	}
	switch {
	case !strings.ContainsAny(plain[:1], "+-.0123456789"):
		return Text, plain, nil
	case special.MatchString(plain):
		return Null, "", fmt.Errorf("%s is no number that JSON has", plain)
	case decimal.MatchString(plain):
		digits := strings.TrimLeft(strings.ReplaceAll(plain, "_", ""), "+-")
		if len(digits) > 1 && digits[0] == '0' {
			return Null, "", fmt.Errorf("%s is octal in YAML 1.1 and decimal in YAML 1.2; in quotes it is text", shortText(plain))
		}
		return number(plain)
	case based.MatchString(plain):
		return inBase(plain)
	case float.MatchString(plain):
		return number(plain)
	default:
		return Text, plain, nil
	}
}

func inBase(plain string) (Kind, string, error) {
	text := strings.TrimPrefix(strings.ReplaceAll(plain, "_", ""), "+")
	n, ok := new(big.Int).SetString(text, 0)
	if !ok {
		return Text, plain, nil
	}
	return number(n.String())
}

// number brings a decimal number into its canonical spelling.
func number(text string) (Kind, string, error) {
	text = strings.TrimPrefix(strings.ReplaceAll(text, "_", ""), "+")
	mantissa, exponent := text, ""
	if i := strings.IndexAny(text, "eE"); i >= 0 {
		mantissa, exponent = text[:i], text[i:]
		if e, err := strconv.Atoi(exponent[1:]); err != nil || e > maxExponent || e < -maxExponent {
			return Null, "", fmt.Errorf("the number %s is too large or too small", shortText(text))
		}
	}
	sign := ""
	if rest, negative := strings.CutPrefix(mantissa, "-"); negative {
		sign, mantissa = "-", rest
	}
	if strings.HasPrefix(mantissa, ".") {
		mantissa = "0" + mantissa
	}
	mantissa = strings.TrimSuffix(mantissa, ".")
	n, err := model.CanonicalNumber(sign + mantissa + exponent)
	return Number, string(n), err
}

func jsonNumber(s string) json.Number { return json.Number(s) }

func contains(list []string, s string) bool { return slices.Contains(list, s) }
