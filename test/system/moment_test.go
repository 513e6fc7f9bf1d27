package system_test

import (
	"database/sql"
	"math/rand/v2"
	"net/url"
	"syscall"
	"time"

	"example.com/b2b/v2/db"
)

// strike kills a victim at once or at a chosen moment. For a process that sequences and sends events, it
// waits in one of three cases for a webhook under way, and in one of three for a transaction of the
// sequencer. For the database, it waits in two of three cases until a follower has got an event, because the
// position of the event may not be on the disk yet. If the moment does not come within momentWait, strike
// kills without it.
func (c *chaos) strike(v *victim, kill func() error) error {
	switch moment := rand.IntN(3); {
	case v.now.Load() == nil && moment > 0:
		select {
		case <-c.seen:
			c.afterSeen++
		case <-time.After(momentWait):
		}
	case v.sends && moment == 1:
		return c.duringWebhook(kill)
	case v.sends && moment == 2:
		return c.duringSequencing(v, kill)
	}
	return kill()
}

// momentWait is the longest time for which a kill waits for its moment.
const momentWait = 2 * time.Second

func (c *chaos) duringWebhook(kill func() error) error {
	select {
	case f := <-c.flights:
		defer close(f.over)
		if err := kill(); err != nil {
			return err
		}
		select {
		case <-f.cut:
			c.cut++
		// The connection stays open when another instance, which still runs, sends the message.
		case <-time.After(momentWait / 4):
		}
		return nil
	case <-time.After(momentWait):
	}
	return kill()
}

func (c *chaos) duringSequencing(v *victim, kill func() error) error {
	p := v.now.Load()
	for deadline := time.Now().Add(momentWait); time.Now().Before(deadline); c.pause(time.Millisecond) {
		if !c.sequencing(0) {
			continue
		}
		if err := p.Signal(syscall.SIGSTOP); err != nil {
			return err
		}
		// A running process would have committed by now, so the stopped process holds the lock.
		if c.sequencing(time.Second) {
			c.sequenced++
			return kill()
		}
		if err := p.Signal(syscall.SIGCONT); err != nil {
			return err
		}
	}
	return kill()
}

// watchSequencer sets the field sequencing, by means of the function held. SQLite runs one writing
// transaction at a time, so on SQLite the field reports any transaction that writes.
func (c *chaos) watchSequencer(config db.Config) {
	if config.Driver == db.SQLite {
		const writer = "_txlock=immediate&_pragma=busy_timeout(0)"
		file := url.URL{Scheme: "file", Opaque: (&url.URL{Path: config.Path}).EscapedPath(), RawQuery: writer}
		pool, err := sql.Open("sqlite", file.String())
		if err != nil {
			c.t.Fatal(err)
		}
		c.t.Cleanup(func() { pool.Close() })
		c.sequencing = func(time.Duration) bool {
			tx, err := pool.BeginTx(c.ctx, nil)
			if err == nil {
				err = tx.Rollback()
			}
			return err != nil
		}
		return
	}
	g, err := db.Open(c.ctx, config)
	if err != nil {
		c.t.Fatal(err)
	}
	c.t.Cleanup(func() { db.Close(g) })
	c.sequencing = func(wait time.Duration) bool { return held(c.ctx, g, wait) }
}
