package db_test

import (
	"context"
	"strings"
	"testing"

	"example.com/b2b/v2/db"
)

var ctx = context.Background()

func TestOpenUnreachable(t *testing.T) {
	c := db.Config{Driver: db.MySQL, Host: "127.0.0.1", Port: 1, User: "u", Name: "n", MaxConns: 1}
	_, err := db.Open(ctx, c)
	if err == nil || !strings.Contains(err.Error(), "refused") {
		t.Errorf("%v", err)
	}
}
