"""Roles and what each may do: plain Python, one table."""

from dataclasses import dataclass, field, replace

OWNER, SUPERVISOR, AGENT, ANALYST = "OWNER", "SUPERVISOR", "AGENT", "ANALYST"

EVERYBODY_MAY = frozenset(
    {"case.view", "customer.view", "feedback.view", "flow.view", "routing.view", "rule.view", "sla.view", "solution.view"}
)
AGENT_MAY = EVERYBODY_MAY | {"case.work"}
SUPERVISOR_MAY = (
    AGENT_MAY
    | {"case.approve", "customer.edit", "flow.edit", "import.run", "job.retry", "job.view", "model.view", "report.view", "routing.edit"}
    | {"comparison.edit", "comparison.view", "dashboard.share"}
    | {"rule.edit", "sla.edit", "solution.edit", "survey.edit", "survey.view", "taxonomy.edit", "topic.edit"}
)
ANALYST_MAY = (
    EVERYBODY_MAY
    | {"comparison.edit", "comparison.view", "import.run", "job.view", "model.view", "report.view"}
    | {"survey.edit", "survey.view", "topic.edit"}
)
OWNER_MAY = SUPERVISOR_MAY | ANALYST_MAY | {"audit.view", "user.edit", "key.edit", "channel.edit"}

PERMISSIONS: dict[str, frozenset[str]] = {
    OWNER: OWNER_MAY,
    SUPERVISOR: SUPERVISOR_MAY,
    AGENT: AGENT_MAY,
    ANALYST: ANALYST_MAY,
}
SEES_EVERY_TEAM = frozenset({OWNER, ANALYST})


@dataclass(frozen=True)
class Viewer:
    """A signed-in person as every query and action sees them; `team_ids` None means every team."""

    user_id: int
    name: str
    role: str
    team_ids: frozenset[int] | None
    permissions: frozenset[str] = field(default_factory=frozenset)
    kind: str = "user"  # "rule" for a rule of the house that acts by itself; its number is no person's

    @property
    def person_id(self) -> int | None:
        """The number of the person, or None where nobody acts in person."""
        return self.user_id if self.kind == "user" else None

    def may(self, permission: str) -> bool:
        """Whether the role grants `permission`, such as "case.work"."""
        return permission in self.permissions

    def sees_team(self, team_id: int) -> bool:
        """Whether rows of this team are in the viewer's sight."""
        return self.team_ids is None or team_id in self.team_ids

    def seeing(self, team_id: int) -> "Viewer":
        """The same viewer with this team in sight, to end on a case what they began while they saw it."""
        return self if self.team_ids is None else replace(self, team_ids=self.team_ids | {team_id})
