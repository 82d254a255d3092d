//go:build kafka

package kafkatest

import (
	"context"
	"errors"
	"fmt"
	"testing"

	"github.com/twmb/franz-go/pkg/kerr"
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

// Right is what an ACL allows a user: an operation on the resource of a name.
// The words are Kafka's, as topic, group, Read or DescribeConfigs, in any case.
type Right struct {
	User      string // without User:
	Resource  string
	Name      string
	Prefixed  bool // it is for all names that begin with Name
	Operation string
}

// Grant gives rights, and returns when the broker heeds them.
func (s *Secure) Grant(t testing.TB, rights ...Right) {
	t.Helper()
	s.change(t, rights, createACL, true)
}

// Revoke takes rights away, and returns when the broker heeds that.
func (s *Secure) Revoke(t testing.TB, rights ...Right) {
	t.Helper()
	s.change(t, rights, deleteACL, false)
}

func (s *Secure) change(t testing.TB, rights []Right, change func(context.Context, *kgo.Client, acl) error, there bool) {
	t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), requestTimeout)
	defer cancel()
	client := s.Client(t)
	for _, right := range rights {
		a, err := right.acl()
		if err == nil {
			err = change(ctx, client, a)
		}
		for heeded := false; err == nil && !heeded; {
			heeded, err = aclIs(ctx, client, a, there)
		}
		if err != nil {
			t.Fatalf("change the right %+v: %v", right, err)
		}
	}
}

// acl is a right in the numbers of the protocol.
type acl struct {
	principal, name string
	resource        kmsg.ACLResourceType
	pattern         kmsg.ACLResourcePatternType
	operation       kmsg.ACLOperation
}

func (r Right) acl() (acl, error) {
	a := acl{principal: "User:" + r.User, name: r.Name, pattern: kmsg.ACLResourcePatternTypeLiteral}
	if r.Prefixed {
		a.pattern = kmsg.ACLResourcePatternTypePrefixed
	}
	var errs [2]error
	a.resource, errs[0] = kmsg.ParseACLResourceType(r.Resource)
	a.operation, errs[1] = kmsg.ParseACLOperation(r.Operation)
	return a, errors.Join(errs[:]...)
}

func createACL(ctx context.Context, client *kgo.Client, a acl) error {
	creation := kmsg.NewCreateACLsRequestCreation()
	creation.Principal, creation.Host = a.principal, "*"
	creation.ResourceType, creation.ResourceName = a.resource, a.name
	creation.ResourcePatternType = a.pattern
	creation.Operation, creation.PermissionType = a.operation, kmsg.ACLPermissionTypeAllow
	request := kmsg.NewPtrCreateACLsRequest()
	request.Creations = append(request.Creations, creation)
	created, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	return kerr.ErrorForCode(created.Results[0].ErrorCode)
}

func deleteACL(ctx context.Context, client *kgo.Client, a acl) error {
	filter := kmsg.NewDeleteACLsRequestFilter()
	filter.Principal, filter.ResourceName = &a.principal, &a.name
	filter.ResourceType, filter.ResourcePatternType = a.resource, a.pattern
	filter.Operation, filter.PermissionType = a.operation, kmsg.ACLPermissionTypeAllow
	request := kmsg.NewPtrDeleteACLsRequest()
	request.Filters = append(request.Filters, filter)
	deleted, err := request.RequestWith(ctx, client)
	if err != nil {
		return err
	}
	if n := len(deleted.Results[0].MatchingACLs); n != 1 {
		return fmt.Errorf("%d ACLs are this right", n)
	}
	return kerr.ErrorForCode(deleted.Results[0].ErrorCode)
}

// aclIs asks what the broker's authorizer has.
func aclIs(ctx context.Context, client *kgo.Client, a acl, there bool) (bool, error) {
	request := kmsg.NewPtrDescribeACLsRequest()
	request.Principal, request.ResourceName = &a.principal, &a.name
	request.ResourceType, request.ResourcePatternType = a.resource, a.pattern
	request.Operation, request.PermissionType = a.operation, kmsg.ACLPermissionTypeAllow
	described, err := request.RequestWith(ctx, client)
	if err != nil {
		return false, err
	}
	return len(described.Resources) > 0 == there, kerr.ErrorForCode(described.ErrorCode)
}
