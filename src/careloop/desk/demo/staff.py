"""The sample house's teams, channels and people; made with the same actions that an owner uses."""

from dataclasses import dataclass
from datetime import datetime

from careloop.desk.accounts import actions as accounts
from careloop.desk.accounts.models import Channel, Team, User
from careloop.desk.kernel.actor import SYSTEM

TEAMS = {"shop": "售后 After-sales", "bank": "银行 Banking", "travel": "旅行 Travel"}
CHANNELS = {
    "EMAIL": ("mail", "邮箱 E-mail"),
    "FORM": ("form", "表单 Web form"),
    "API": ("app", "应用 App"),
    "FILE": ("reviews", "评价导入 Reviews"),
}
PEOPLE = (
    ("owner", "沈知远", "OWNER", ()),
    ("supervisor", "Miriam Vale", "SUPERVISOR", ("shop", "bank", "travel")),
    ("analyst", "Jonas Wieland", "ANALYST", ()),
    ("agent", "苏晴", "AGENT", ("shop",)),
    ("daniel", "Daniel Reed", "AGENT", ("shop",)),
    ("qiao", "乔安", "AGENT", ("shop",)),
    ("peng", "彭磊", "AGENT", ("shop", "travel")),
    ("fang", "方琳", "AGENT", ("bank",)),
    ("ruth", "Ruth Allister", "AGENT", ("bank",)),
    ("tian", "田一舟", "AGENT", ("bank",)),
    ("leila", "Leila Haddad", "AGENT", ("travel",)),
    ("bai", "白露", "AGENT", ("travel",)),
)


@dataclass(frozen=True)
class House:
    """Who and what the samples refer to; `agents` by trade, `channels` by (trade, kind)."""

    teams: dict[str, Team]
    channels: dict[tuple[str, str], Channel]
    supervisor: User
    agents: dict[str, list[User]]
    sign_ins: list[tuple[str, str, str]]


def found_house(*, password: str, now: datetime) -> House:
    """Make teams, channels and people, all with one password, in the caller's transaction."""
    teams = {trade: accounts.create_team(name=name, actor=SYSTEM, now=now) for trade, name in TEAMS.items()}
    channels = {
        (trade, kind): accounts.create_channel(
            kind=kind, name=f"{TEAMS[trade].split()[0]}{name}", slug=f"{trade}-{slug}", team_id=team.pk, actor=SYSTEM, now=now
        )
        for trade, team in teams.items()
        for kind, (slug, name) in CHANNELS.items()
    }
    people: dict[str, User] = {}
    agents: dict[str, list[User]] = {trade: [] for trade in TEAMS}
    for mailbox, name, role, trades in PEOPLE:
        user = accounts.create_user(
            email=f"{mailbox}@example.com",
            display_name=name,
            role=role,
            team_ids=[teams[trade].pk for trade in trades],
            password=password,
            actor=SYSTEM,
            now=now,
        )
        people[mailbox] = user
        if role == "AGENT":
            for trade in trades:
                agents[trade].append(user)
    shown = ("owner", "supervisor", "agent", "analyst")
    sign_ins = [(str(people[mailbox].get_role_display()), people[mailbox].email, password) for mailbox in shown]
    return House(teams, channels, people["supervisor"], agents, sign_ins)
