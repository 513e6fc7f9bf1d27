package auth

import (
	"net/http"
	"testing"
	"time"
)

// BenchmarkIdentify measures the identification of a caller: by a JWT signed with the secret, by the same JWT
// when it has been verified before, and by X-Acting-For.
func BenchmarkIdentify(b *testing.B) {
	tokens := Tokens{Secrets: []string{secret}, Service: []string{"service-token"}}
	jwt, err := tokens.Issue(acme, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	bearer := http.Header{"Authorization": {"Bearer " + jwt}}
	for _, c := range []struct {
		name     string
		h        http.Header
		verified *Verified
	}{
		{"jwt", bearer, nil},
		{"jwt_again", bearer, NewVerified()},
		{"acting_for", http.Header{"Authorization": {"Bearer service-token"}, ActingForHeader: {acme.ActingFor()}}, nil},
	} {
		b.Run(c.name, func(b *testing.B) {
			tokens := tokens
			tokens.Verified = c.verified
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tokens.Identify(c.h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
