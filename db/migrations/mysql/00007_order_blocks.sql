-- +goose Up
-- By which lists find the orders of a time: between which moments those of a block of 1024 ids were created. A block is there once no
-- order can come into it any more.
CREATE TABLE IF NOT EXISTS order_blocks (
  block    BIGINT      NOT NULL PRIMARY KEY,
  earliest DATETIME(3) NOT NULL,
  latest   DATETIME(3) NOT NULL
) ENGINE = InnoDB DEFAULT CHARSET = utf8mb4 COLLATE = utf8mb4_bin;
