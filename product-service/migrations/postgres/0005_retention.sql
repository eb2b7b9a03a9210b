-- What is deleted is found by its age.

CREATE INDEX holds_ended_by_age ON holds (ended_at_us) WHERE ended_at_us IS NOT NULL;
CREATE INDEX batches_by_age ON batches (recorded_at_us);
