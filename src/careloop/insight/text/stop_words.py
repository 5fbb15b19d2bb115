"""Words that say little by themselves, in both languages: what grammar needs, and what every customer writes."""

from __future__ import annotations

_CHINESE = (
    "的 地 得 了 着 过 吗 呢 吧 啊 呀 哦 嗯 哈 嘛 啦 哎 唉 喂 哪 么 之 其 与 及 和 跟 同 或 或者 并 并且 而 而且 但 但是 可是 不过 "
    "然而 却 因 因为 由于 所以 因此 "
    "如果 要是 假如 虽然 尽管 即使 只要 只有 除非 无论 不管 既 既然 于是 然后 接着 另外 此外 我 我们 你 你们 您 他 他们 她 她们 它 "
    "它们 自己 咱 咱们 大家 别人 "
    "人家 谁 什么 啥 哪 哪个 哪里 哪儿 怎么 怎样 怎么样 如何 为什么 为何 几 多少 这 这个 这些 这里 这儿 这样 这么 那 那个 那些 那里 "
    "那儿 那样 那么 此 该 每 各 某 "
    "一个 一些 一样 一直 一下 一点 一种 一次 一般 有点 有些 有的 在 从 到 向 往 对 对于 关于 把 被 让 给 为 为了 以 用 由 按 按照 根据 "
    "通过 比 比较 跟着 随着 除了 "
    "是 有 没 没有 不 不是 不会 不能 不要 不用 别 会 能 可以 可能 应该 要 想 需要 得 必须 愿意 敢 肯 就 就是 才 都 也 还 还是 还有 又 "
    "再 再次 很 非常 太 挺 真 真的 "
    "更 最 比较 特别 相当 十分 极 稍微 几乎 已 已经 正在 将 刚 刚刚 马上 立刻 曾 曾经 总 总是 常 经常 从来 终于 其实 确实 当然 只 只是 "
    "仅 仅仅 大概 也许 好像 似乎 "
    "上 下 里 外 中 内 前 后 左 右 时 时候 之前 之后 以前 以后 以上 以下 现在 当时 说 来 去 做 看 看到 觉得 感觉 知道 出来 起来 的话 "
    "等 等等 东西 情况 "
    "请问 谢谢 您好 你好 麻烦 希望 开始 最后 昨天 今天 明天 問題 謝謝 沒有 這個 那個 什麼 怎麼 為什麼 我們 你們 他們 還是 還有 還 個 "
    "們 嗎 過 時候 現在 可是 不會 不過"
)
_ENGLISH = (
    "a an the and or but nor so yet if because as although though while whereas unless than then else of in on at by for from with to "
    "into onto about over under "
    "after before between through during against without within since until near off per via up down out again further once i you he "
    "she it we they me him us them my "
    "your his her its our their mine yours ours theirs myself yourself himself herself itself ourselves themselves this that these "
    "those who whom whose what which "
    "where when why how someone anyone nobody everyone something anything nothing everything am is are was were be been being do does "
    "did doing have has had having can "
    "could will would shall should may might must get got getting go went going gone want wanted need needed make made take took say "
    "said let lets know think see seem "
    "i'm it's i've i'd i'll you're we're they're that's there's don't doesn't didn't isn't aren't wasn't weren't can't cannot couldn't "
    "won't wouldn't shouldn't haven't "
    "hasn't hadn't not no never very too also just only still already here there now always often soon ever even really please quite "
    "rather almost maybe perhaps much "
    "many more most less least few some any all both each every either neither other another such own same one two three first last "
    "next ok okay yes yeah hello hi hey "
    "dear thanks thank thing things lot bit way time times day days yesterday today tomorrow back like well anyway im ive dont doesnt "
    "didnt cant wont isnt u ur pls plz"
)
STOP_WORDS: dict[str, frozenset[str]] = {"zh": frozenset(_CHINESE.split()), "en": frozenset(_ENGLISH.split())}


def is_stop_word(word: str) -> bool:
    """Tell whether a word, in capitals or not, is a stop word of its language."""
    plain = word.lower().replace("’", "'")
    return plain in STOP_WORDS["en" if plain.isascii() else "zh"]
