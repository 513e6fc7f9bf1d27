package auth

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Verified remembers the principals of tokens that were verified in the last ten seconds, so that a caller with
// many requests does not pay for the verification of each. It holds hashes, no tokens. Several goroutines may use
// it; nil remembers nothing.
//
// A key that the issuer has withdrawn verifies the remembered tokens for ten seconds more. The keys themselves are
// fetched every ten minutes only: see FetchKeys.
type Verified struct {
	tokens *lru.Cache[[sha256.Size]byte, verified]
}

type verified struct {
	principal Principal
	until     time.Time
}

const (
	maxVerified = 10_000 // remembered tokens, with a few hundred bytes each
	verifiedFor = 10 * time.Second
)

// NewVerified returns a Verified without tokens.
func NewVerified() *Verified {
	tokens, _ := lru.New[[sha256.Size]byte, verified](maxVerified)
	return &Verified{tokens}
}

// of returns the principal of a token that is not expired: the remembered one, or the result of verify, which
// also returns when the token expires. Errors are not remembered.
func (v *Verified) of(token string, verify func(string) (Principal, time.Time, error)) (Principal, error) {
	if v == nil {
		p, _, err := verify(token)
		return p, err
	}
	key := sha256.Sum256([]byte(token))
	now := time.Now().Round(0) // the monotonic clock stops while a machine is suspended, and `exp` does not
	if known, ok := v.tokens.Get(key); ok && now.Before(known.until) {
		return known.principal, nil
	}
	p, expires, err := verify(token)
	if err != nil {
		return p, err
	}
	until := now.Add(verifiedFor)
	if expires.Before(until) {
		until = expires
	}
	v.tokens.Add(key, verified{p, until})
	return p, nil
}
