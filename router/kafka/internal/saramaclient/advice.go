package saramaclient

import (
	"crypto/tls"
	"crypto/x509"
	"errors"
	"io"
	"strings"
	"syscall"

	"github.com/IBM/sarama"
)

// advice says what to do about a connection that TLS or SASL ended, where that
// can be told from the error; it is empty otherwise.
func advice(err error) string {
	var (
		authority x509.UnknownAuthorityError
		name      x509.HostnameError
		invalid   x509.CertificateInvalidError
		noTLS     tls.RecordHeaderError
		decoding  sarama.PacketDecodingError
	)
	switch {
	case errors.Is(err, sarama.ErrSASLAuthenticationFailed):
		return "the broker refuses the credentials: check the SASL mechanism, the user and the password, or the token"
	case errors.Is(err, sarama.ErrUnsupportedSASLMechanism), errors.Is(err, sarama.ErrIllegalSASLState):
		return "the broker does not take this SASL mechanism here: use another one, or another port"
	case errors.As(err, &authority):
		return "trust the authority that signed the broker's certificate, or connect to the right broker"
	case errors.As(err, &name):
		return "connect by a name that the broker's certificate is for, or say which one it carries (the TLS server name)"
	case errors.As(err, &invalid):
		return "the broker's certificate is not valid: renew it, or check this machine's clock"
	case errors.As(err, &noTLS):
		return "the broker does not speak TLS at this port: use another port, or no TLS"
	case refusesCertificate(err):
		return "the broker wants a client certificate that it trusts: give one, with its key"
	case errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF), errors.Is(err, syscall.ECONNRESET), errors.As(err, &decoding):
		return "what answers hangs up or does not speak as Kafka does: check whether this port wants TLS or SASL, or does not know them"
	default:
		return ""
	}
}

// refusesCertificate tells the alerts by which a server ends a handshake
// because of the client's certificate. Their type is not exported.
func refusesCertificate(err error) bool {
	text := err.Error()
	for _, alert := range []string{"certificate required", "bad certificate", "unknown certificate authority", "unknown certificate", "expired certificate"} {
		if strings.Contains(text, "remote error: tls: "+alert) {
			return true
		}
	}
	return false
}

// advised is an error with what to do about it.
type advised struct {
	error

	advice string
}

// Error adds the advice to the error.
func (a *advised) Error() string { return a.error.Error() + ": " + a.advice }

// Unwrap returns the error without the advice.
func (a *advised) Unwrap() error { return a.error }

// withAdvice adds what to do about an error, where that is known.
func withAdvice(err error) error {
	if text := advice(err); text != "" {
		return &advised{err, text}
	}
	return err
}
