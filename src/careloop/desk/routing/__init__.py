"""Who works on what: skills, availability, capacity, and the assignment of waiting cases, each with its reason."""
