-- +goose Up
-- The feed: an event gets its position, counted over all events, and its position among its customer's events after it was committed;
-- null until then. Each number is given once, without gaps. The index on customer_id and id served no query.
ALTER TABLE events ADD COLUMN position INTEGER NULL;
ALTER TABLE events ADD COLUMN customer_position INTEGER NULL;
CREATE INDEX ix_events_position ON events (position);
CREATE UNIQUE INDEX uq_events_customer_position ON events (customer_id, customer_position);

DROP INDEX ix_events_customer;

-- How far the positions have come, and up to which position the events were deleted: in row 0 of all events, in the other rows of a
-- customer's. The rows stay when events are deleted, so that no number is given again. Row 0 has the time of the latest deleted event:
-- what is older may lack events. It also has the time at which the first position was given.
CREATE TABLE event_positions (
  customer_id     INTEGER PRIMARY KEY,
  last_position   INTEGER NOT NULL,
  pruned_position INTEGER NOT NULL DEFAULT 0,
  pruned_until    DATETIME NULL,
  begun_at        DATETIME NULL
);
