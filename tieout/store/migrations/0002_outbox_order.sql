-- The writes of one link in one target, in order: a claim asks for an older open one of each
-- record, a plan for the latest.
DROP INDEX outbox_link;
CREATE INDEX outbox_link ON outbox (link, entity, target, position);
-- What was settled since yesterday, for the daily report.
CREATE INDEX outbox_settled ON outbox (state, settled_at);
