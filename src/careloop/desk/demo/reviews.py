"""Reviews of products and answers to the question how the service was: plain values, no database."""

import random
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo

from careloop.desk.demo.conversations import Conversation
from careloop.desk.demo.facts import CATEGORY_LABELS, OTHER_BATCHES, PRODUCTS, SERVICE_LABEL, TRADE_OF, WAVE_BATCH, Product
from careloop.desk.demo.people import Person
from careloop.desk.demo.rhythm import WAVES, draw_arrival, draw_wave_arrival
from careloop.desk.demo.scenarios import CHINESE, ENGLISH, MIXED, manners, review_sentences
from careloop.desk.demo.wording import coloured, join

REVIEWS = 1_500
WAVE_REVIEWS = 110
SURVEY_SHARE = 0.2
CATEGORY_WEIGHTS = {
    "heater": 12, "kitchen": 14, "clothing": 16, "digital": 14, "home": 8,
    "card": 7, "bank_app": 8, "loan": 4, "hotel": 11, "tour": 7, "flight": 6,
}  # fmt: skip
RATING_WEIGHTS = (9, 9, 14, 30, 38)


@dataclass(frozen=True)
class Opinion:
    """A rating from 1 to 5 with its text; `person` is None when the shop does not say who wrote it."""

    at: datetime
    trade: str
    channel: str
    source: str
    rating: int
    text: str
    category: str
    product: str
    language: str
    person: Person | None


def plan_reviews(people: list[Person], *, now: datetime, zone: tzinfo, rng: random.Random) -> list[Opinion]:
    """Reviews of products, the oldest first; in the weeks of the wave one batch of heaters gets bad ones."""
    opinions = []
    for category in rng.choices(list(CATEGORY_WEIGHTS), weights=list(CATEGORY_WEIGHTS.values()), k=REVIEWS):
        product = rng.choice([one for one in PRODUCTS if one.category == category])
        rating = rng.choices((1, 2, 3, 4, 5), weights=RATING_WEIGHTS)[0]
        at = draw_arrival(TRADE_OF[category], now, zone, rng)
        opinions.append(_review(at, product, rating, rng.choice(OTHER_BATCHES), people, rng))
    for _ in range(WAVE_REVIEWS):
        product = rng.choice([one for one in PRODUCTS if one.category == "heater"])
        at = draw_wave_arrival(WAVES[0], now, zone, rng)
        opinions.append(_review(at, product, rng.choice((1, 1, 1, 2)), WAVE_BATCH, people, rng))
    return sorted(opinions, key=lambda opinion: opinion.at)


def _review(at: datetime, product: Product, rating: int, batch: str, people: list[Person], rng: random.Random) -> Opinion:
    language = rng.choices((CHINESE, ENGLISH, MIXED), weights=(56, 39, 5))[0]
    said = review_sentences(product.category, language)
    counts = {1: (0, 0, 2), 2: (0, 1, 1), 3: (1, 1, 1), 4: (1, 1, 0), 5: (2, 0, 0)}[rating]
    parts = [
        sentence
        for letter, count in zip("PMN", counts, strict=True)
        for sentence in rng.sample(said[letter], min(count, len(said[letter])))
    ]
    if rating != 3 and len(parts) > 1 and rng.random() < 0.35:
        parts.pop()
    if rating <= 2:
        parts.reverse()
    named = {ENGLISH: f"{product.en[0].upper()}{product.en[1:]}: "}.get(language, f"{product.zh}，") if rng.random() < 0.3 else ""
    style = rng.choices(("plain", "sloppy", "angry"), weights=(70, 15, 15 if rating == 1 else 0))[0]
    writers = [person for person in people if person.language == language and TRADE_OF[product.category] in person.trades]
    return Opinion(
        at=at,
        trade=TRADE_OF[product.category],
        channel="FILE",
        source="REVIEW",
        rating=rating,
        text=named + coloured(join(parts, language), language, style, rng).format(batch=batch, product=product.zh),
        category=CATEGORY_LABELS[product.category],
        product=product.label,
        language=language,
        person=rng.choice(writers) if writers and rng.random() < 0.3 else None,
    )


def plan_surveys(conversations: list[Conversation], *, now: datetime, rng: random.Random) -> list[Opinion]:
    """Some of the customers whose case was closed say how it was; those who had trouble rate lower."""
    opinions = []
    for conversation in conversations:
        last = conversation.moves[-1]
        at = last.at + timedelta(hours=rng.uniform(0.5, 20))
        if last.value != "RESOLVED" or at > now or rng.random() > SURVEY_SHARE:
            continue
        weights = (14, 12, 20, 30, 24) if conversation.mood == "N" else (3, 4, 11, 32, 50)
        rating = rng.choices((1, 2, 3, 4, 5), weights=weights)[0]
        person = conversation.person
        letter = "N" if rating <= 2 else "M" if rating == 3 else "P"
        text = rng.choice(manners("customer", person.language)[f"SURVEY_{letter}"])
        opinions.append(
            Opinion(
                at=at,
                trade=conversation.scenario.trade,
                channel=conversation.channel,
                source="SURVEY",
                rating=rating,
                text=coloured(text, person.language, "plain", rng).format(**conversation.facts),
                category=SERVICE_LABEL,
                product="",
                language=person.language,
                person=person,
            )
        )
    return sorted(opinions, key=lambda opinion: opinion.at)
