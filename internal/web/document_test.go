package web_test

import (
	"net/http"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/gin-gonic/gin"

	"example.com/b2b/v2/internal/web"
	"example.com/b2b/v2/internal/web/webtest"
)

// document uses each feature of OpenAPI that package web reads.
const document = `openapi: 3.0.3
info:
  title: Things
  description: "version: of what"
  version: 0.0.1
paths:
  /things:
    post:
      operationId: createThing
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/NewThing" } } }
      responses: &responses
        "200":
          description: Done.
          content: { application/json: { schema: { $ref: "#/components/schemas/Answer" } } }
        "400": &refused
          description: Refused.
          content: { application/json: { schema: { $ref: "#/components/schemas/Refusal" } } }
        "401": *refused
        "403": *refused
        "408": *refused
        "413": *refused
        "415": *refused
        "500": *refused
        "503": *refused
        "504": *refused
    get:
      operationId: listThings
      parameters:
        - { name: search, in: query, schema: { type: string, maxLength: 255, format: text } }
        - { name: from, in: query, schema: { type: string, maxLength: 35, format: date-or-date-time } }
        - name: limit
          in: query
          schema: { type: integer, format: int32, minimum: 1, maximum: 100, default: 20 }
        - { name: If-Match, in: header, schema: { type: string, minLength: 1, maxLength: 1000 } }
        - name: X-Idempotency-Key
          in: header
          schema: { type: string, minLength: 1, maxLength: 255, format: idempotency-key }
        - { name: X-Other, in: header, schema: { type: string, maxLength: 10 } }
      responses: *responses
  /things/{key}:
    get:
      operationId: getThing
      parameters:
        - { name: If-None-Match, in: header, schema: { type: string, minLength: 1, maxLength: 1000 } }
        - name: key
          in: path
          required: true
          schema: { type: string, minLength: 1, maxLength: 255, format: idempotency-key }
      responses:
        "400": *refused
        "500": *refused
        "200":
          description: Done.
          headers: { ETag: { schema: { type: string } } }
          content: { application/json: { schema: { $ref: "#/components/schemas/Answer" } } }
        "304": { description: Unchanged. }
  /secrets:
    post:
      operationId: createSecret
      security: [{ serviceToken: [] }]
      requestBody:
        required: true
        content: { application/json: { schema: { $ref: "#/components/schemas/NewThing" } } }
      responses: *responses
  /things/file:
    post:
      operationId: importThings
      requestBody:
        required: true
        content: { text/csv: { schema: { type: string }, x-row: { $ref: "#/components/schemas/NewThing" } } }
      responses:
        "400": *refused
        "408": *refused
        "413": *refused
        "415": *refused
        "500": *refused
        "503": *refused
        "200":
          description: Done.
          content:
            application/x-ndjson: { schema: { type: string }, x-row: { $ref: "#/components/schemas/Answer" } }
  /either:
    get:
      operationId: getEither
      security: [{}, { serviceToken: [] }]
      responses: *responses
  /scoped:
    get:
      operationId: getScoped
      security:
        - bearerAuth: ["things:read", "events:read"]
      responses: *responses
  /old:
    get:
      operationId: getOld
      deprecated: true
      x-deprecated-since: 2026-01-31
      x-sunset: 2027-07-31
      security: [{ serviceToken: [] }]
      responses: *responses
components:
  securitySchemes:
    bearerAuth: { type: http, scheme: bearer }
    serviceToken: { type: http, scheme: bearer }
  schemas:
    NewThing:
      type: object
      additionalProperties: false
      minProperties: 1
      properties:
        customer_id: { type: integer, format: int64, minimum: 1, maximum: 9007199254740991 }
        items:
          type: array
          minItems: 1
          maxItems: 100
          items:
            type: object
            additionalProperties: false
            required: [product_id, qty]
            properties:
              product_id: { type: integer, format: int64, minimum: 1, maximum: 9007199254740991 }
              qty: { type: integer, format: int64, minimum: 1, maximum: 1000000 }
        name: { type: string, minLength: 1, maxLength: 255, format: not-blank }
        sku: { type: string, minLength: 1, maxLength: 100, format: trimmed }
        note: { type: string, nullable: true, maxLength: 255, format: text }
        email: { type: string, maxLength: 255, format: email }
        idempotency_key: { type: string, minLength: 1, maxLength: 255, format: idempotency-key }
        correlation_id: { type: string, minLength: 1, maxLength: 128, format: correlation-id }
        delta: { type: integer, not: { enum: [0] } }
        color: { type: string, enum: [red, blue] }
        sure: { type: boolean }
        part:
          { type: object, additionalProperties: false, x-exactly-one-of: [id, code], minProperties: 1, maxProperties: 1,
            properties: { id: { type: integer }, code: { type: string, maxLength: 10 } } }
        texts:
          { type: object, maxProperties: 3, x-property-names: { minLength: 1, maxLength: 5, format: trimmed },
            additionalProperties: { type: string, maxLength: 10, format: text } }
    Answer:
      type: object
      required: [success]
      properties: { success: { type: boolean } }
    Refusal:
      type: object
      additionalProperties: false
      required: [success, error, code]
      properties:
        success: { type: boolean }
        error: { type: string, minLength: 1, maxLength: 2000 }
        code: { type: string }
        correlationId: { type: string }
        details:
          type: array
          minItems: 1
          maxItems: 1000
          items:
            type: object
            required: [field, message]
            properties:
              field: { type: string, minLength: 1, maxLength: 500 }
              message: { type: string, minLength: 1, maxLength: 1000 }
              params: { type: object }
`

func load(t testing.TB, document string) *openapi3.T {
	t.Helper()
	spec, err := openapi3.NewLoader().LoadFromData([]byte(document))
	if err != nil {
		t.Fatal(err)
	}
	if err := spec.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	return spec
}

// things returns an engine for the constant document. All operations call the function handle.
func things(t testing.TB, o web.Options, handle gin.HandlerFunc) web.Engine {
	t.Helper()
	o.Document = []byte(document)
	e := web.New(o)
	e.POST("/things", handle)
	e.GET("/things", handle)
	e.GET("/things/:key", handle)
	e.POST("/things/file", handle)
	e.POST("/secrets", handle)
	e.GET("/either", handle)
	e.GET("/scoped", handle)
	e.GET("/old", handle)
	return e
}

func succeed(c *gin.Context) { c.JSON(http.StatusOK, gin.H{"success": true}) }

// serveThings serves the engine of the function things, and validates every answer against document.
func serveThings(t testing.TB, o web.Options, handle gin.HandlerFunc) string {
	t.Helper()
	return webtest.Serve(t, things(t, o, handle), load(t, document))
}
