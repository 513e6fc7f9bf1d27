package function

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strings"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	"github.com/aws/aws-sdk-go-v2/service/secretsmanager"
)

// ARNSuffix is the end of the name of a variable that names a secret of AWS Secrets Manager. For example,
// SERVICE_TOKEN_ARN names the secret with the value of SERVICE_TOKEN.
const ARNSuffix = "_ARN"

// secretsTime limits the time to fetch all secrets. Lambda gives the start of a function 10 s.
const secretsTime = 5 * time.Second

// FetchSecrets sets environment variables to secrets. For a name in names, the variable NAME_ARN says which
// secret to fetch, as in the task definitions of ECS: by its ARN, or by ARN:KEY:: for the value of a key in a
// secret that is JSON. Without NAME_ARN, the variable NAME stays as it is. An error names the variable, and
// contains no value of a secret.
func FetchSecrets(ctx context.Context, names []string) error {
	ctx, cancel := context.WithTimeout(ctx, secretsTime)
	defer cancel()
	var problems []error
	fetched := map[string]string{} // the secrets, by ARN
	for _, name := range names {
		from := os.Getenv(name + ARNSuffix)
		if from == "" {
			continue
		}
		if os.Getenv(name) != "" {
			problems = append(problems, fmt.Errorf("%s and %s%s are both set; allowed: one of them", name,
				name, ARNSuffix))
			continue
		}
		value, err := secret(ctx, from, fetched)
		if err == nil {
			err = os.Setenv(name, value)
		}
		if err != nil {
			problems = append(problems, fmt.Errorf("%s%s is %q: %w", name, ARNSuffix, from, err))
		}
	}
	return errors.Join(problems...)
}

// secret returns a whole secret when the parameter from is ARN, and the value of a key of the secret when
// from is ARN:KEY::. It keeps each whole secret in the map fetched.
func secret(ctx context.Context, from string, fetched map[string]string) (string, error) {
	parts := strings.Split(from, ":") // arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME, or with :KEY::
	if len(parts) < 7 || parts[2] != "secretsmanager" {
		return "", errors.New("allowed: the ARN of a secret in AWS Secrets Manager, or ARN:KEY:: for a key of JSON")
	}
	arn := strings.Join(parts[:7], ":")
	if _, known := fetched[arn]; !known {
		answer, err := secretsManager(parts[3]).GetSecretValue(ctx, &secretsmanager.GetSecretValueInput{SecretId: &arn})
		if err != nil {
			return "", fmt.Errorf("the secret cannot be read: %w", err)
		}
		fetched[arn] = strings.TrimSpace(aws.ToString(answer.SecretString))
	}
	value := fetched[arn]
	if len(parts) > 7 && parts[7] != "" {
		var keys map[string]any
		if json.Unmarshal([]byte(value), &keys) != nil {
			return "", errors.New("the secret is not a JSON object")
		}
		value, _ = keys[parts[7]].(string)
	}
	if value == "" {
		return "", errors.New("the secret has no such value, or an empty one")
	}
	return value, nil
}

// secretsManager returns a client with the credentials that Lambda puts into the environment of a function.
// The package config of the SDK would look for credentials in files and on the network as well, and would add
// 2 MB to the program.
func secretsManager(region string) *secretsmanager.Client {
	var endpoint *string // nil means the address of AWS
	if url := os.Getenv("AWS_ENDPOINT_URL_SECRETS_MANAGER"); url != "" {
		endpoint = &url
	}
	return secretsmanager.New(secretsmanager.Options{
		Region: region, BaseEndpoint: endpoint,
		Credentials: aws.CredentialsProviderFunc(func(context.Context) (aws.Credentials, error) {
			return aws.Credentials{
				AccessKeyID:     os.Getenv("AWS_ACCESS_KEY_ID"),
				SecretAccessKey: os.Getenv("AWS_SECRET_ACCESS_KEY"),
				SessionToken:    os.Getenv("AWS_SESSION_TOKEN"),
			}, nil
		}),
	})
}
