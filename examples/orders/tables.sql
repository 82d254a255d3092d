-- The tables of the orders. Run it once, before the stages courier and store run:
--
--   psql "$DATABASE" -f examples/orders/tables.sql
--
-- message_id is what makes a repeated message change nothing. position tells in
-- which order rows came.
CREATE TABLE IF NOT EXISTS lines (
	message_id text PRIMARY KEY,
	position   bigint GENERATED ALWAYS AS IDENTITY,
	customer   text NOT NULL,
	number     integer NOT NULL,
	line       integer NOT NULL,
	article    text NOT NULL,
	quantity   integer NOT NULL,
	express    boolean NOT NULL,
	cents      bigint NOT NULL
);

-- What the courier is to take: the lines of express orders.
CREATE TABLE IF NOT EXISTS shipments (LIKE lines INCLUDING ALL);
