-- The provider's own number of a record's state, where it has one that only grows.
ALTER TABLE seen ADD COLUMN revision {integer};
