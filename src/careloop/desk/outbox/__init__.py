"""What must leave the house: written with the reply, sent after commit, at least once."""
