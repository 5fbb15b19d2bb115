"""How long the pages of a large desk take, over real HTTP against the real server; their queries; the server's memory.

    python -m benchmarks.bench_pages [--rounds 40]

The desk is that of benchmarks/large_house.py. Each address is asked for in turn, round after round, so that no page profits from its
neighbour. Prints JSON.
"""

import argparse
import json
import sys
from typing import Any
from urllib.parse import quote

from benchmarks.large_house import facts_of, large_house
from benchmarks.serving import PORT, Client, figure, percentile, serve, session_cookie

INBOX_MS, CASE_MS, SEARCH_MS, FEEDBACK_MS, MEMORY_MB = 100, 80, 200, 500, 300


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rounds", type=int, default=40)
    parser.add_argument("--port", type=int, default=PORT)
    options = parser.parse_args()
    folder = large_house()
    facts = facts_of(folder)
    addresses = addresses_of(facts)
    queries = count_queries(addresses)
    with serve(folder, port=options.port, with_worker=False) as serving:
        times = measure(serving.port, addresses, options.rounds)
        memory = serving.memory("web")
    figures = [
        {
            **figure(name, percentile(times[name], 0.95), "ms (p95)", target),
            "p50": round(percentile(times[name], 0.5), 1),
            "queries": queries[name],
        }
        for name, (_, _, target) in addresses.items()
    ]
    figures.append({**figure("web process", memory["resident"], "MB resident", MEMORY_MB), "own": memory["own"]})
    json.dump(
        {"benchmark": "pages", "desk": {name: facts[name] for name in ("cases", "case_messages", "reviews")}, "pages": figures}, sys.stdout
    )


def addresses_of(facts: dict[str, Any]) -> dict[str, tuple[str, str, int]]:
    """What is asked for: name → (who, address, milliseconds allowed)."""
    agent, owner = "agent@example.com", "owner@example.com"
    found = {
        "inbox, open, agent": (agent, "/", INBOX_MS),
        "inbox, open, owner": (owner, "/", INBOX_MS),
        "inbox, mine": (agent, "/?view=mine", INBOX_MS),
        "inbox, all": (owner, "/?view=all", INBOX_MS),
        "inbox, all, last page": (owner, "/?view=all&page=1000", INBOX_MS),
        "inbox, resolved, page 40": (owner, "/?view=resolved&page=40", INBOX_MS),
        "inbox, all, complaints, negative": (owner, "/?view=all&kind=COMPLAINT&sentiment=NEGATIVE", INBOX_MS),
        "inbox, all, one channel": (owner, "/?view=all&channel=shop-mail", INBOX_MS),
        "inbox, all, most urgent": (owner, "/?view=all&sort=priority", INBOX_MS),
        "inbox, all, unhappiest": (owner, "/?view=all&sort=unhappiest", INBOX_MS),
        "case page, newest": (owner, f"/cases/{facts['cases']}/", CASE_MS),
        "case page, old": (agent, f"/cases/{facts['agent_case']}/", CASE_MS),
        "feedback": (owner, "/feedback/", FEEDBACK_MS),
        "feedback, agent": (agent, "/feedback/", FEEDBACK_MS),
        "feedback, negative reviews": (owner, "/feedback/?source=review&sentiment=NEGATIVE", FEEDBACK_MS),
        "feedback, 退款": (owner, f"/feedback/?q={quote('退款')}", FEEDBACK_MS),
    }
    for word in ("退款", "订单", "物流", "refund", "the", facts["order"], facts["customer_name"], "tracking number", "热水器漏水"):
        found[f"search, {word}"] = (owner, f"/?view=all&q={quote(word)}", SEARCH_MS)
    found["search, 退款, page 40"] = (owner, f"/?view=all&q={quote('退款')}&page=40", SEARCH_MS)
    found["search, 退款, open, agent"] = (agent, f"/?q={quote('退款')}", SEARCH_MS)
    return found


def measure(port: int, addresses: dict[str, tuple[str, str, int]], rounds: int) -> dict[str, list[float]]:
    """Milliseconds of each address in each round, after three rounds that do not count."""
    clients = {who: Client(port, {"Cookie": session_cookie(who)}) for who, _, _ in addresses.values()}
    times: dict[str, list[float]] = {name: [] for name in addresses}
    for number in range(rounds + 3):
        for name, (who, address, _) in addresses.items():
            status, body, taken = clients[who].get(address)
            if status != 200:
                raise RuntimeError(f"{address} answered {status}: {body[:300]!r}")
            if number >= 3:
                times[name].append(taken)
    return times


def count_queries(addresses: dict[str, tuple[str, str, int]]) -> dict[str, int]:
    """Database queries of each page, counted in this process."""
    from django.db import connection
    from django.test import Client as InProcess
    from django.test.utils import CaptureQueriesContext

    from careloop.desk.accounts.models import User

    counts = {}
    for name, (who, address, _) in addresses.items():
        client = InProcess(HTTP_HOST="127.0.0.1")
        client.force_login(User.objects.get(email=who), backend="allauth.account.auth_backends.AuthenticationBackend")
        client.get(address)
        with CaptureQueriesContext(
            connection,
        ) as seen:
            client.get(address)
        counts[name] = len(seen)
    return counts


if __name__ == "__main__":
    main()
