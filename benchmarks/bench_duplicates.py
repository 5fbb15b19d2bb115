"""How well cases that are one matter are told from others: pairs made of the demo's conversations, weights learnt from them.

Three kinds of the same matter, each a third: a conversation's later message becomes a case of its own (the customer goes on elsewhere);
the first message comes again with other words around it (the customer asks twice); it comes so from another customer (two people of one
household). Every other case that the search brings up is another matter. Weights are learnt on four fifths of the conversations and
measured on the last, five times.

    CARELOOP_DATA_DIR=… careloop manage load_samples; python -m benchmarks.bench_duplicates [conversations]
"""

import json
import os
import re
import sys
from datetime import timedelta

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "careloop.desk.config.settings")

import django

django.setup()

import numpy as np  # noqa: E402
from django.db import transaction  # noqa: E402
from django.db.models import Count, Q  # noqa: E402
from django.utils import timezone  # noqa: E402
from sklearn.linear_model import LogisticRegression  # noqa: E402
from sklearn.metrics import average_precision_score, brier_score_loss, roc_auc_score  # noqa: E402
from sklearn.model_selection import GroupKFold, cross_val_predict  # noqa: E402

from careloop.desk.accounts.models import User  # noqa: E402
from careloop.desk.accounts.queries import viewer_of  # noqa: E402
from careloop.desk.accounts.rules import Viewer  # noqa: E402
from careloop.desk.analysis.actions import understand  # noqa: E402
from careloop.desk.cases.arrivals import Arrival, receive  # noqa: E402
from careloop.desk.cases.models import Case  # noqa: E402
from careloop.desk.merging.duplicates import compare  # noqa: E402
from careloop.desk.merging.rules import features_of, probability_of_same  # noqa: E402
from careloop.desk.merging.splitting import split_case  # noqa: E402

CHINESE = ("再次反馈：", "上次说的事还没人回：", "麻烦看一下，", "我之前写过，")
ENGLISH = ("I wrote before: ", "Still no answer. ", "Following up. ", "Once more: ")


def ask_again(case: Case, other_customer: int | None, rng: np.random.Generator) -> Case:
    """The first message once more, some hours later, with a sentence of it left out and a beginning of its own."""
    first = case.messages.filter(direction="INBOUND").order_by("sent_at").first()
    parts = [one for one in re.split(r"(?<=[。！？.!?\n])", first.body) if one.strip()]
    kept = [one for one in parts if len(parts) == 1 or rng.random() < 0.75] or parts
    opening = rng.choice(CHINESE if re.search("[一-鿿]", first.body) else ENGLISH)
    at = min(case.opened_at + timedelta(hours=float(np.exp(rng.uniform(-2, 4.5)))), timezone.now())
    Case.objects.filter(customer_id=other_customer or case.customer_id).update(status="RESOLVED")  # so that it opens a case
    facts = {"customer_name": "", "subject": "", "sent_at": at, "opens_case": True, "body": opening + "".join(kept)}
    arrived = receive([Arrival(channel=case.channel, customer_id=other_customer or case.customer_id, **facts)], at)
    understand([arrived[0].pk], now=at)
    return Case.objects.get(pk=arrived[0].case_id)


def go_on(case: Case, viewer: Viewer) -> Case:
    """The last message as a case of its own."""
    last = case.messages.filter(direction="INBOUND").order_by("sent_at").last()
    made = split_case(case_id=case.pk, message_ids=[last.pk], expected_version=case.version, viewer=viewer, now=timezone.now())
    return made.into


def collect(most: int) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, int]:
    """Features, labels, conversations and today's probabilities of all pairs; how many same matters the search did not bring up."""
    viewer = viewer_of(User.objects.filter(role="OWNER").first())
    talkative = Case.objects.annotate(n=Count("messages", filter=Q(messages__direction="INBOUND"))).filter(n__gte=2)
    numbers, rng = list(talkative.order_by("pk").values_list("pk", flat=True)), np.random.default_rng(7)
    people = list(Case.objects.values_list("customer_id", flat=True).distinct())
    rows, labels, groups, said, missed = [], [], [], [], 0
    for place, number in enumerate(rng.permutation(numbers)[:most].tolist()):
        with transaction.atomic():
            case = Case.objects.select_related("channel").get(pk=number)
            other = int(rng.choice(people)) if place % 3 == 2 else None
            new = go_on(case, viewer) if place % 3 == 0 else ask_again(case, other, rng)
            pairs = compare(new, viewer)
            missed += all(one.case.pk != number for one in pairs)
            for one in pairs:
                rows.append(features_of(one.likeness))
                labels.append(one.case.pk == number)
                groups.append(number)
                said.append(probability_of_same(one.likeness))
            transaction.set_rollback(True)
    return np.array(rows), np.array(labels), np.array(groups), np.array(said), missed


def main() -> None:
    """Print the weights and what they are worth on conversations that they were not learnt from."""
    x, y, groups, shipped, missed = collect(int(sys.argv[1]) if len(sys.argv) > 1 else 300)
    model = LogisticRegression(C=1.0, max_iter=2_000)
    held_back = cross_val_predict(model, x, y, groups=groups, cv=GroupKFold(5), method="predict_proba")[:, 1]
    model.fit(x, y)
    best = [shipped[groups == one].argmax() for one in np.unique(groups)]
    first = np.mean([y[groups == one][place] for one, place in zip(np.unique(groups), best, strict=True)])
    sure = shipped >= 0.5
    print(
        json.dumps(
            {
                "pairs": len(y),
                "same": int(y.sum()),
                "not_found": missed,
                "intercept": round(float(model.intercept_[0]), 2),
                "weights": [round(float(one), 2) for one in model.coef_[0]],
                "held_back": {"auc": roc_auc_score(y, held_back), "brier": brier_score_loss(y, held_back)},
                "shipped": {
                    "auc": roc_auc_score(y, shipped),
                    "average_precision": average_precision_score(y, shipped),
                    "brier": brier_score_loss(y, shipped),
                    "likeliest_is_right": float(first),
                    "precision_at_0.5": float(y[sure].mean()) if sure.any() else None,
                    "recall_at_0.5": float(sure[y].mean()),
                },
            },
            indent=1,
        )
    )


if __name__ == "__main__":
    main()
