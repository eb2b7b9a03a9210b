-- Products, deals, stock and holds.
--
-- Times are microseconds since 1970 (`_us`), so that a statement reads the same on every engine.
-- `now_us()` is the clock that decides about deadlines and windows: the database's.
--
-- The constraints stand behind the code: whatever it does, no figure falls below zero, no unit
-- appears or vanishes, and no buyer exceeds the limit.

CREATE FUNCTION now_us() RETURNS bigint LANGUAGE sql VOLATILE PARALLEL SAFE
    AS $$ SELECT (extract(epoch FROM clock_timestamp()) * 1000000)::bigint $$;

CREATE TABLE products (
    id            uuid   PRIMARY KEY,
    name          text   NOT NULL,
    description   text   NOT NULL,
    category      text   NOT NULL,
    price_minor   bigint NOT NULL CHECK (price_minor >= 0),
    created_at_us bigint NOT NULL,
    updated_at_us bigint NOT NULL
);
CREATE INDEX products_newest ON products (created_at_us DESC, id);
CREATE INDEX products_by_category ON products (category, created_at_us DESC, id);

CREATE TABLE deals (
    id               uuid   PRIMARY KEY,
    product_id       uuid   NOT NULL REFERENCES products (id),
    -- Deals of a product are numbered from 1; the gate is told the number with every script.
    number           bigint NOT NULL CHECK (number >= 1),
    status           text   NOT NULL CHECK (status IN ('scheduled', 'running', 'paused', 'ended')),
    unit_price_minor bigint NOT NULL CHECK (unit_price_minor >= 0),
    per_user_limit   bigint CHECK (per_user_limit >= 1),
    starts_at_us     bigint NOT NULL,
    ends_at_us       bigint CHECK (ends_at_us > starts_at_us),
    ended_at_us      bigint,
    initial          bigint NOT NULL CHECK (initial >= 0),
    restocked        bigint NOT NULL DEFAULT 0 CHECK (restocked >= 0),
    available        bigint NOT NULL CHECK (available >= 0),
    held             bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    sold             bigint NOT NULL DEFAULT 0 CHECK (sold >= 0),
    written_off      bigint NOT NULL DEFAULT 0 CHECK (written_off >= 0),
    returned         bigint NOT NULL DEFAULT 0 CHECK (returned >= 0),
    -- What the gate is owed; it only grows. See docs/architecture.md.
    owed             bigint NOT NULL DEFAULT 0 CHECK (owed >= 0),
    UNIQUE (product_id, number),
    CONSTRAINT deal_sum CHECK (initial + restocked = available + held + sold + written_off + returned),
    CONSTRAINT ended_deal_is_empty CHECK (status <> 'ended' OR available = 0),
    CONSTRAINT ended_deal_has_its_time CHECK ((status = 'ended') = (ended_at_us IS NOT NULL))
) WITH (fillfactor = 50);
CREATE UNIQUE INDEX one_open_deal_per_product ON deals (product_id) WHERE status IN ('running', 'paused');
CREATE INDEX deals_open ON deals (status) WHERE status IN ('scheduled', 'running', 'paused');

-- Stock outside deals, apart from the catalogue row, so that selling and editing do not meet.
CREATE TABLE shelves (
    product_id  uuid   PRIMARY KEY REFERENCES products (id),
    -- The running or paused deal, which then sells in the shelf's place.
    deal_id     uuid   REFERENCES deals (id),
    initial     bigint NOT NULL CHECK (initial >= 0),
    -- Units added by hand or come back from a deal.
    restocked   bigint NOT NULL DEFAULT 0 CHECK (restocked >= 0),
    available   bigint NOT NULL CHECK (available >= 0),
    held        bigint NOT NULL DEFAULT 0 CHECK (held >= 0),
    sold        bigint NOT NULL DEFAULT 0 CHECK (sold >= 0),
    -- Units taken away by hand.
    written_off bigint NOT NULL DEFAULT 0 CHECK (written_off >= 0),
    -- Units handed over to a deal.
    returned    bigint NOT NULL DEFAULT 0 CHECK (returned >= 0),
    CONSTRAINT shelf_sum CHECK (initial + restocked = available + held + sold + written_off + returned)
) WITH (fillfactor = 50);

-- One row per order id: an open hold, how it ended, or a tombstone that keeps the id from taking.
CREATE TABLE holds (
    order_id      uuid   PRIMARY KEY,
    -- Absent in a tombstone.
    user_id       uuid,
    state         text   NOT NULL CHECK (state IN ('open', 'sold', 'released')),
    -- Why it was released.
    reason        text,
    -- [{"product_id","deal_id","name","quantity","unit_price"}], sorted by product; empty in a tombstone.
    lines         jsonb  NOT NULL,
    created_at_us bigint NOT NULL,
    expires_at_us bigint NOT NULL,
    ended_at_us   bigint,
    CONSTRAINT ended_hold_has_its_time CHECK ((state = 'open') = (ended_at_us IS NULL)),
    CONSTRAINT released_hold_has_its_reason CHECK ((state = 'released') = (reason IS NOT NULL)),
    CONSTRAINT tombstone_holds_nothing CHECK (user_id IS NOT NULL OR (state = 'released' AND lines = '[]'))
);
CREATE INDEX holds_open_by_expiry ON holds (expires_at_us) WHERE state = 'open';

-- Units of a deal that a buyer holds or has bought; only where the deal has a limit.
CREATE TABLE deal_buyers (
    deal_id        uuid   NOT NULL REFERENCES deals (id),
    user_id        uuid   NOT NULL,
    units          bigint NOT NULL,
    per_user_limit bigint NOT NULL,
    PRIMARY KEY (deal_id, user_id),
    CONSTRAINT buyer_limit CHECK (units BETWEEN 0 AND per_user_limit)
);

-- Batches of the gate and transactions of the ledger, each recorded once: taken or void.
CREATE TABLE batches (
    id             uuid    PRIMARY KEY,
    is_void        boolean NOT NULL,
    recorded_at_us bigint  NOT NULL
);
