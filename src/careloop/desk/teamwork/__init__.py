"""Working together on a case: tasks, followers, mentions, tags, custom fields, saved views, reminders, shared links."""
