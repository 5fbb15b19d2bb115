"""Watching figures: control charts, alarms with the cases behind them."""
