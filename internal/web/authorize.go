package web

import (
	"fmt"
	"slices"
	"strings"

	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/apperr"
	"example.com/b2b/v2/internal/auth"
	"example.com/b2b/v2/internal/server"
)

const authorizationField = "/header/Authorization"

// authorize puts the caller into the request's context. It refuses a caller who does not meet the security
// requirements of the operation, and a caller bound to a customer when the operation is for all customers.
// The rate limit counts the request before any refusal, so that guesses of tokens are limited. Errors: 401
// unauthorized, 403 forbidden, 429 rate_limited.
func authorize(tokens auth.Tokens, rates *rateLimiter) func(*gin.Context, *operation) {
	return func(c *gin.Context, op *operation) {
		caller, err := identify(c, tokens, op)
		if len(op.security) > 0 {
			if err == nil || caller.Known() {
				call := callOf(c)
				call.caller, call.customer, call.actingFor = caller.Subject, caller.Customer, caller.ByService
			}
			if !caller.Known() && !caller.ByService {
				caller.Network = server.Network(c.ClientIP())
			}
			if limited := rates.admit(c, caller); limited != nil {
				callOf(c).limit = "rate"
				Fail(c, limited)
				return
			}
		}
		if own := caller.Customer; err == nil && op.allOnly && own != 0 {
			params := apperr.Params{"customer_id": own}
			err = apperr.Forbidden.New().With(authorizationField, params, "acts for customer %d alone", own)
		}
		if err != nil {
			Fail(c, err)
			return
		}
		c.Request = c.Request.WithContext(auth.With(c.Request.Context(), caller))
	}
}

// identify returns the caller. The caller must meet one of the operation's security requirements. An empty
// requirement admits only callers without a token. When a query parameter is true, the caller also needs the
// scopes of this parameter. Errors: 401 unauthorized for a missing or invalid token, 403 forbidden when a
// valid token meets no requirement, or lacks a scope of a parameter.
func identify(c *gin.Context, tokens auth.Tokens, op *operation) (auth.Principal, error) {
	if len(op.security) == 0 {
		return auth.Anonymous, nil
	}
	caller, err := tokens.Identify(c.Request.Header)
	if err != nil {
		return caller, err
	}
	var more []string // scopes of the query parameters that are true
	for name, scopes := range op.scopes {
		if c.Query(name) == "true" {
			more = append(more, scopes...)
		}
	}
	refusal := apperr.Forbidden.New()
	for _, needed := range op.security {
		scopes, byToken := needed["bearerAuth"]
		if byToken {
			scopes = slices.Concat(scopes, more)
		}
		_, byService := needed["serviceToken"]
		missing := caller.Lacks(scopes)
		switch {
		case len(needed) == 0 && !caller.Known(),
			byService && caller.ByService,
			byToken && caller.Known() && missing == nil:
			return caller, nil
		case byService:
			params := apperr.Params{"rule": "service_token"}
			refusal.With(authorizationField, params, "is not the service token")
		case missing != nil && caller.Known():
			// The header has the form of RFC 6750, section 3.1.
			c.Header("WWW-Authenticate",
				fmt.Sprintf(`Bearer error="insufficient_scope", scope="%s"`, strings.Join(scopes, " ")))
			lacking := strings.Join(missing, " ")
			refusal.With(authorizationField, apperr.Params{"scope": lacking}, "lacks the scope %s", lacking)
		}
	}
	if !caller.Known() {
		return caller, apperr.Unauthorized.New("send Authorization: Bearer TOKEN")
	}
	return caller, refusal
}
