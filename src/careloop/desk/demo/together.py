"""What the house notes of its cases, and who works on some of them together."""

from datetime import datetime, timedelta
from typing import Any

from careloop.desk.accounts.queries import viewer_of
from careloop.desk.cases.models import Case
from careloop.desk.demo.staff import House
from careloop.desk.teamwork.case_tasks import NewTask, add_task
from careloop.desk.teamwork.following import follow
from careloop.desk.teamwork.saved_views import save_template, save_view
from careloop.desk.teamwork.tags import add_definition, set_tag

WORKED_ON = 12
TASKS = (
    ("查批次记录 · Look up the batch", "仓库 · Warehouse"),
    ("核对退款 · Check the refund", "财务 · Finance"),
    ("回访客户 · Call the customer back", ""),
)
RECALL = "\n".join(f"{title} | {department} | {days}" for (title, department), days in zip(TASKS, (1, 2, 7), strict=True))


def work_together(house: House, *, now: datetime) -> None:
    """Two fields, a set of tasks, a team's view; tasks, tags and followers on the newest complaints."""
    supervisor = viewer_of(house.supervisor)
    facts: dict[str, Any] = {"viewer": supervisor, "now": now}
    add_definition(name="Batch", name_zh="批次", kind="TEXT", choices=[], **facts)
    add_definition(
        name="Agreed remedy", name_zh="补救方式", kind="CHOICE", choices=["退款 Refund", "换货 Exchange", "维修 Repair"], **facts
    )
    save_template(name="质量问题跟进 · Follow-up of a defect", lines=RECALL, **facts)
    teams = house.supervisor.teams.order_by("pk")
    save_view(name="质量问题 · Defects", query="view=all&tag=defect", team_id=teams[0].pk if teams else None, **facts)
    complaints = Case.objects.visible_to(supervisor).filter(status="OPEN", kind="COMPLAINT").order_by("-last_message_at")
    for place, case in enumerate(complaints[:WORKED_ON]):
        title, department = TASKS[place % len(TASKS)]
        due_at = now + timedelta(hours=6 * (place + 1))
        person = None if department else house.supervisor.pk
        add_task(case_id=case.pk, new=NewTask(title, department, assignee_id=person, due_at=due_at), **facts)
        set_tag(case_id=case.pk, name="defect" if place % 2 else "vip", **facts)
        follow(case_id=case.pk, **facts)
