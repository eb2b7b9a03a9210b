-- Cancellation after confirmation, events, filters, retention.

-- The database's clock for statements that read the same on every engine.
CREATE VIEW clock AS SELECT now_us() AS now_us;

ALTER TABLE orders
    -- Counts the changes of the row: a watcher knows by it what it has seen.
    ADD COLUMN version bigint NOT NULL DEFAULT 0,
    -- Since when a confirmed order is to be cancelled, and why. It stays CONFIRMED until its units are
    -- back; whoever finds this goes on with it.
    ADD COLUMN cancelling_at_us bigint,
    ADD COLUMN cancelling_reason text,

    ADD CONSTRAINT orders_version CHECK (version >= 0),
    ADD CONSTRAINT orders_cancelling
        CHECK ((cancelling_at_us IS NULL) = (cancelling_reason IS NULL)
               AND (cancelling_at_us IS NULL OR status = 'CONFIRMED')),
    ADD CONSTRAINT orders_cancelling_reason_is_a_code
        CHECK (cancelling_reason ~ '^[A-Z0-9_]{1,64}$'),

    -- An order that was cancelled after its confirmation keeps the time of its sale.
    DROP CONSTRAINT orders_confirmed_at,
    ADD CONSTRAINT orders_confirmed_at
        CHECK (status = 'CANCELLED' OR (confirmed_at_us IS NOT NULL) = (status = 'CONFIRMED')),

    DROP CONSTRAINT orders_cancel_reason_is_the_buyers,
    ADD CONSTRAINT orders_cancel_reason_is_the_buyers
        CHECK (cancel_reason IS NULL
               OR (coalesce(reason, cancelling_reason, '') = 'CANCELLED_BY_USER'
                   AND status IN ('CONFIRMED', 'CANCELLED')
                   AND char_length(cancel_reason) <= 200));

CREATE INDEX orders_cancelling ON orders (cancelling_at_us) WHERE cancelling_at_us IS NOT NULL;

-- A buyer's orders of some time, the newest first; the status is in it so that the others are passed
-- over without looking at their rows.
DROP INDEX orders_by_user;
CREATE INDEX orders_by_user ON orders (user_id, created_at_us DESC, id, status);

-- What retention deletes.
CREATE INDEX orders_final ON orders (updated_at_us) WHERE status <> 'PENDING';
CREATE INDEX outbox_by_order ON outbox (order_id);
