-- A sale can be taken back: the order was cancelled after its confirmation.

ALTER TABLE holds
    DROP CONSTRAINT holds_state_check,
    DROP CONSTRAINT released_hold_has_its_reason,
    ADD CONSTRAINT holds_state_check CHECK (state IN ('open', 'sold', 'released', 'returned')),
    ADD CONSTRAINT released_hold_has_its_reason
        CHECK ((state IN ('released', 'returned')) = (reason IS NOT NULL));
