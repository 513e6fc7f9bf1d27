package db

import (
	"context"
	"database/sql/driver"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	sqlitedriver "modernc.org/sqlite"
)

// preparing opens connections to SQLite that keep their statements prepared. Otherwise SQLite would parse and
// plan each statement again, which takes a sixth of the time of a short read.
type preparing struct{ driver.Connector }

// newPreparing returns a connector for the data source name of SQLite.
func newPreparing(dsn string) (preparing, error) {
	connector, err := sqlitedriver.NewConnector(dsn)
	return preparing{connector}, err
}

// Connect implements driver.Connector.
func (p preparing) Connect(ctx context.Context) (driver.Conn, error) {
	opened, err := p.Connector.Connect(ctx)
	if err != nil {
		return nil, err
	}
	c := &preparedConn{sqliteConn: opened.(sqliteConn)}
	c.statements, err = simplelru.NewLRU(maxPrepared, func(_ string, s *prepared) { s.evict() })
	return c, err
}

const (
	maxPrepared  = 256  // largest number of statements that a connection keeps; each takes some 10 KB
	longPrepared = 8192 // longest text of a kept statement, in bytes; imports have longer statements
)

// preparedConn is a connection that keeps the statements of ExecContext and QueryContext. SQLite plans a kept
// statement again after a change of the schema.
type preparedConn struct {
	sqliteConn
	statements *simplelru.LRU[string, *prepared]
}

// sqliteConn lists what database/sql calls on a connection to SQLite.
type sqliteConn interface {
	driver.Conn
	driver.ConnBeginTx
	driver.ConnPrepareContext
	driver.ExecerContext
	driver.Pinger
	driver.QueryerContext
	driver.SessionResetter
	driver.Validator
}

// ExecContext implements driver.ExecerContext.
func (c *preparedConn) ExecContext(ctx context.Context, query string, args []driver.NamedValue) (
	driver.Result, error,
) {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.ExecContext(ctx, query, args)
	}
	defer s.release()
	res, err := s.ExecContext(ctx, args)
	if err != nil {
		c.statements.Remove(query)
	}
	return res, err
}

// QueryContext implements driver.QueryerContext.
func (c *preparedConn) QueryContext(ctx context.Context, query string, args []driver.NamedValue) (
	driver.Rows, error,
) {
	s, err := c.prepare(ctx, query)
	if err != nil {
		return nil, err
	}
	if s == nil {
		return c.sqliteConn.QueryContext(ctx, query, args)
	}
	rows, err := s.QueryContext(ctx, args)
	if err != nil {
		c.statements.Remove(query)
		s.release()
		return nil, err
	}
	return preparedRows{rows.(sqliteRows), s}, nil
}

// Close implements driver.Conn.
func (c *preparedConn) Close() error {
	c.statements.Purge()
	return c.sqliteConn.Close()
}

// prepare returns the statement for a query. The caller releases the statement after its use. The result is
// nil while rows that are not closed use the statement, and for a query longer than longPrepared. Error: the
// error of SQLite for a query that it cannot parse.
func (c *preparedConn) prepare(ctx context.Context, query string) (*prepared, error) {
	if len(query) > longPrepared {
		return nil, nil
	}
	if s, ok := c.statements.Get(query); ok {
		if s.used {
			return nil, nil
		}
		s.used = true
		return s, nil
	}
	stmt, err := c.PrepareContext(ctx, query)
	if err != nil {
		return nil, err
	}
	s := &prepared{sqliteStmt: stmt.(sqliteStmt), used: true}
	c.statements.Add(query, s)
	return s, nil
}

// prepared is a statement of a preparedConn.
type prepared struct {
	sqliteStmt
	used    bool
	evicted bool // the connection has dropped the statement
}

type sqliteStmt interface {
	driver.Stmt
	driver.StmtExecContext
	driver.StmtQueryContext
}

// release ends the use of the statement.
func (s *prepared) release() {
	if s.used = false; s.evicted {
		_ = s.Close() // ignores the error: Close repeats the error of the last call
	}
}

// evict closes the statement, as soon as it is not used.
func (s *prepared) evict() {
	if s.evicted = true; !s.used {
		_ = s.Close() // ignores the error: Close repeats the error of the last call
	}
}

// preparedRows are rows that release their statement when they are closed.
type preparedRows struct {
	sqliteRows
	statement *prepared
}

// sqliteRows lists what database/sql calls on rows of SQLite.
type sqliteRows interface {
	driver.Rows
	driver.RowsColumnTypeDatabaseTypeName
	driver.RowsColumnTypeLength
	driver.RowsColumnTypeNullable
	driver.RowsColumnTypePrecisionScale
	driver.RowsColumnTypeScanType
}

// Close implements driver.Rows.
func (r preparedRows) Close() error {
	defer r.statement.release()
	return r.sqliteRows.Close()
}
