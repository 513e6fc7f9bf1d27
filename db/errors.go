package db

import (
	"database/sql"
	"database/sql/driver"
	"errors"
	"fmt"
	"io"
	"net"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"sync/atomic"

	mysqldriver "github.com/go-sql-driver/mysql"
	"golang.org/x/sync/singleflight"
	"gorm.io/gorm"
	sqlitedriver "modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"
)

// Errors of a database that cannot serve now: the same call may succeed later. Package apperr turns these
// errors into 503 unavailable.
var (
	ErrUnavailable error = unavailable{}
	// ErrConflict is an ErrUnavailable: another transaction has won, and this transaction may be run again.
	ErrConflict = fmt.Errorf("lost against another transaction: %w", ErrUnavailable)
	// ErrLocked is an ErrConflict: another transaction has held a row for too long. Only the statement has
	// failed; the transaction goes on and keeps its locks.
	ErrLocked error = locked{}
)

type locked struct{}

func (locked) Error() string { return "another transaction holds a row: " + ErrConflict.Error() }

func (locked) Unwrap() error { return ErrConflict }

// Held marks the error for apperr.IsHeld.
func (locked) Held() bool { return true }

type unavailable struct{}

func (unavailable) Error() string { return "the database is unavailable" }

// Unavailable marks the error for apperr.From.
func (unavailable) Unavailable() bool { return true }

// dialector is a gorm.Dialector that translates errors, and holds this package's state for a database.
type dialector struct {
	gorm.Dialector
	mariaDB      bool
	tiDB         bool
	transactions chan struct{}       // an element for each running transaction of InTx; nil on SQLite
	ready        *singleflight.Group // running calls of Ready, by table
	migrated     *atomic.Bool        // true once the schema is complete: see Migrated
	replica      *replica            // the server that ReadLagging reads; nil without Config.ReadHost
}

// Translate implements gorm.ErrorTranslator.
func (dialector) Translate(err error) error { return translate(err) }

// Explain implements gorm.Dialector. It returns the text of a statement for logs, without values.
func (dialector) Explain(sql string, _ ...any) string { return sql }

// translate wraps a driver's error in gorm.ErrDuplicatedKey, gorm.ErrForeignKeyViolated, ErrLocked,
// ErrConflict or, for any other temporary fault, ErrUnavailable. Other errors stay as they are.
func translate(err error) error {
	var kind error
	var my *mysqldriver.MySQLError
	var lite *sqlitedriver.Error
	switch {
	case err == nil, errors.Is(err, ErrUnavailable):
		return err
	case errors.As(err, &my):
		kind = kindOfMySQL(my)
	case errors.As(err, &lite):
		kind = kindOfSQLite(lite)
	case errors.Is(err, driver.ErrBadConn), errors.Is(err, mysqldriver.ErrInvalidConn),
		errors.Is(err, sql.ErrConnDone), errors.Is(err, io.EOF), errors.Is(err, io.ErrUnexpectedEOF),
		errors.As(err, new(*net.OpError)),
		err.Error() == "sql: database is closed": // database/sql does not export this error
		kind = ErrUnavailable
	}
	if kind == nil {
		return err
	}
	return fmt.Errorf("%w: %w", kind, err)
}

// isDenied reports whether the user of the database lacks a right on a table or a column, or on a database.
func isDenied(err error) bool {
	var my *mysqldriver.MySQLError
	return errors.As(err, &my) && slices.Contains([]uint16{
		1044, // ER_DBACCESS_DENIED_ERROR
		1142, // ER_TABLEACCESS_DENIED_ERROR
		1143, // ER_COLUMNACCESS_DENIED_ERROR
	}, my.Number)
}

// isUnsupported reports whether the server does not support the statement. TiDB does not support READ ONLY
// transactions.
func isUnsupported(err error) bool {
	var my *mysqldriver.MySQLError
	return errors.As(err, &my) && my.Number == 1235 // ER_NOT_SUPPORTED_YET
}

// wrappedByTiDB matches the beginning of the message of an error 1105 in which TiDB has wrapped another
// error: [executor:3024] for the error 3024.
var wrappedByTiDB = regexp.MustCompile(`^\[\w+:(\d+)\]`)

// kindOfMySQL returns the error that translate adds to an error of the server, or nil for any other error.
// The error numbers are documented at
// https://dev.mysql.com/doc/mysql-errors/8.4/en/server-error-reference.html, and for TiDB, from 8001 on, at
// https://docs.pingcap.com/tidb/stable/error-codes.
func kindOfMySQL(err *mysqldriver.MySQLError) error {
	switch err.Number {
	case 1062: // ER_DUP_ENTRY
		return gorm.ErrDuplicatedKey
	case 1451, 1452: // ER_ROW_IS_REFERENCED_2, ER_NO_REFERENCED_ROW_2
		return gorm.ErrForeignKeyViolated
	case 1205, 3572, 3024, 1969: // ER_LOCK_WAIT_TIMEOUT, _LOCK_NOWAIT, _QUERY_TIMEOUT, _STATEMENT_TIMEOUT
		return ErrLocked
	case 1020, 1213, // ER_CHECKREAD (MariaDB: the row has changed since it was read), ER_LOCK_DEADLOCK
		8002, 8005, 8022, // ErrForUpdateCantRetry, ErrWriteConflictInTiDB, ErrTxnRetryable
		8028, 9004, 9007: // ErrInfoSchemaChanged, ErrResolveLockTimeout, ErrWriteConflict
		return ErrConflict
	case 1105: // ER_UNKNOWN_ERROR: https://docs.pingcap.com/tidb/stable/troubleshoot-lock-conflicts
		// GET_LOCK ends with "lock wait timeout" when many sessions ask at once.
		if strings.Contains(err.Message, "pessimistic lock retry limit reached") || err.Message == "lock wait timeout" {
			return ErrConflict
		}
		if err.Message == "context canceled" { // perhaps the COMMIT was canceled: do not run the transaction again
			return ErrUnavailable
		}
		if m := wrappedByTiDB.FindStringSubmatch(err.Message); m != nil {
			number, _ := strconv.ParseUint(m[1], 10, 16)
			return kindOfMySQL(&mysqldriver.MySQLError{Number: uint16(number), Message: err.Message[len(m[0]):]})
		}
	case 1021, 1114, // ER_DISK_FULL, ER_RECORD_FILE_FULL
		1040, 1203, 1226, // ER_CON_COUNT_ERROR, ER_TOO_MANY_USER_CONNECTIONS, ER_USER_LIMIT_REACHED
		1045,       // ER_ACCESS_DENIED_ERROR: the password has changed
		1054, 1146, // ER_BAD_FIELD_ERROR, ER_NO_SUCH_TABLE: a migration is missing or under way
		1053, 1317, 1927, // ER_SERVER_SHUTDOWN, ER_QUERY_INTERRUPTED, MariaDB's ER_CONNECTION_KILLED
		1047, 3032, // MariaDB's ER_UNKNOWN_COM_ERROR (no part of its cluster), ER_SERVER_OFFLINE_MODE
		3100, 3101, // ER_RUN_HOOK_ERROR and ER_TRANSACTION_ROLLBACK_DURING_COMMIT: group replication
		3168, 4031, // ER_SERVER_ISNT_AVAILABLE, ER_CLIENT_INTERACTION_TIMEOUT: this process was frozen
		1290, 1792, // ER_OPTION_PREVENTS_STATEMENT (read-only), ER_CANT_EXECUTE_IN_READ_ONLY_TRANSACTION
		1836,       // ER_READ_ONLY_MODE
		8027, 8120, // ErrInfoSchemaExpired, ErrGetStartTS
		8501,             // ErrResultUndetermined
		9001, 9002, 9003, // ErrPDServerTimeout, ErrTiKVServerTimeout, ErrTiKVServerBusy
		9005,             // ErrRegionUnavailable
		9008, 9010, 9011: // ErrTiKVStoreLimit, ErrTiKVStaleCommand, ErrTiKVMaxTimestampNotSynced
		return ErrUnavailable
	}
	return nil
}

// kindOfSQLite is like kindOfMySQL. The result codes are documented at https://www.sqlite.org/rescode.html.
func kindOfSQLite(err *sqlitedriver.Error) error {
	switch err.Code() {
	case sqlite3.SQLITE_CONSTRAINT_UNIQUE, sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY:
		return gorm.ErrDuplicatedKey
	case sqlite3.SQLITE_CONSTRAINT_FOREIGNKEY:
		return gorm.ErrForeignKeyViolated
	}
	switch err.Code() & 0xff { // the lowest byte is the primary result code
	case sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED:
		return ErrConflict
	case sqlite3.SQLITE_ERROR:
		text := err.Error() // SQLite has no code for a missing table or column, only the text
		if strings.Contains(text, "no such table") || strings.Contains(text, "no such column") {
			return ErrUnavailable // a migration is missing
		}
	case sqlite3.SQLITE_READONLY, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_FULL, sqlite3.SQLITE_CANTOPEN,
		sqlite3.SQLITE_NOMEM:
		return ErrUnavailable
	}
	return nil
}
