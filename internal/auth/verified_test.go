package auth

import (
	"errors"
	"testing"
	"testing/synctest"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// TestVerified counts the verifications of tokens. A token must be verified again after ten seconds, because
// its secret may have been withdrawn, and again as soon as it has expired. A forged token must be verified
// each time, because errors are not remembered.
func TestVerified(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		tokens, others := Tokens{Secrets: []string{secret}}, Tokens{Secrets: []string{secret + " of others"}}
		verified, calls := NewVerified(), 0
		want := func(token string, wanted error, wantedCalls int) {
			t.Helper()
			before := calls
			p, err := verified.of(token, func(token string) (Principal, time.Time, error) {
				calls++
				return tokens.verify(token)
			})
			if !errors.Is(err, wanted) || wanted == nil && p != acme || calls-before != wantedCalls {
				t.Errorf("%+v, %v after %d verifications; wanted %v, %d", p, err, calls-before, wanted, wantedCalls)
			}
		}
		issue := func(by Tokens, lifetime time.Duration) string {
			token, err := by.Issue(acme, lifetime)
			if err != nil {
				t.Fatal(err)
			}
			return token
		}
		long, short, forged := issue(tokens, time.Hour), issue(tokens, 4*time.Second), issue(others, time.Hour)
		for i := range 3 {
			n := 1 - min(i, 1)
			want(long, nil, n)
			want(short, nil, n)
			want(forged, jwt.ErrTokenSignatureInvalid, 1)
		}
		time.Sleep(4 * time.Second)
		want(short, jwt.ErrTokenExpired, 1)
		want(long, nil, 0)
		tokens = others
		time.Sleep(6*time.Second - 1)
		want(long, nil, 0)
		time.Sleep(time.Nanosecond)
		want(long, jwt.ErrTokenSignatureInvalid, 1)
		want(forged, nil, 1)
	})
}
