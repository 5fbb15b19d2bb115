"""The operation that the first migrations make their tables with. Later migrations use Django's own."""

from typing import Any

from django.db.migrations import CreateModel
from django.db.migrations.state import ProjectState


class CreateTable(CreateModel):
    """CreateModel for a table that no earlier one points at: only its own model is rendered; Django renders all related ones again."""

    def state_forwards(self, app_label: str, state: ProjectState) -> None:
        """Add the model to the state and, if models are rendered, to these."""
        rendered: Any = state.__dict__.pop("apps", None)
        super().state_forwards(app_label, state)
        if rendered is not None:
            state.__dict__["apps"] = rendered
            rendered.render_multiple([state.models[app_label, self.name_lower]])
