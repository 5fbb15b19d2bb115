"""The API as a whole."""

from ninja import NinjaAPI

import careloop
from careloop.desk.api import (
    case_teams,
    cases,
    comparisons,
    figures,
    flows,
    health,
    messages,
    purchases,
    report_lines,
    solutions,
    surveys,
    work_time,
)
from careloop.desk.api.errors import install_error_answers
from careloop.desk.api.keys import ApiKeyAuth

DESCRIPTION = """Deliver what customers say, fetch replies, look at cases, take their steps. A key belongs to one channel; an owner makes
keys under Settings, API keys. Every refusal is `{"error": {"code", "message", "field"}}`."""

api = NinjaAPI(
    title="Careloop", version=careloop.__version__, description=DESCRIPTION, docs_url=None, auth=ApiKeyAuth(), urls_namespace="api"
)
install_error_answers(api)
for part in (messages, cases, case_teams, work_time, figures, report_lines, comparisons, flows, solutions, surveys, purchases, health):
    api.add_router("", part.router)
