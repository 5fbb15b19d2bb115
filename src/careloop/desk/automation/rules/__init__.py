"""What rules and macros mean: conditions, checks, choice of candidates, loop guard, variables of texts. Plain Python."""
