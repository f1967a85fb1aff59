"""Moving records: pull, link, golden, decide, plan, guard, apply; and reconciling them."""
