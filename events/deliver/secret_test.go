package deliver

import (
	"testing"
	"time"

	standardwebhooks "github.com/standard-webhooks/standard-webhooks/libraries/go"
)

// TestSignatureVectors signs a message with two known secrets. The HMAC secret, its message and its signature
// are the example of the reference libraries of the specification. The Ed25519 secret is the key of the first
// test of RFC 8032; another implementation made its signature.
func TestSignatureVectors(t *testing.T) {
	at := time.Unix(1614265330, 0)
	const id, body = "msg_p5jXN8AQM9LWM0D4loKWxJek", `{"test": 2432232314}`
	for _, v := range []struct {
		secret Secret
		want   string
	}{
		{"whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="},
		{"whsk_nWGxne/9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2DXWpgBgrEKt9VL/tPJZAc6DuFy89qmIyWvAhpo9wdRGg==",
			"v1a,fldxM4gAKugP6nnt1hdz3sgGfZ6d99nzrMFnZOELIxbzEHoVmAb2ADpkJK7zgPePmPsle0zV9jSeGlHFG2NVAw=="},
	} {
		got, err := v.secret.sign(id, at, []byte(body))
		if err != nil || got != v.want {
			t.Errorf("%s, want %s: %v", got, v.want, err)
		}
	}
}

// TestClockSkew checks, with the reference library, that a receiver refuses a message whose time is more than
// five minutes in the past or in the future. So nobody can send a captured message again later.
func TestClockSkew(t *testing.T) {
	s := NewSecret(HMAC)
	check, err := standardwebhooks.NewWebhook(string(s))
	if err != nil {
		t.Fatal(err)
	}
	for after, accepted := range map[time.Duration]bool{
		0: true, -4 * time.Minute: true, 4 * time.Minute: true, -6 * time.Minute: false, 6 * time.Minute: false,
	} {
		at := time.Now().Add(after)
		signature, err := s.sign("evt_1", at, []byte("{}"))
		if err != nil {
			t.Fatal(err)
		}
		h := map[string][]string{}
		for name, value := range map[string]string{
			"Webhook-Id": "evt_1", "Webhook-Timestamp": stamp(at), "Webhook-Signature": signature,
		} {
			h[name] = []string{value}
		}
		if err := check.Verify([]byte("{}"), h); (err == nil) != accepted {
			t.Errorf("%s: %v", after, err)
		}
		h["Webhook-Timestamp"] = []string{stamp(at.Add(time.Second))} // a forged time
		if err := check.Verify([]byte("{}"), h); err == nil {
			t.Errorf("%s: a message with another time is accepted", after)
		}
	}
}
