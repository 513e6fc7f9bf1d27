-- +goose Up
-- By which lists find the orders of a time: between which moments those of a block of 1024 ids were created. A block is there once no
-- order can come into it any more.
CREATE TABLE order_blocks (
  block    INTEGER  PRIMARY KEY,
  earliest DATETIME NOT NULL,
  latest   DATETIME NOT NULL
);
