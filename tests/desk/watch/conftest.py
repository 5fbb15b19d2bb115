"""A house whose facts stand in the tables as if they had been counted: so many cases a day, answered and rated."""

from datetime import UTC, datetime, time, timedelta

import numpy as np
import pytest

from careloop.desk.measures.models import AnswerFact, CaseFact, Facets, Ledger

TODAY = datetime(2026, 5, 4, 6, 0, tzinfo=UTC).date()
DAYS = 120


class Past:
    """Writes facts of days before today; `factor` multiplies the cases of the last days."""

    def __init__(self, cast, now):
        self.facets = {team.pk: Facets.objects.create(team_id=team.pk, channel_id=cast.channel.pk) for team in (cast.team, cast.other_team)}
        self.cast, self.now, self.number = cast, now, 0

    def write(self, *, team=None, a_day=12.0, factor=1.0, days=1, seed=1, history=DAYS):
        rng = np.random.default_rng(seed)
        facets = self.facets[(team or self.cast.team).pk]
        cases, answers = [], []
        for back in range(history, 0, -1):
            day = TODAY - timedelta(days=back)
            second = int(datetime.combine(day, time(9), UTC).timestamp())
            for _case in range(rng.poisson(a_day * (factor if back <= days else 1.0))):
                self.number += 1
                wait = int(rng.lognormal(7.5, 1.0))
                cases.append(
                    CaseFact(
                        case_id=100_000 + self.number, facets=facets, known_from=self.now, opened_on=day.toordinal(), opened_second=second,
                        response_seconds=wait, is_response_late=wait > 3600, resolved_on=day.toordinal(), resolution_seconds=wait * 3,
                    )
                )  # fmt: skip
                if rng.random() < 0.3:
                    stars = 500 if rng.random() < 0.85 else 200
                    answers.append(
                        AnswerFact(
                            origin="SURVEY", origin_id=self.number, case_id=100_000 + self.number, facets=facets, known_from=self.now,
                            scale="CSAT", sent_on=day.toordinal(), answered_on=day.toordinal(), hundredths=stars, score=stars // 100,
                        )
                    )  # fmt: skip
        CaseFact.objects.bulk_create(cases)
        AnswerFact.objects.bulk_create(answers)
        Ledger.objects.update_or_create(pk=1, defaults={"shown_at": self.now})


@pytest.fixture
def past(cast, now, settings):
    """Facts, in UTC, so that days are what they seem."""
    settings.TIME_ZONE = "UTC"
    return Past(cast, now)
