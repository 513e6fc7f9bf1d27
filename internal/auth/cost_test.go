package auth

import (
	"net/http"
	"testing"
	"time"
)

// BenchmarkIdentify measures identifying a caller by a JWT signed with the secret, and by X-Acting-For.
func BenchmarkIdentify(b *testing.B) {
	tokens := Tokens{Secrets: []string{secret}, Service: []string{"service-token"}}
	jwt, err := tokens.Issue(acme, time.Hour)
	if err != nil {
		b.Fatal(err)
	}
	for name, h := range map[string]http.Header{
		"jwt":        {"Authorization": {"Bearer " + jwt}},
		"acting_for": {"Authorization": {"Bearer service-token"}, ActingForHeader: {acme.ActingFor()}},
	} {
		b.Run(name, func(b *testing.B) {
			b.ReportAllocs()
			for b.Loop() {
				if _, err := tokens.Identify(h); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
