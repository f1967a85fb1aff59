-- The tables beside the records. One statement ends at a line that ends with a semicolon.

-- Small values that must survive: configuration hashes, the head of the audit trail.
CREATE TABLE meta (
  name TEXT NOT NULL PRIMARY KEY,
  value TEXT NOT NULL
) {clustered};

-- Numbers that only grow. `value` is the last one that may have been handed out.
CREATE TABLE sequences (
  name TEXT NOT NULL PRIMARY KEY,
  value {integer} NOT NULL
) {clustered};

-- One narrow row a record: what is needed to tell whether a fetched one is new, changed, the same
-- or older than ours. `ref` is its number in versions and raw; `seq` that of its latest fetch.
CREATE TABLE seen (
  system TEXT NOT NULL,
  entity TEXT NOT NULL,
  id TEXT NOT NULL,
  ref {integer} NOT NULL,
  version {integer} NOT NULL,
  content_hash {blob} NOT NULL,
  source_hash {blob} NOT NULL,
  seq {integer} NOT NULL,
  updated_at TEXT,
  mapping_version TEXT NOT NULL,
  first_seen_at TEXT NOT NULL,
  last_seen_at TEXT NOT NULL,
  PRIMARY KEY (system, entity, id)
) {clustered};

-- Every state a record ever had. `body` is the whole canonical record as JSON, `cause` the run.
CREATE TABLE versions (
  ref {integer} NOT NULL,
  version {integer} NOT NULL,
  known_at TEXT NOT NULL,
  hash {blob} NOT NULL,
  cause TEXT NOT NULL,
  body TEXT NOT NULL,
  PRIMARY KEY (ref, version)
) {plain};

-- The provider's bytes as received, so that a mended mapping needs no new pull.
CREATE TABLE raw (
  ref {integer} NOT NULL PRIMARY KEY,
  body {blob} NOT NULL
) {plain};

-- The history for people and their tools.
CREATE VIEW history AS
  SELECT s.system, s.entity, s.id, v.version, v.known_at, v.cause, v.body
  FROM seen s JOIN versions v ON v.ref = s.ref;

-- Ids of other systems that a record carries, for looking up by value.
CREATE TABLE external_ids (
  system TEXT NOT NULL,
  entity TEXT NOT NULL,
  name TEXT NOT NULL,
  value TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (system, entity, name, value, id)
) {clustered};
CREATE INDEX external_ids_record ON external_ids (system, entity, id);

-- Records that could not be used, with the reason; retried when the mapping changes.
CREATE TABLE quarantine (
  system TEXT NOT NULL,
  entity TEXT NOT NULL,
  id TEXT NOT NULL,
  reason TEXT NOT NULL,
  body {blob} NOT NULL,
  mapping_version TEXT NOT NULL,
  run TEXT NOT NULL,
  first_at TEXT NOT NULL,
  last_at TEXT NOT NULL,
  times {integer} NOT NULL,
  PRIMARY KEY (system, entity, id)
) {plain};

-- How far each system and entity was read. `window_started_at` is set while a pull is under way.
CREATE TABLE cursors (
  system TEXT NOT NULL,
  entity TEXT NOT NULL,
  since TEXT,
  window_started_at TEXT,
  window_since TEXT,
  window_seq {integer},
  resume TEXT NOT NULL,
  full_pull {integer} NOT NULL,
  pages {integer} NOT NULL,
  mapping_version TEXT NOT NULL,
  finished_at TEXT,
  PRIMARY KEY (system, entity)
) {clustered};

-- Which records are the same real thing: one link, its id in each system.
CREATE TABLE links (
  entity TEXT NOT NULL,
  link TEXT NOT NULL,
  system TEXT NOT NULL,
  id TEXT NOT NULL,
  reason TEXT NOT NULL,
  made_at TEXT NOT NULL,
  PRIMARY KEY (entity, system, id)
) {clustered};
CREATE INDEX links_link ON links (entity, link);

-- Possible links that a person must judge. `details` says what speaks for it.
CREATE TABLE candidates (
  id TEXT NOT NULL PRIMARY KEY,
  entity TEXT NOT NULL,
  left_system TEXT NOT NULL,
  left_id TEXT NOT NULL,
  right_system TEXT NOT NULL,
  right_id TEXT NOT NULL,
  reason TEXT NOT NULL,
  details TEXT NOT NULL,
  state TEXT NOT NULL,
  made_at TEXT NOT NULL,
  resolved_at TEXT,
  resolved_by TEXT,
  UNIQUE (entity, left_system, left_id, right_system, right_id)
) {plain};
CREATE INDEX candidates_state ON candidates (state, entity);

-- What golden record and system last agreed on; `fields` is a JSON object.
CREATE TABLE base (
  link TEXT NOT NULL,
  system TEXT NOT NULL,
  fields TEXT NOT NULL,
  agreed_at TEXT NOT NULL,
  PRIMARY KEY (link, system)
) {clustered};

-- What must be decided again. `system` is '' where `id` is a link. `generation` is never reused.
CREATE TABLE marks (
  flow TEXT NOT NULL,
  entity TEXT NOT NULL,
  system TEXT NOT NULL,
  id TEXT NOT NULL,
  generation {integer} NOT NULL,
  marked_at TEXT NOT NULL,
  PRIMARY KEY (flow, entity, system, id)
) {clustered};

CREATE TABLE plans (
  id TEXT NOT NULL PRIMARY KEY,
  made_at TEXT NOT NULL,
  state TEXT NOT NULL,
  run TEXT NOT NULL,
  counts TEXT NOT NULL,
  details TEXT NOT NULL,
  applied_at TEXT
) {plain};
CREATE INDEX plans_made ON plans (made_at);

CREATE TABLE decisions (
  plan TEXT NOT NULL REFERENCES plans (id) ON DELETE CASCADE,
  position {integer} NOT NULL,
  flow TEXT NOT NULL,
  entity TEXT NOT NULL,
  target TEXT NOT NULL,
  action TEXT NOT NULL,
  reason TEXT NOT NULL,
  link TEXT,
  record_id TEXT,
  body TEXT NOT NULL,
  PRIMARY KEY (plan, position)
) {clustered};

-- Writes to make. `key` is the idempotency key; `attempt` is also the fence of a claim.
CREATE TABLE outbox (
  id TEXT NOT NULL PRIMARY KEY,
  position {integer} NOT NULL UNIQUE,
  key TEXT NOT NULL UNIQUE,
  plan TEXT NOT NULL,
  flow TEXT NOT NULL,
  target TEXT NOT NULL,
  entity TEXT NOT NULL,
  action TEXT NOT NULL,
  record_id TEXT,
  link TEXT,
  state TEXT NOT NULL,
  attempt {integer} NOT NULL,
  lease_until TEXT,
  due_at TEXT,
  body TEXT NOT NULL,
  before TEXT,
  error TEXT,
  run TEXT NOT NULL,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  sent_at TEXT,
  settled_at TEXT
) {plain};
CREATE INDEX outbox_state ON outbox (state, target, position);
CREATE INDEX outbox_link ON outbox (entity, link);
CREATE INDEX outbox_record ON outbox (target, entity, record_id);
CREATE INDEX outbox_plan ON outbox (plan, position);

CREATE TABLE runs (
  id TEXT NOT NULL PRIMARY KEY,
  job TEXT NOT NULL,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  state TEXT NOT NULL,
  counts TEXT NOT NULL,
  details TEXT NOT NULL
) {plain};
CREATE INDEX runs_started ON runs (started_at);

-- Append-only and chained: hash = SHA-256(previous hash, this row).
CREATE TABLE audit (
  n {integer} NOT NULL PRIMARY KEY,
  at TEXT NOT NULL,
  actor TEXT NOT NULL,
  action TEXT NOT NULL,
  subject TEXT NOT NULL,
  details TEXT NOT NULL,
  hash {blob} NOT NULL
) {plain};

-- Webhooks as received; a 2xx is answered only after the row is committed.
CREATE TABLE inbox (
  n {integer} NOT NULL PRIMARY KEY,
  system TEXT NOT NULL,
  event_id TEXT NOT NULL,
  received_at TEXT NOT NULL,
  headers TEXT NOT NULL,
  body {blob} NOT NULL,
  state TEXT NOT NULL,
  attempt {integer} NOT NULL,
  error TEXT,
  processed_at TEXT,
  UNIQUE (system, event_id)
) {plain};
CREATE INDEX inbox_state ON inbox (state, n);

-- Work to do, one row a kind and key. Leased; `attempt` fences, `generation` tells new marks.
CREATE TABLE work (
  kind TEXT NOT NULL,
  entity_key TEXT NOT NULL,
  state TEXT NOT NULL,
  due_at TEXT NOT NULL,
  generation {integer} NOT NULL,
  claimed_generation {integer} NOT NULL,
  attempt {integer} NOT NULL,
  failures {integer} NOT NULL,
  lease_until TEXT,
  details TEXT NOT NULL,
  last_error TEXT,
  created_at TEXT NOT NULL,
  updated_at TEXT NOT NULL,
  PRIMARY KEY (kind, entity_key)
) {clustered};
CREATE INDEX work_due ON work (state, due_at);

-- One row a scheduled moment, so that no moment is run twice.
CREATE TABLE slots (
  job TEXT NOT NULL,
  slot_at TEXT NOT NULL,
  state TEXT NOT NULL,
  run TEXT,
  started_at TEXT NOT NULL,
  finished_at TEXT,
  PRIMARY KEY (job, slot_at)
) {clustered};

-- Calls spent of what one credential may make in a window.
CREATE TABLE budgets (
  system TEXT NOT NULL,
  name TEXT NOT NULL,
  window_started_at TEXT NOT NULL,
  used {integer} NOT NULL,
  allowed {integer},
  updated_at TEXT NOT NULL,
  PRIMARY KEY (system, name)
) {clustered};

-- How a pull window proves that nothing is missing.
CREATE TABLE certificates (
  id TEXT NOT NULL PRIMARY KEY,
  system TEXT NOT NULL,
  entity TEXT NOT NULL,
  window_start_at TEXT,
  window_end_at TEXT NOT NULL,
  method TEXT NOT NULL,
  verdict TEXT NOT NULL,
  details TEXT NOT NULL,
  run TEXT NOT NULL,
  made_at TEXT NOT NULL
) {plain};
CREATE INDEX certificates_system ON certificates (system, entity, window_end_at);

-- Mismatches and their lives. `fingerprint` stays the same from day to day.
CREATE TABLE breaks (
  fingerprint TEXT NOT NULL PRIMARY KEY,
  flow TEXT NOT NULL,
  kind TEXT NOT NULL,
  entity TEXT NOT NULL,
  left_system TEXT NOT NULL,
  right_system TEXT NOT NULL,
  left_id TEXT,
  right_id TEXT,
  link TEXT,
  state TEXT NOT NULL,
  severity TEXT NOT NULL,
  currency TEXT,
  effect_minor {integer} NOT NULL,
  fields TEXT NOT NULL,
  cause TEXT NOT NULL,
  assignee TEXT,
  note TEXT,
  waived_until TEXT,
  first_seen TEXT NOT NULL,
  last_seen TEXT NOT NULL,
  resolved_at TEXT,
  resolved_by TEXT,
  run TEXT NOT NULL
) {plain};
CREATE INDEX breaks_state ON breaks (state, flow);
CREATE INDEX breaks_left ON breaks (left_system, entity, left_id);
CREATE INDEX breaks_right ON breaks (right_system, entity, right_id);

-- Signed statements that a period ties out.
CREATE TABLE closes (
  period TEXT NOT NULL,
  flow TEXT NOT NULL,
  state TEXT NOT NULL,
  closed_at TEXT NOT NULL,
  closed_by TEXT NOT NULL,
  totals TEXT NOT NULL,
  note TEXT NOT NULL,
  hash {blob} NOT NULL,
  PRIMARY KEY (period, flow)
) {clustered};
