"""Figures in words, for pages; the words stand below the screens because reports are mailed, too."""

from careloop.desk.reports.words import DEFINITIONS, GROUP_NAMES, NAMES, REPORT_NAMES, group_names, period_words, say, say_interval, span

__all__ = ["DEFINITIONS", "GROUP_NAMES", "NAMES", "REPORT_NAMES", "group_names", "period_words", "say", "say_interval", "span"]
