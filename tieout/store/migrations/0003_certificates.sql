-- The first version's table was never written to.
DROP TABLE certificates;

-- How we know that a pull window brought everything. `evidence` is JSON: what each look said.
CREATE TABLE certificates (
  system TEXT NOT NULL,
  entity TEXT NOT NULL,
  began_at TEXT NOT NULL,
  since TEXT,
  issued_at TEXT NOT NULL,
  run TEXT NOT NULL,
  verdict TEXT NOT NULL,
  told TEXT NOT NULL,
  evidence TEXT NOT NULL,
  PRIMARY KEY (system, entity, began_at)
) {plain};

-- The ids that a provider lists while a window is proven; empty at other times.
CREATE TABLE listed (
  system TEXT NOT NULL,
  entity TEXT NOT NULL,
  id TEXT NOT NULL,
  PRIMARY KEY (system, entity, id)
) {clustered};
