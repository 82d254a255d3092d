package cmd

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/penstock/penstock/router"
)

// The flags for rights.
const (
	aclsFlag      = "acls"
	principalFlag = "principal"
)

// aclFlags are the flags of topics plan for rights.
type aclFlags struct {
	flags     *pflag.FlagSet
	acls      bool
	principal string
}

func newACLFlags(flags *pflag.FlagSet) *aclFlags {
	f := &aclFlags{flags: flags}
	flags.BoolVar(&f.acls, aclsFlag, false, "show the rights that stages and sources need, as commands that give them")
	flags.StringVar(&f.principal, principalFlag, "", "`user` who gets the rights with --"+aclsFlag+", as User:shop (default: User: and the name of each stage and source)")
	return f
}

func (f *aclFlags) wanted() bool { return f.acls || f.flags.Changed(principalFlag) }

// commandConfig stands for the file by which kafka-acls.sh authenticates.
const commandConfig = "admin.properties"

// printACLs prints the rights that the pipelines need, without asking a cluster.
func (a *app) printACLs(f *topicsFlags, acls *aclFlags) error {
	if !acls.acls {
		return wrongUse("%s is for --%s: give that too", given(acls.flags, principalFlag), aclsFlag)
	}
	if acls.principal != "" && !isPrincipal(acls.principal) {
		return wrongUse("%s: %q is no user as Kafka names it, as in User:shop", given(acls.flags, principalFlag), acls.principal)
	}
	if _, err := f.connection.config(); err != nil {
		return err
	}
	if !f.connection.remote() {
		return wrongUse("--%s is for a Kafka cluster, and the embedded broker asks for no rights: name a cluster with --%s", aclsFlag, brokersFlag)
	}
	graphs, err := a.graphs()
	if err != nil {
		return err
	}
	rights := router.ACLs(graphs...)
	if f.json {
		a.stdout.document(append([]router.ACL{}, rights...)) // [] and not null
		return nil
	}
	for len(rights) > 0 {
		// Those of one resource are beside each other, and make one command.
		first := rights[0]
		n := slices.IndexFunc(rights, func(r router.ACL) bool {
			return r.For != first.For || r.Resource != first.Resource || r.Name != first.Name
		})
		if n < 0 {
			n = len(rights)
		}
		fmt.Fprintln(a.stdout, aclCommand(strings.Join(f.connection.brokers, ","), acls.principal, rights[:n]))
		rights = rights[n:]
	}
	return nil
}

// aclCommand is the command of Kafka's that gives rights on one resource.
func aclCommand(brokers, principal string, rights []router.ACL) string {
	if principal == "" {
		principal = "User:" + rights[0].For
	}
	var operations strings.Builder
	for _, r := range rights {
		fmt.Fprintf(&operations, " --operation %s", r.Operation)
	}
	pattern := ""
	if rights[0].Prefixed {
		pattern = " --resource-pattern-type prefixed"
	}
	return fmt.Sprintf("kafka-acls.sh --bootstrap-server %s --command-config %s --add --allow-principal %s%s --%s %s%s",
		brokers, commandConfig, shellQuote(principal), &operations, rights[0].Resource, rights[0].Name, pattern)
}

// isPrincipal tells whether text is a type, a colon and a name.
func isPrincipal(text string) bool {
	kind, name, found := strings.Cut(text, ":")
	return found && kind != "" && name != ""
}
