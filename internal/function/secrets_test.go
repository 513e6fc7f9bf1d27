package function_test

import (
	"os"
	"strings"
	"testing"

	"example.com/b2b/v2/internal/function"
	"example.com/b2b/v2/internal/function/functiontest"
)

// TestFetchSecrets reads whole secrets and keys of a secret. An error must name the variable, and must
// contain no secret.
func TestFetchSecrets(t *testing.T) {
	variables, arns := functiontest.Secrets(t, map[string]string{
		"token": "the-secret-token\n", "database": `{"username": "app_user", "password": "the-secret:password"}`,
	})
	names := []string{"SERVICE_TOKEN", "DB_PASSWORD", "JWT_SECRET"}
	for name, c := range map[string]struct {
		set  map[string]string
		want map[string]string
		err  string
	}{
		"none": {},
		"whole_and_key": {
			set: map[string]string{"SERVICE_TOKEN_ARN": arns["token"],
				"DB_PASSWORD_ARN": arns["database"] + ":password::"},
			want: map[string]string{"SERVICE_TOKEN": "the-secret-token", "DB_PASSWORD": "the-secret:password"},
		},
		"missing": {
			set: map[string]string{"JWT_SECRET_ARN": arns["token"] + "x"},
			err: "JWT_SECRET_ARN is \"" + arns["token"] + "x\": the secret cannot be read: ",
		},
		"missing_key": {
			set: map[string]string{"DB_PASSWORD_ARN": arns["database"] + ":pass::"},
			err: `DB_PASSWORD_ARN is "` + arns["database"] + `:pass::": the secret has no such value`,
		},
		"no_object": {
			set: map[string]string{"DB_PASSWORD_ARN": arns["token"] + ":password::"},
			err: "the secret is not a JSON object",
		},
		"no_arn":     {set: map[string]string{"SERVICE_TOKEN_ARN": "token"}, err: "allowed: the ARN of a secret"},
		"of_another": {set: map[string]string{"SERVICE_TOKEN_ARN": "arn:aws:ssm:eu-west-1:1:parameter/x:y"}, err: "allowed: the ARN of a secret"},
		"both": {
			set: map[string]string{"SERVICE_TOKEN": "t", "SERVICE_TOKEN_ARN": arns["token"]},
			err: "SERVICE_TOKEN and SERVICE_TOKEN_ARN are both set",
		},
	} {
		t.Run(name, func(t *testing.T) {
			for _, v := range variables {
				name, value, _ := strings.Cut(v, "=")
				t.Setenv(name, value)
			}
			for _, name := range names {
				t.Setenv(name, c.set[name])
				t.Setenv(name+function.ARNSuffix, c.set[name+function.ARNSuffix])
			}
			err := function.FetchSecrets(t.Context(), names)
			if c.err == "" && err != nil || c.err != "" && (err == nil || !strings.Contains(err.Error(), c.err)) {
				t.Errorf("%v, want %s", err, c.err)
			}
			if err != nil && strings.Contains(err.Error(), "the-secret") {
				t.Errorf("shows a secret: %v", err)
			}
			for name, want := range c.want {
				if got := os.Getenv(name); got != want {
					t.Errorf("%s is %q, want %q", name, got, want)
				}
			}
		})
	}
}
