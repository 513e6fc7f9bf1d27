// Package services builds the Customers API and the Orders API from the configuration, for the commands b2b
// and lambda-services.
package services

import (
	"gorm.io/gorm"

	"example.com/b2b/v2/customers"
	"example.com/b2b/v2/internal/config"
	"example.com/b2b/v2/internal/peer"
	"example.com/b2b/v2/orders"
)

// Customers returns the Customers API.
func Customers(g *gorm.DB, c *config.Settings) *customers.Service {
	return customers.New(g, c.KeyLifetime)
}

// Orders returns the Orders API, which calls the Customers API as the peer customers.
func Orders(g *gorm.DB, c *config.Settings, customers peer.Peer) (*orders.Service, error) {
	customers.Timeout /= 2 // the Orders API must answer 503 before the call of the orchestrator times out
	return orders.New(g, orders.Config{Customers: customers, CancellationWindow: c.CancellationWindow,
		Reservation: c.Reservation, KeyLifetime: c.KeyLifetime, MaxHeld: max(1, c.MaxInFlight/8)})
}
