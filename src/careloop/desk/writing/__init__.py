"""While somebody writes: drafts kept on the server, who else is on the case, and replies that wait a moment for second thoughts."""
