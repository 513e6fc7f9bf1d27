package functiontest

import (
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"strings"
	"testing"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// Secrets returns the variables with which a function finds Secrets Manager, and the ARN of each secret by
// name. With the variable TEST_MOTO, the address of a moto server, functions use Secrets Manager of that
// server. Otherwise they use a small stand-in.
func Secrets(t testing.TB, values map[string]string) (variables []string, arns map[string]string) {
	t.Helper()
	arns = map[string]string{}
	endpoint := os.Getenv("TEST_MOTO")
	if endpoint == "" {
		endpoint = standInForSecrets(t, values, arns)
	} else {
		client := secretsmanager.New(secretsmanager.Options{
			Region: "eu-west-1", BaseEndpoint: &endpoint,
			Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
				return aws.Credentials{AccessKeyID: "id", SecretAccessKey: "key"}, nil
			}),
		})
		for name, value := range values {
			made, err := client.CreateSecret(t.Context(), &secretsmanager.CreateSecretInput{
				Name: aws.String(t.Name() + "/" + name), SecretString: &value,
			})
			if err != nil {
				t.Fatal(err)
			}
			arns[name] = *made.ARN
		}
	}
	return []string{
		"AWS_ENDPOINT_URL_SECRETS_MANAGER=" + endpoint,
		"AWS_ACCESS_KEY_ID=id", "AWS_SECRET_ACCESS_KEY=key", "AWS_SESSION_TOKEN=token",
	}, arns
}

// standInForSecrets answers GetSecretValue:
// https://docs.aws.amazon.com/secretsmanager/latest/apireference/API_GetSecretValue.html.
func standInForSecrets(t testing.TB, values, arns map[string]string) (endpoint string) {
	byARN := map[string]string{}
	for name, value := range values {
		arns[name] = fmt.Sprintf("arn:aws:secretsmanager:eu-west-1:123456789012:secret:%s-AbCdEf", name)
		byARN[arns[name]] = value
	}
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		var request struct{ SecretId string }
		body, _ := io.ReadAll(r.Body)
		_ = json.Unmarshal(body, &request)
		value, known := byARN[request.SecretId]
		w.Header().Set("Content-Type", "application/x-amz-json-1.1")
		switch {
		case r.Header.Get("X-Amz-Target") != "secretsmanager.GetSecretValue",
			!strings.Contains(r.Header.Get("Authorization"), "/eu-west-1/secretsmanager/"),
			r.Header.Get("X-Amz-Security-Token") != "token":
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"AccessDeniedException","Message":"unsigned"}`)
		case !known:
			w.WriteHeader(http.StatusBadRequest)
			_, _ = io.WriteString(w, `{"__type":"ResourceNotFoundException","Message":"there is none"}`)
		default:
			_ = json.NewEncoder(w).Encode(map[string]string{"ARN": request.SecretId, "SecretString": value})
		}
	}))
	t.Cleanup(server.Close)
	return server.URL
}
