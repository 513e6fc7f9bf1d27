-- +goose Up
-- The feed: an event gets its position, counted over all events, and its position among its customer's events after it was committed;
-- null until then. Each number is given once, without gaps. The index on position is not unique, because MariaDB would sort all events
-- without a position to find the first; on TiDB it also has created_at, because there they get positions in that order. The index on
-- customer_id and id served no query. Each statement can be run again: see 00002.
SET @statement = IF((SELECT COUNT(*) FROM information_schema.columns WHERE table_schema = DATABASE() AND table_name = 'events' AND column_name = 'position') > 0, 'DO 0',
  'ALTER TABLE events ADD COLUMN position BIGINT NULL, ADD COLUMN customer_position BIGINT NULL');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'events' AND index_name = 'ix_events_position') > 0, 'DO 0',
  'CREATE INDEX ix_events_position ON events (position /*T!, created_at */)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'events' AND index_name = 'uq_events_customer_position') > 0, 'DO 0',
  'CREATE UNIQUE INDEX uq_events_customer_position ON events (customer_id, customer_position)');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

SET @statement = IF((SELECT COUNT(*) FROM information_schema.statistics WHERE table_schema = DATABASE() AND table_name = 'events' AND index_name = 'ix_events_customer') = 0, 'DO 0',
  'DROP INDEX ix_events_customer ON events');
PREPARE step FROM @statement;
EXECUTE step;
DEALLOCATE PREPARE step;

-- How far the positions have come, and up to which position the events were deleted: in row 0 of all events, in the other rows of a
-- customer's. The rows stay when events are deleted, so that no number is given again. Row 0 has the time of the latest deleted event:
-- what is older may lack events. It also has the time at which the first position was given.
CREATE TABLE IF NOT EXISTS event_positions (
  customer_id     BIGINT NOT NULL PRIMARY KEY,
  last_position   BIGINT NOT NULL,
  pruned_position BIGINT NOT NULL DEFAULT 0,
  pruned_until    DATETIME(3) NULL,
  begun_at        DATETIME(3) NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
