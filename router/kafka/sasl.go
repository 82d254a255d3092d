package kafka

import (
	"errors"
	"fmt"
	"log/slog"

	"github.com/IBM/sarama"
	"github.com/xdg-go/scram"
)

// Mechanism is a way to authenticate to a broker.
type Mechanism string

// The mechanisms. The empty one is none.
const (
	Plain       Mechanism = "PLAIN"
	ScramSHA256 Mechanism = "SCRAM-SHA-256"
	ScramSHA512 Mechanism = "SCRAM-SHA-512"
	OAuthBearer Mechanism = "OAUTHBEARER"
)

// SASL is how to authenticate. Its passwords never appear in logs or errors.
type SASL struct {
	// Mechanism is one of the constants. Defaults to none.
	Mechanism Mechanism

	// User and Password are the credentials of PLAIN and SCRAM. Default to
	// empty, which those refuse.
	User     string
	Password string

	// Token gives a token for OAUTHBEARER. It is asked at each connection. Where
	// a broker ends a session, a producer connects again, with what Token gives
	// then, and sends the same batch once more; other connections ask again
	// before it ends. It should keep a token while it is valid. Connections that ask at the same
	// time share a call; a call that takes longer than Config.DialTimeout fails
	// them. Defaults to nil, which OAUTHBEARER refuses.
	Token func() (string, error)

	tokens *tokenSource // asks Token, once the configuration has its defaults
}

// String hides the password.
func (s SASL) String() string {
	if s.Mechanism == "" {
		return "none"
	}
	return fmt.Sprintf("%s as %q", s.Mechanism, s.User)
}

// GoString hides the password.
func (s SASL) GoString() string { return s.String() }

// LogValue hides the password.
func (s SASL) LogValue() slog.Value { return slog.StringValue(s.String()) }

func (s SASL) validate() error {
	switch s.Mechanism {
	case "":
		return nil
	case Plain, ScramSHA256, ScramSHA512:
		if s.User == "" || s.Password == "" {
			return fmt.Errorf("SASL %s needs a user and a password", s.Mechanism)
		}
	case OAuthBearer:
		if s.Token == nil {
			return errors.New("SASL OAUTHBEARER needs a source of tokens")
		}
	default:
		return fmt.Errorf("SASL mechanism %q is not known: use %s, %s, %s or %s", s.Mechanism, Plain, ScramSHA256, ScramSHA512, OAuthBearer)
	}
	return nil
}

func (s SASL) apply(c *sarama.Config) {
	if s.Mechanism == "" {
		return
	}
	c.Net.SASL.Enable = true
	c.Net.SASL.Handshake = true
	c.Net.SASL.Version = sarama.SASLHandshakeV1
	c.Net.SASL.Mechanism = sarama.SASLMechanism(s.Mechanism)
	c.Net.SASL.User, c.Net.SASL.Password = s.User, s.Password
	switch s.Mechanism {
	case ScramSHA256:
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: scram.SHA256} }
	case ScramSHA512:
		c.Net.SASL.SCRAMClientGeneratorFunc = func() sarama.SCRAMClient { return &scramClient{hash: scram.SHA512} }
	case OAuthBearer:
		c.Net.SASL.TokenProvider = s.tokens
	default: // PLAIN needs no more
	}
}

// scramClient is one SCRAM conversation.
type scramClient struct {
	hash scram.HashGeneratorFcn
	conv *scram.ClientConversation
}

// Begin implements sarama.SCRAMClient.
func (c *scramClient) Begin(user, password, authzID string) error {
	cl, err := c.hash.NewClient(user, password, authzID)
	if err != nil {
		return fmt.Errorf("prepare SCRAM credentials of %q: %w", user, err)
	}
	c.conv = cl.NewConversation()
	return nil
}

// Step implements sarama.SCRAMClient.
func (c *scramClient) Step(challenge string) (string, error) { return c.conv.Step(challenge) }

// Done implements sarama.SCRAMClient.
func (c *scramClient) Done() bool { return c.conv.Done() }
