"""The outside world, one folder a kind: parse(raw) -> Inbound and send(outgoing); no database here."""
