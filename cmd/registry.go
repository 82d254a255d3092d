package cmd

import (
	"log/slog"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/penstock/penstock/schemas/registry"
)

// The flags that choose the schema registry.
const (
	registryFlag             = "registry"
	registryUserFlag         = "registry-user"
	registryPasswordFileFlag = "registry-password-file"
	registryCAFlag           = "registry-ca"
	registryCertFlag         = "registry-cert"
	registryKeyFlag          = "registry-key"
	registryReadOnlyFlag     = "registry-read-only"
)

// registryPasswordVariable holds the password itself, as passwordVariable does.
const registryPasswordVariable = "PENSTOCK_REGISTRY_PASSWORD" //nolint:gosec // the name of a variable

func registryNames() []string {
	return []string{registryFlag, registryUserFlag, registryPasswordFileFlag, registryCAFlag, registryCertFlag, registryKeyFlag, registryReadOnlyFlag}
}

// registryFlags are the flags by which a command reaches its schema registry.
type registryFlags struct {
	flags              *pflag.FlagSet // those of the command
	urls               urlList
	user, passwordFile string
	ca, cert, key      string
	readOnly           bool
}

// newRegistryFlags adds the flags of a command that lists schemas.
func newRegistryFlags(flags *pflag.FlagSet) *registryFlags {
	r := &registryFlags{flags: flags}
	flags.Var(&r.urls, registryFlag, "`URLs` of the schema registry, as in http://127.0.0.1:8081, or http://HOST/apis/ccompat/v7 of Apicurio; several with commas, of which the next is tried when one does not answer (default: none is used)")
	flags.StringVar(&r.user, registryUserFlag, "", "`user` to authenticate as with the schema registry")
	flags.StringVar(&r.passwordFile, registryPasswordFileFlag, "", "`file` that holds the password for the schema registry; or set "+registryPasswordVariable)
	flags.StringVar(&r.ca, registryCAFlag, "", "`file` of the certificate authorities to trust for the schema registry, PEM (default: those of the system)")
	flags.StringVar(&r.cert, registryCertFlag, "", "`file` of the client's certificate for the schema registry, PEM")
	flags.StringVar(&r.key, registryKeyFlag, "", "`file` of that certificate's key, PEM")
	return r
}

// newCodecFlags adds the flags of a command that opens codecs.
func newCodecFlags(flags *pflag.FlagSet) *registryFlags {
	r := newRegistryFlags(flags)
	flags.BoolVar(&r.readOnly, registryReadOnlyFlag, false, "register no schema: those of the pipes that are written have to be in the schema registry already, as \"schemas register\" puts them there")
	return r
}

// pipeCodecFlags adds the flags of a command that opens the codec of a pipe: in a program
// without pipelines there is none, and nil is returned.
func (a *app) pipeCodecFlags(flags *pflag.FlagSet) *registryFlags {
	if a.program.Pipelines == nil {
		return nil
	}
	return newCodecFlags(flags)
}

// client makes a client of the registry, which does not connect yet. It is nil where none
// is named.
func (r *registryFlags) client(log *slog.Logger) (*registry.Client, error) {
	if len(r.urls.urls) == 0 {
		if r.flags.Changed(registryFlag) {
			return nil, wrongUse("%s is empty: give it a URL like http://127.0.0.1:8081", given(r.flags, registryFlag))
		}
		for _, name := range registryNames() {
			if r.flags.Changed(name) {
				return nil, wrongUse("%s says nothing without --%s: give that too", given(r.flags, name), registryFlag)
			}
		}
		return nil, nil //nolint:nilnil // no registry is no error
	}
	if err := r.checkTLS(); err != nil {
		return nil, err
	}
	password, err := r.password()
	if err != nil {
		return nil, err
	}
	client, err := registry.New(registry.Config{URLs: r.urls.urls, User: r.user, Password: password, CAFile: r.ca, CertFile: r.cert, KeyFile: r.key})
	if err != nil {
		return nil, wrongUse("%s: %w", given(r.flags, registryFlag), err)
	}
	r.warn(log)
	return client, nil
}

func (r *registryFlags) checkTLS() error {
	if slices.ContainsFunc(r.urls.urls, func(url string) bool { return strings.HasPrefix(url, "https://") }) {
		return nil
	}
	for _, name := range []string{registryCAFlag, registryCertFlag, registryKeyFlag} {
		if r.flags.Changed(name) {
			return wrongUse("%s is for TLS, and %s names no URL that begins with https://", given(r.flags, name), given(r.flags, registryFlag))
		}
	}
	return nil
}

func (r *registryFlags) password() (string, error) {
	password := os.Getenv(registryPasswordVariable)
	switch {
	case r.user == "" && r.passwordFile != "":
		return "", wrongUse("%s needs a user: give --%s", given(r.flags, registryPasswordFileFlag), registryUserFlag)
	case r.user == "":
		return "", nil // that of the URL, if it has one
	case r.passwordFile == "" && password == "":
		return "", wrongUse("%s needs a password: set %s, or give --%s", given(r.flags, registryUserFlag), registryPasswordVariable, registryPasswordFileFlag)
	case r.passwordFile == "":
		return password, nil
	case password != "":
		return "", wrongUse("the password is given twice, by %s and by %s: leave one of them out", registryPasswordVariable, given(r.flags, registryPasswordFileFlag))
	}
	password, err := readSecret(r.passwordFile)
	if err != nil {
		return "", wrongUse("%s: %w", given(r.flags, registryPasswordFileFlag), err)
	}
	return password, nil
}

// warn tells of what works and should not be done.
func (r *registryFlags) warn(log *slog.Logger) {
	for _, url := range r.urls.urls {
		if strings.HasPrefix(url, "http://") && (r.user != "" || strings.Contains(url, "@")) {
			log.Warn("the password for the schema registry goes readable for everybody on the way: use https", "registry", withoutPasswords(url))
		}
	}
}
