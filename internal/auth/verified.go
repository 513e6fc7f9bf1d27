package auth

import (
	"crypto/sha256"
	"time"

	lru "github.com/hashicorp/golang-lru/v2"
)

// Verified remembers the principals of tokens that were verified in the last ten seconds, because the
// verification of a token with every request takes time. It stores hashes of tokens, and no tokens. Several
// goroutines may use a Verified. A nil *Verified remembers nothing.
//
// When the issuer withdraws a key, the remembered tokens of the key are accepted for up to ten seconds more.
// The keys themselves are fetched only every ten minutes: see FetchKeys.
type Verified struct {
	tokens *lru.Cache[[sha256.Size]byte, verified]
}

type verified struct {
	principal Principal
	until     time.Time
}

const (
	maxVerified = 10_000 // most remembered tokens, with a few hundred bytes each
	verifiedFor = 10 * time.Second
)

// NewVerified returns a Verified without tokens.
func NewVerified() *Verified {
	tokens, _ := lru.New[[sha256.Size]byte, verified](maxVerified)
	return &Verified{tokens}
}

// of returns the principal of a token that has not expired. It returns the remembered principal, or else
// calls verify, which returns the principal and the time when the token expires. Errors are not remembered.
func (v *Verified) of(token string, verify func(string) (Principal, time.Time, error)) (Principal, error) {
	if v == nil {
		p, _, err := verify(token)
		return p, err
	}
	key := sha256.Sum256([]byte(token))
	now := time.Now().Round(0) // Round(0) drops the monotonic clock, which stops while a machine is suspended
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
