"""Starting sets for a trade: categories, calendar, promised times, flows and first solutions in both languages."""
