package events

import (
	"testing"
	"time"

	"example.com/b2b/v2/internal/web/webtest"
	api "example.com/b2b/v2/openapi/eventsapi"
)

// TestWaitAfter checks the waits between the attempts of three days of failures: the waits grow up to six
// hours, differ at random, and obey Retry-After up to six hours.
func TestWaitAfter(t *testing.T) {
	var total time.Duration
	attempts := int32(1)
	for before := time.Duration(0); total < giveUp; attempts++ {
		wait := waitAfter(attempts, 0)
		if wait < before*13/10 && before < maxWait*3/4 || wait > maxWait*6/5 || attempts == 1 && wait > 6*time.Second {
			t.Errorf("the wait after failure %d is %s, the one before was %s", attempts, wait, before)
		}
		before = wait
		total += wait
	}
	if attempts < 15 || attempts > 30 {
		t.Errorf("%d attempts in three days", attempts)
	}
	if a, b := waitAfter(20, 0), waitAfter(20, 0); a == b {
		t.Errorf("two endpoints wait for exactly %s", a)
	}
	if wait := waitAfter(1, time.Minute); wait != time.Minute {
		t.Errorf("Retry-After of a minute: %s", wait)
	}
	if wait := waitAfter(1, 1000*time.Hour); wait != maxWait {
		t.Errorf("Retry-After of 1000 hours: %s", wait)
	}
}

// TestKeyedOperations checks that keyedOperations has exactly the operations that take an idempotency key in
// the OpenAPI document.
func TestKeyedOperations(t *testing.T) {
	for path, item := range webtest.Spec(t, api.Document).Paths.Map() {
		for _, operation := range item.Operations() {
			_, known := keyedOperations.Find(operation.OperationID)
			takes := operation.Parameters.GetByInAndName("header", "X-Idempotency-Key") != nil
			if takes != known {
				t.Errorf("%s of %s takes a key: %v; it is one of keyedOperations: %v",
					operation.OperationID, path, takes, known)
			}
		}
	}
}
