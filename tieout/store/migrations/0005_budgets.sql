-- One row a credential: what all workers together may still call. `state` is one JSON document,
-- read and replaced as a whole; `turn` grows with each change, so that none is lost.
DROP TABLE budgets;
CREATE TABLE budgets (
  credential TEXT NOT NULL PRIMARY KEY,
  turn {integer} NOT NULL,
  state TEXT NOT NULL,
  updated_at TEXT NOT NULL
) {clustered};
