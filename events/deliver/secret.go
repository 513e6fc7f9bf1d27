package deliver

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"log/slog"
	"strings"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// Algorithm is an algorithm of signatures.
type Algorithm string

// The algorithms of the specification Standard Webhooks.
const (
	HMAC    Algorithm = "hmac-sha256" // signatures begin with v1
	Ed25519 Algorithm = "ed25519"     // signatures begin with v1a
)

// Secret signs messages. It has the form of the specification: whsec_ or whsk_, then base64. No log may have
// a secret: String hides the text; convert a Secret to string only to store or show it.
type Secret string

// Prefixes of keys in the specification.
const (
	hmacPrefix    = "whsec_"
	privatePrefix = "whsk_"
	publicPrefix  = "whpk_"
)

// NewSecret returns a random secret for the algorithm.
func NewSecret(a Algorithm) Secret {
	random := make([]byte, 32)
	_, _ = rand.Read(random) // never fails: https://pkg.go.dev/crypto/rand#Read
	if a == Ed25519 {
		return Secret(privatePrefix + base64.StdEncoding.EncodeToString(ed25519.NewKeyFromSeed(random)))
	}
	return Secret(hmacPrefix + base64.StdEncoding.EncodeToString(random))
}

// String implements fmt.Stringer. It shows nothing of the secret.
func (Secret) String() string { return "***" }

// GoString implements fmt.GoStringer.
func (s Secret) GoString() string { return s.String() }

// MarshalText implements encoding.TextMarshaler, for JSON.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue implements slog.LogValuer.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// PublicKey returns the public key of a secret of Ed25519, in the form of the specification, or nil for any
// other secret.
func (s Secret) PublicKey() *string {
	if key, err := s.private(); err == nil {
		return new(publicPrefix + base64.StdEncoding.EncodeToString(key.Public().(ed25519.PublicKey)))
	}
	return nil
}

func (s Secret) private() (ed25519.PrivateKey, error) {
	encoded, found := strings.CutPrefix(string(s), privatePrefix)
	key, err := base64.StdEncoding.DecodeString(encoded)
	if !found || err != nil || len(key) != ed25519.PrivateKeySize {
		return nil, fmt.Errorf("not a secret of %s", Ed25519)
	}
	return key, nil
}

// sign returns the signature of a message in the form of the header webhook-signature.
func (s Secret) sign(id string, at time.Time, body []byte) (string, error) {
	if key, err := s.private(); err == nil {
		signed := ed25519.Sign(key, fmt.Appendf(nil, "%s.%d.%s", id, at.Unix(), body))
		return "v1a," + base64.StdEncoding.EncodeToString(signed), nil
	}
	webhook, err := standardwebhooks.NewWebhook(string(s))
	if err != nil {
		return "", fmt.Errorf("not a secret of %s", HMAC) // the error of the library could show the secret
	}
	return webhook.Sign(id, at, body)
}
