"""What somebody wrote in a letter without what comes around it: greeting, signature, quoted mail."""

from __future__ import annotations

import re

_QUOTE_BEGINS = re.compile(
    r"^\s*(?:-{2,}\s*(?:original message|forwarded message|原始邮件|原邮件|转发邮件)|(?:from|发件人|寄件者)\s*[:：].{0,200}$"
    r"|on .{5,120} wrote:\s*$"
    r"|在?\s?\d{4}年?[-/年]\d{1,2}.{0,80}(?:写道|寫道)\s*[:：]|_{10,}\s*$)",
    re.IGNORECASE,
)
_QUOTED = re.compile(r"^\s*[>＞|]")
_SIGNATURE_BEGINS = re.compile(
    r"^\s*(?:--\s*$|(?:(?:best|kind|warm|many)\s+)?(?:regards|wishes)\b.{0,30}$|(?:yours\s+)?(?:sincerely|faithfully|truly)\b.{0,30}$"
    r"|cheers,?\s*$"
    r"|thanks(?:\s+(?:again|in advance|so much|a lot))?[,.!]?\s*$|thank you[,.!]?\s*$|sent from my .{0,40}$|get outlook for .{0,20}$"
    r"|发自我的.{0,30}$|來自我的.{0,30}$|此致\s*(?:敬礼)?[!！。]?\s*$|祝好[!！。]?\s*$|顺祝商祺.{0,5}$|谢谢[!！。]?\s*$|敬上\s*$)",
    re.IGNORECASE,
)
_SIGNATURE_LINES = 8  # at the end of a letter; a line such as “thanks” further up is not a signature
_GREETING = re.compile(
    r"^\s*(?:(?:dear|hi|hello|hey|good (?:morning|afternoon|evening))(?:\s+(?:there|team|all|sir|madam|sir or madam|support|mr\.?"
    r"|ms\.?|mrs\.?|[A-Z][a-z]+)){0,3}\s*(?:[,!.，！。:：]+|$)"
    r"|(?:尊敬的|亲爱的)[^，。！,!\n]{0,12}[，,：:！!]?\s*|(?:亲|亲亲|您好|你好|妳好|在吗|在么|早上好|上午好|下午好|晚上好|客服(?:您好"
    r"|你好)?|hello|hi)[~～]*(?:[，,。！!：:？?~～\s]+|$))",
    re.IGNORECASE,
)
_CLOSING = re.compile(
    r"^(?:谢谢|感谢|多谢|谢了|谢谢您|谢谢你|非常感谢|拜托了|麻烦了|辛苦了|不客气|好的|好|嗯|嗯嗯|哦|收到|再见|拜拜|祝您生活愉快"
    r"|祝您购物愉快|欢迎(?:再次)?光临|请问还有(?:什么|其他).{0,12}"
    r"|还有什么(?:可以|能)帮.{0,8}|很高兴为您服务.{0,10}|thanks?(?: you)?(?: (?:so much|very much|a lot|again|in advance"
    r"|for .{0,40}))?|many thanks|ok(?:ay)?|sure|great|bye|goodbye|you'?re welcome|no problem"
    r"|have a (?:nice|good|great) .{0,12}|is there anything else .{0,40}|how (?:can|may) i (?:help|assist) you.{0,20}"
    r"|请问有什么(?:可以|能)(?:帮|为).{0,8}|有什么(?:可以|能)(?:帮|为).{0,8})[~～。！!.，,\s？?]*$",
    re.IGNORECASE,
)


def strip_letter(text: str) -> str:
    """Return a letter without quoted mail, signature and greeting; a letter of nothing else becomes empty."""
    lines: list[str] = []
    for line in text.splitlines():
        if _QUOTE_BEGINS.match(line):
            break
        if not _QUOTED.match(line):
            lines.append(line)
    while lines and not lines[-1].strip():
        lines.pop()
    first = max(1, len(lines) - _SIGNATURE_LINES)
    for place in range(first, len(lines)):
        if _SIGNATURE_BEGINS.match(lines[place]):
            del lines[place:]
            break
    return strip_greeting("\n".join(lines))


def strip_greeting(text: str) -> str:
    """Return a text without the greetings that it begins with."""
    for _ in range(3):
        match = _GREETING.match(text)
        if match is None or not match[0]:
            break
        text = text[match.end() :]
    return text.strip()


def is_courtesy(sentence: str) -> bool:
    """Tell whether a sentence is only polite: thanks, a greeting, “anything else?”."""
    return bool(_CLOSING.match(sentence.strip())) or not strip_greeting(sentence)
