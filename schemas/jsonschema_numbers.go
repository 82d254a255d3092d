package schemas

import (
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// maxExponent bounds the exponent of a number that is held to a schema. Rules compare
// numbers as exact fractions, which have as many digits as the exponent says: a short
// text could cost any time. What a float64 holds ends at 308.
const maxExponent = 1000

// checkNumbers looks for a number whose exponent is too large. It goes through a value
// once.
func checkNumbers(v any) error {
	switch v := v.(type) {
	case json.Number:
		return checkExponent(string(v))
	case []any:
		for _, item := range v {
			if err := checkNumbers(item); err != nil {
				return err
			}
		}
	case map[string]any:
		for _, field := range v {
			if err := checkNumbers(field); err != nil {
				return err
			}
		}
	}
	return nil
}

func checkExponent(number string) error {
	at := strings.IndexAny(number, "eE")
	if at < 0 {
		return nil
	}
	exponent, err := strconv.Atoi(number[at+1:]) // an error says that it is larger than an int
	if err != nil || exponent > maxExponent || exponent < -maxExponent {
		return fmt.Errorf("the number %s has an exponent beyond %d", cut(number, maxPath), maxExponent)
	}
	return nil
}
