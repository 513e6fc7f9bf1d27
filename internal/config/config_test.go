package config

import (
	"log/slog"
	"testing"
	"time"
)

func TestRead(t *testing.T) {
	for name, value := range map[string]string{
		"PORT": "4000", "DB_HOST": "db", "DB_PORT": "3307", "DB_USER": "u", "DB_PASSWORD": "p", "DB_NAME": "n", "DB_MAX_CONNECTIONS": "7",
		"MIGRATE_ON_START": "false", "SERVICE_TOKEN": "t", "CUSTOMERS_API_BASE": "https://c.example/", "ORDERS_API_BASE": "http://o.example:1/x",
		"IDEMPOTENCY_KEY_EXPIRATION_HOURS": "2", "ORDER_CANCELLATION_WINDOW_MINUTES": "3", "ORDER_RESERVATION_HOURS": "4",
		"REQUEST_TIMEOUT_SECONDS": "5", "SHUTDOWN_TIMEOUT_SECONDS": "6", "LOG_LEVEL": "warn",
	} {
		t.Setenv(name, value)
	}
	got, err := Read(true)
	want := Services{
		CustomersPort: 4000, OrdersPort: 4000, OrchestratorPort: 4000,
		DB:          Database{Driver: "mysql", Path: "./data/b2b.db", Host: "db", Port: 3307, User: "u", Password: "p", Name: "n", MaxConns: 7},
		KeyLifetime: 2 * time.Hour, CancellationWindow: 3 * time.Minute, Reservation: 4 * time.Hour, ShutdownTimeout: 6 * time.Second,
		Orchestrator: Orchestrator{ServiceToken: "t", CustomersBase: "https://c.example", OrdersBase: "http://o.example:1/x", RequestTimeout: 5 * time.Second, LogLevel: slog.LevelWarn},
	}
	if err != nil || got != want {
		t.Errorf("%v\n%+v, want\n%+v", err, got, want)
	}
	if got, err = Read(false); err != nil || got.CustomersPort != 3001 || got.OrdersPort != 3002 || got.OrchestratorPort != 3000 {
		t.Errorf("%v %+v", err, got)
	}
	t.Setenv("SERVERLESS_OFFLINE_PORT", "5000")
	if got, err = Read(false); err != nil || got.OrchestratorPort != 5000 {
		t.Errorf("%v %+v", err, got)
	}
}
