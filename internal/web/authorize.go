package web

import (
	"context"
	"crypto/subtle"
	"errors"
	"strings"

	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/gin-gonic/gin"

	"example.com/b2b/internal/apperr"
	"example.com/b2b/internal/auth"
)

// authorize puts who calls into the request's context, and returns 401 unauthorized when that is not enough for what the document
// declares as the operation's `security`.
func (v *validator) authorize(c *gin.Context, op operation) error {
	ctx := auth.With(c.Request.Context(), v.principal(c.GetHeader("Authorization")))
	c.Request = c.Request.WithContext(ctx)
	withoutBody := c.Request.WithContext(ctx) // the validator would read it
	withoutBody.Body = nil
	input := &openapi3filter.RequestValidationInput{Request: withoutBody, Route: op.Route, Options: &v.filter}
	if err := openapi3filter.ValidateSecurityRequirements(ctx, input, op.security); err != nil {
		return apperr.Unauthorized.New()
	}
	return nil
}

// principal says who calls: whoever holds the service token is a service, and anybody else nobody in particular.
func (v *validator) principal(authorization string) auth.Principal {
	scheme, token, _ := strings.Cut(authorization, " ")
	if v.ServiceToken != "" && strings.EqualFold(scheme, "Bearer") && subtle.ConstantTimeCompare([]byte(token), []byte(v.ServiceToken)) == 1 {
		return auth.Service
	}
	return auth.Anonymous
}

// authenticate says whether the caller satisfies one of the document's security schemes.
func authenticate(ctx context.Context, in *openapi3filter.AuthenticationInput) error {
	if in.SecuritySchemeName == "serviceToken" && auth.From(ctx) == auth.Service {
		return nil
	}
	return errors.New("wrong or missing token")
}
