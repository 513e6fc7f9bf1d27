package db

import (
	"context"
	_ "embed"
	"errors"
	"fmt"
	"strings"

	"gorm.io/gorm"
)

// seedSQL holds the sample data, in SQL that MySQL and SQLite both read.
//
//go:embed seed.sql
var seedSQL string

// Seed loads the sample data when all tables that it fills are empty, and reports whether it did.
func Seed(ctx context.Context, g *gorm.DB) (bool, error) {
	loaded := false
	err := InTx(ctx, g, func(tx *gorm.DB) error {
		loaded = false
		statements := strings.Split(strings.TrimSpace(seedSQL), ";\n")
		for _, statement := range statements {
			_, table, _ := strings.Cut(statement, "INSERT INTO ")
			table, _, _ = strings.Cut(table, " ")
			var filled bool
			if err := tx.Raw("SELECT EXISTS (SELECT 1 FROM " + table + ")").Scan(&filled).Error; err != nil || filled {
				return err
			}
		}
		for _, statement := range statements {
			if err := tx.Exec(statement).Error; err != nil {
				return fmt.Errorf("seed.sql: %w", err)
			}
		}
		loaded = true
		return nil
	})
	if errors.Is(err, gorm.ErrDuplicatedKey) {
		return false, nil // another process loaded it at the same time
	}
	return loaded && err == nil, err
}
