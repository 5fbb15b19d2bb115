"""An address that chooses something that there is not: the page says so in the reader's words, in the frame, and leads back."""

import pytest

pytestmark = pytest.mark.django_db
REFUSED = {
    "/board/?by=step": "没有按“step”分列的看板",
    "/feedback/?source=step": "应为 review、message 或留空",
    "/reports/overview/?by=step": "拆分数字；应为以下之一：team",
    "/reports/times/?target=step": "没有“step”这种时间",
    "/reports/retention/?within=8": "“8”",
}


def test_wrong_parameters_are_refused_in_words_within_the_frame(client, cast):
    cast.owner.language = "zh-hans"
    cast.owner.save()
    client.force_login(cast.owner)
    for asked, told in REFUSED.items():
        answer = client.get(asked)
        said = answer.content.decode()
        assert (answer.status_code, told in said, '<nav class="rail"' in said) == (422, True, True), asked
        assert f'href="{asked.partition("?")[0]}">打开不带选择的页面</a>' in said
