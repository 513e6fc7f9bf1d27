package server

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"strings"
	"time"
)

// Replicates returns arguments for Private: for a server that has replicas, and for a replica. The parameter
// id must differ between the servers.
func Replicates(id int) []string {
	return []string{"--log-bin=binlog", "--relay-log=relay", fmt.Sprint("--server-id=", id)}
}

// Follow makes s a replica of source. From now on, s copies the changes of source.
func (s *Server) Follow(source *Server) error {
	log, position, err := source.position()
	if err != nil {
		return err
	}
	if s.isMariaDB() {
		return s.exec(fmt.Sprintf("CHANGE MASTER TO MASTER_HOST='127.0.0.1', MASTER_PORT=%d, MASTER_USER='root', "+
			"MASTER_LOG_FILE='%s', MASTER_LOG_POS=%d", source.Port, log, position), "START SLAVE")
	}
	return s.exec(fmt.Sprintf("CHANGE REPLICATION SOURCE TO SOURCE_HOST='127.0.0.1', SOURCE_PORT=%d, "+
		"SOURCE_USER='root', GET_SOURCE_PUBLIC_KEY=1, SOURCE_LOG_FILE='%s', SOURCE_LOG_POS=%d",
		source.Port, log, position), "START REPLICA")
}

// StopApplying makes a replica receive changes, but not apply them, until Apply.
func (s *Server) StopApplying() error { return s.exec("STOP " + s.replica() + " SQL_THREAD") }

// Apply makes a replica apply changes again, after StopApplying.
func (s *Server) Apply() error { return s.exec("START " + s.replica() + " SQL_THREAD") }

func (s *Server) replica() string {
	if s.isMariaDB() {
		return "SLAVE"
	}
	return "REPLICA"
}

func (s *Server) isMariaDB() bool {
	version, _ := Version(s.DSN)
	return strings.Contains(version, "MariaDB")
}

// position returns the end of the binary log.
func (s *Server) position() (log string, position int64, err error) {
	err = s.query(func(ctx context.Context, pool *sql.DB) error {
		status := "SHOW BINARY LOG STATUS"
		if s.isMariaDB() {
			status = "SHOW BINLOG STATUS"
		}
		rows, err := pool.QueryContext(ctx, status)
		if err != nil {
			return err
		}
		defer rows.Close()
		columns, err := rows.Columns()
		if err != nil {
			return err
		}
		if !rows.Next() {
			return errors.Join(errors.New("the server has no binary log"), rows.Err())
		}
		values := make([]any, len(columns)) // columns after the second are not used; they differ by engine
		for i := range values {
			values[i] = new(any)
		}
		values[0], values[1] = &log, &position
		return rows.Scan(values...)
	})
	return log, position, err
}

func (s *Server) exec(statements ...string) error {
	return s.query(func(ctx context.Context, pool *sql.DB) (err error) {
		for _, statement := range statements {
			_, failed := pool.ExecContext(ctx, statement)
			err = errors.Join(err, failed)
		}
		return err
	})
}

func (s *Server) query(do func(ctx context.Context, pool *sql.DB) error) error {
	pool, err := sql.Open("mysql", s.DSN)
	if err != nil {
		return err
	}
	defer pool.Close()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	return do(ctx, pool)
}
