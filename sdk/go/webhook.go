package b2b

import (
	"crypto/ed25519"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"example.com/b2b/v2/openapi/contract"
	"example.com/b2b/v2/openapi/eventsapi"
)

// ErrWebhook is the error of VerifyWebhook for a request that no service has sent, or whose time differs from
// the present time by more than five minutes.
var ErrWebhook = errors.New("not a webhook of this endpoint")

// webhookTolerance is the greatest difference between the time of a webhook and the present time.
const webhookTolerance = 5 * time.Minute

// VerifyWebhook checks the signature and the time of a webhook, and returns the message. The parameter key is
// the secret or the public key of the endpoint. The parameter body must have the bytes of the request,
// because JSON that a program has decoded and encoded again has other bytes. The error is ErrWebhook for a
// request that fails the check. Any other error says that key is neither a secret nor a public key.
//
// A message may arrive more than once, always with the same header webhook-id.
func VerifyWebhook(key string, header http.Header, body []byte) (*eventsapi.WebhookMessage, error) {
	fail := func(why string) (*eventsapi.WebhookMessage, error) { return nil, fmt.Errorf("%w: %s", ErrWebhook, why) }
	id, stamp := header.Get("webhook-id"), header.Get("webhook-timestamp")
	seconds, err := strconv.ParseInt(stamp, 10, 64)
	if id == "" || err != nil {
		return fail("webhook-id or webhook-timestamp is missing")
	}
	if age := time.Since(time.Unix(seconds, 0)); age.Abs() > webhookTolerance {
		return fail("it is not of now")
	}
	signed := []byte(id + "." + stamp + ".")
	signed = append(signed, body...)
	valid, err := checkOf(key, signed)
	if err != nil {
		return nil, err
	}
	for signature := range strings.SplitSeq(header.Get("webhook-signature"), " ") {
		version, encoded, _ := strings.Cut(signature, ",")
		if raw, err := base64.StdEncoding.DecodeString(encoded); err == nil && valid(version, raw) {
			var message eventsapi.WebhookMessage
			if err := contract.Unmarshal(body, &message); err != nil {
				return fail(err.Error())
			}
			return &message, nil
		}
	}
	return fail("no signature is of this key")
}

// checkOf returns a function that reports whether a signature of the bytes in signed is right for the key.
// The version of a signature is v1 for a secret, and v1a for a public key. checkOf fails when key is neither
// a secret nor a public key.
func checkOf(key string, signed []byte) (func(version string, signature []byte) bool, error) {
	encoded, isPublic := strings.CutPrefix(key, "whpk_")
	raw, err := base64.StdEncoding.DecodeString(strings.TrimPrefix(encoded, "whsec_"))
	if err != nil || isPublic && len(raw) != ed25519.PublicKeySize || len(raw) == 0 {
		return nil, errors.New("the key must be the endpoint's secret (whsec_…), or its public key (whpk_…)")
	}
	if isPublic {
		return func(version string, signature []byte) bool {
			return version == "v1a" && ed25519.Verify(raw, signed, signature)
		}, nil
	}
	mac := hmac.New(sha256.New, raw)
	mac.Write(signed)
	want := mac.Sum(nil)
	return func(version string, signature []byte) bool { return version == "v1" && hmac.Equal(want, signature) }, nil
}
