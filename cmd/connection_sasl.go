package cmd

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/penstock/penstock/router/kafka"
)

// The flags for SASL.
const (
	saslMechanismFlag    = "sasl-mechanism"
	saslUserFlag         = "sasl-user"
	saslPasswordFileFlag = "sasl-password-file"
	saslTokenFileFlag    = "sasl-token-file" //nolint:gosec // the name of a flag
)

// passwordVariable holds the password itself. There is no such flag: any user
// of the machine can read the arguments of a process.
const passwordVariable = "PENSTOCK_SASL_PASSWORD" //nolint:gosec // the name of a variable

func saslNames() []string {
	return []string{saslMechanismFlag, saslUserFlag, saslPasswordFileFlag, saslTokenFileFlag}
}

// saslFlags are the flags for SASL.
type saslFlags struct {
	mechanism                     choice
	user, passwordFile, tokenFile string
}

func (s *saslFlags) add(flags *pflag.FlagSet) {
	s.mechanism.among = []string{string(kafka.Plain), string(kafka.ScramSHA256), string(kafka.ScramSHA512), string(kafka.OAuthBearer)}
	flags.Var(&s.mechanism, saslMechanismFlag, "authenticate with this `mechanism`: "+strings.Join(s.mechanism.among, ", "))
	flags.StringVar(&s.user, saslUserFlag, "", "`user` to authenticate as")
	flags.StringVar(&s.passwordFile, saslPasswordFileFlag, "", "`file` that holds the password; or set "+passwordVariable)
	flags.StringVar(&s.tokenFile, saslTokenFileFlag, "", "`file` that holds the token for OAUTHBEARER, read again for each connection")
}

func (s *saslFlags) config(flags *pflag.FlagSet) (kafka.SASL, error) {
	mechanism := kafka.Mechanism(s.mechanism.value)
	unfit := func(why string, names ...string) error {
		for _, name := range names {
			if flags.Changed(name) {
				return wrongUse("%s %s", given(flags, name), why)
			}
		}
		return nil
	}
	switch mechanism {
	case "":
		return kafka.SASL{}, unfit("says nothing without --"+saslMechanismFlag+": give that too", saslNames()[1:]...)
	case kafka.OAuthBearer:
		if s.tokenFile == "" {
			return kafka.SASL{}, wrongUse("OAUTHBEARER needs a token: give --%s", saslTokenFileFlag)
		}
		if err := unfit("is not for OAUTHBEARER, which takes --"+saslTokenFileFlag+" alone", saslUserFlag, saslPasswordFileFlag); err != nil {
			return kafka.SASL{}, err
		}
		if _, err := readSecret(s.tokenFile); err != nil {
			return kafka.SASL{}, wrongUse("%s: %w", given(flags, saslTokenFileFlag), err)
		}
		return kafka.SASL{Mechanism: mechanism, Token: func() (string, error) { return readSecret(s.tokenFile) }}, nil
	default:
		if err := unfit(fmt.Sprintf("is for OAUTHBEARER, not for %s", mechanism), saslTokenFileFlag); err != nil {
			return kafka.SASL{}, err
		}
	}
	if s.user == "" {
		return kafka.SASL{}, wrongUse("%s needs a user: give --%s", mechanism, saslUserFlag)
	}
	password, err := s.password(flags)
	if err != nil {
		return kafka.SASL{}, err
	}
	return kafka.SASL{Mechanism: mechanism, User: s.user, Password: password}, nil
}

func (s *saslFlags) password(flags *pflag.FlagSet) (string, error) {
	password := os.Getenv(passwordVariable)
	switch {
	case s.passwordFile == "" && password == "":
		return "", wrongUse("%s needs a password: set %s, or give --%s", s.mechanism.value, passwordVariable, saslPasswordFileFlag)
	case s.passwordFile == "":
		return password, nil
	case password != "":
		return "", wrongUse("the password is given twice, by %s and by %s: leave one of them out", passwordVariable, given(flags, saslPasswordFileFlag))
	}
	password, err := readSecret(s.passwordFile)
	if err != nil {
		return "", wrongUse("%s: %w", given(flags, saslPasswordFileFlag), err)
	}
	return password, nil
}

// readSecret reads a file but for the end of its line. Its errors never repeat
// what is in the file.
func readSecret(path string) (string, error) {
	text, err := readBounded(path)
	if err != nil {
		return "", err
	}
	secret := strings.TrimRight(string(text), "\r\n")
	if secret == "" {
		return "", fmt.Errorf("%s is empty", path)
	}
	return secret, nil
}

// maxCredential bounds a file of secrets or certificates, in bytes.
const maxCredential = 1 << 20

var errTooLarge = errors.New("it is too large")

func readBounded(path string) (_ []byte, err error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, f.Close()) }()
	text, err := io.ReadAll(io.LimitReader(f, maxCredential+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxCredential {
		return nil, fmt.Errorf("%s: %w: it is not a credential", path, errTooLarge)
	}
	return text, nil
}
