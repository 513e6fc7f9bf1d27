package function

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"os"
	"time"

	"github.com/aws/aws-lambda-go/lambda"
)

// Run initializes the function and then answers its events; it does not return. An error of initialize goes
// to the log and to Lambda, and Lambda shows the error to the caller of an invocation.
func Run(initialize func(ctx context.Context) (Handler, error)) {
	handle, err := initialize(context.Background())
	if err != nil {
		fmt.Fprintln(os.Stderr, "lambda:", err)
		reportInitError(err)
		os.Exit(1)
	}
	lambda.Start(handle)
}

// reportInitError posts the error to Lambda: see
// https://docs.aws.amazon.com/lambda/latest/dg/runtimes-api.html#runtimes-api-initerror.
func reportInitError(err error) {
	body, _ := json.Marshal(map[string]string{"errorMessage": err.Error(), "errorType": "Runtime.InitError"})
	url := "http://" + os.Getenv("AWS_LAMBDA_RUNTIME_API") + "/2018-06-01/runtime/init/error"
	client := http.Client{Timeout: time.Second}
	if answer, err := client.Post(url, "application/json", bytes.NewReader(body)); err == nil {
		_ = answer.Body.Close()
	}
}

// flushTime limits how long an answer waits while spans are sent. It is a part of DeadlineReserve.
const flushTime = 300 * time.Millisecond

// Flushing returns a handler that calls the function flush after each event. Lambda freezes the process once
// the answer is delivered, so spans that still wait would be sent late or never. flush is nil when no spans
// are sent.
func Flushing(handle Handler, flush func(context.Context) error) Handler {
	if flush == nil {
		return handle
	}
	return func(ctx context.Context, raw json.RawMessage) (any, error) {
		answer, err := handle(ctx, raw)
		ctx, cancel := context.WithTimeout(ctx, flushTime)
		defer cancel()
		_ = flush(ctx) // ignore the error, because the exporter has reported it
		return answer, err
	}
}
