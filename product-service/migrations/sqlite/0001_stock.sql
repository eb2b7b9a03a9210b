-- Products, deals, stock and holds, as in ../postgres. Ids are their 16 bytes.
--
-- Times are microseconds since 1970 (`_us`). `clock` decides about deadlines and windows: the clock of
-- this machine, which has one process here, read anew by each statement.
--
-- The constraints stand behind the code: whatever it does, no figure falls below zero, no unit
-- appears or vanishes, and no buyer exceeds the limit.

CREATE VIEW clock AS SELECT CAST(round(unixepoch('now', 'subsec') * 1000) AS INTEGER) * 1000 AS now_us;

CREATE TABLE products (
    id            BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    name          TEXT    NOT NULL,
    description   TEXT    NOT NULL,
    category      TEXT    NOT NULL,
    price_minor   INTEGER NOT NULL CHECK (price_minor >= 0),
    created_at_us INTEGER NOT NULL,
    updated_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX products_newest ON products (created_at_us DESC, id);
CREATE INDEX products_by_category ON products (category, created_at_us DESC, id);

CREATE TABLE deals (
    id               BLOB    NOT NULL PRIMARY KEY CHECK (length(id) = 16),
    product_id       BLOB    NOT NULL REFERENCES products (id),
    -- Deals of a product are numbered from 1 as they open; the gate is told the number with every script.
    number           INTEGER CHECK (number >= 1),
    status           TEXT    NOT NULL
        CONSTRAINT deals_status_check CHECK (status IN ('scheduled', 'running', 'paused', 'ended')),
    unit_price_minor INTEGER NOT NULL CHECK (unit_price_minor >= 0),
    per_user_limit   INTEGER CHECK (per_user_limit >= 1),
    starts_at_us     INTEGER NOT NULL,
    ends_at_us       INTEGER CHECK (ends_at_us > starts_at_us),
    ended_at_us      INTEGER,
    -- Units it was to open with; it opened with fewer if its shelf had fewer.
    planned          INTEGER NOT NULL,
    initial          INTEGER NOT NULL CONSTRAINT deals_initial_check CHECK (initial >= 0),
    restocked        INTEGER NOT NULL DEFAULT 0 CONSTRAINT deals_restocked_check CHECK (restocked >= 0),
    available        INTEGER NOT NULL CONSTRAINT deals_available_check CHECK (available >= 0),
    held             INTEGER NOT NULL DEFAULT 0 CONSTRAINT deals_held_check CHECK (held >= 0),
    sold             INTEGER NOT NULL DEFAULT 0 CONSTRAINT deals_sold_check CHECK (sold >= 0),
    written_off      INTEGER NOT NULL DEFAULT 0 CONSTRAINT deals_written_off_check CHECK (written_off >= 0),
    returned         INTEGER NOT NULL DEFAULT 0 CONSTRAINT deals_returned_check CHECK (returned >= 0),
    -- What a gate is owed; it only grows. See docs/architecture.md.
    owed             INTEGER NOT NULL DEFAULT 0 CONSTRAINT deals_owed_check CHECK (owed >= 0),
    UNIQUE (product_id, number),
    CONSTRAINT deal_sum CHECK (initial + restocked = available + held + sold + written_off + returned),
    CONSTRAINT ended_deal_is_empty CHECK (status <> 'ended' OR available = 0),
    CONSTRAINT ended_deal_has_its_time CHECK ((status = 'ended') = (ended_at_us IS NOT NULL)),
    CONSTRAINT opened_with_at_most_what_was_planned CHECK (initial <= planned),
    CONSTRAINT numbered_once_it_opens CHECK (
        CASE status
            WHEN 'scheduled' THEN number IS NULL
            WHEN 'ended' THEN number IS NOT NULL OR initial + restocked = 0
            ELSE number IS NOT NULL
        END),
    CONSTRAINT scheduled_deal_is_empty CHECK (status <> 'scheduled' OR initial + restocked = 0)
) STRICT, WITHOUT ROWID;
CREATE UNIQUE INDEX one_open_deal_per_product ON deals (product_id) WHERE status IN ('running', 'paused');
CREATE INDEX deals_open ON deals (status) WHERE status IN ('scheduled', 'running', 'paused');
CREATE INDEX deals_by_product ON deals (product_id, id DESC);
CREATE INDEX deals_by_status ON deals (status, id DESC);

-- Stock outside deals, apart from the catalogue row, so that selling and editing do not meet.
CREATE TABLE shelves (
    product_id  BLOB    NOT NULL PRIMARY KEY REFERENCES products (id),
    -- The running or paused deal, which then sells in the shelf's place.
    deal_id     BLOB    REFERENCES deals (id),
    initial     INTEGER NOT NULL CONSTRAINT shelves_initial_check CHECK (initial >= 0),
    -- Units added by hand or come back from a deal.
    restocked   INTEGER NOT NULL DEFAULT 0 CONSTRAINT shelves_restocked_check CHECK (restocked >= 0),
    available   INTEGER NOT NULL CONSTRAINT shelves_available_check CHECK (available >= 0),
    held        INTEGER NOT NULL DEFAULT 0 CONSTRAINT shelves_held_check CHECK (held >= 0),
    sold        INTEGER NOT NULL DEFAULT 0 CONSTRAINT shelves_sold_check CHECK (sold >= 0),
    -- Units taken away by hand.
    written_off INTEGER NOT NULL DEFAULT 0 CONSTRAINT shelves_written_off_check CHECK (written_off >= 0),
    -- Units handed over to a deal.
    returned    INTEGER NOT NULL DEFAULT 0 CONSTRAINT shelves_returned_check CHECK (returned >= 0),
    CONSTRAINT shelf_sum CHECK (initial + restocked = available + held + sold + written_off + returned)
) STRICT, WITHOUT ROWID;

-- One row per order id: an open hold, how it ended, or a tombstone that keeps the id from taking.
CREATE TABLE holds (
    order_id      BLOB    NOT NULL PRIMARY KEY CHECK (length(order_id) = 16),
    -- Absent in a tombstone.
    user_id       BLOB    CHECK (length(user_id) = 16),
    state         TEXT    NOT NULL CHECK (state IN ('open', 'sold', 'released', 'returned')),
    -- Why it was released, or taken back.
    reason        TEXT,
    -- [{"product_id","deal_id","name","quantity","unit_price"}], sorted by product; empty in a tombstone.
    lines         TEXT    NOT NULL CHECK (json_valid(lines)),
    created_at_us INTEGER NOT NULL,
    expires_at_us INTEGER NOT NULL,
    ended_at_us   INTEGER,
    CONSTRAINT ended_hold_has_its_time CHECK ((state = 'open') = (ended_at_us IS NULL)),
    CONSTRAINT released_hold_has_its_reason CHECK ((state IN ('released', 'returned')) = (reason IS NOT NULL)),
    CONSTRAINT tombstone_holds_nothing CHECK (user_id IS NOT NULL OR (state = 'released' AND lines = '[]'))
) STRICT;
CREATE INDEX holds_open_by_expiry ON holds (expires_at_us) WHERE state = 'open';
CREATE INDEX holds_ended_by_age ON holds (ended_at_us) WHERE ended_at_us IS NOT NULL;

-- Units of a deal that a buyer holds or has bought; only where the deal has a limit.
CREATE TABLE deal_buyers (
    deal_id        BLOB    NOT NULL REFERENCES deals (id),
    user_id        BLOB    NOT NULL,
    units          INTEGER NOT NULL,
    per_user_limit INTEGER NOT NULL,
    PRIMARY KEY (deal_id, user_id),
    CONSTRAINT buyer_limit CHECK (units BETWEEN 0 AND per_user_limit)
) STRICT, WITHOUT ROWID;

-- Batches of a gate and transactions of the ledger, each recorded once: taken or void.
CREATE TABLE batches (
    id             BLOB    NOT NULL PRIMARY KEY,
    is_void        INTEGER NOT NULL CHECK (is_void IN (0, 1)),
    recorded_at_us INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX batches_by_age ON batches (recorded_at_us);
