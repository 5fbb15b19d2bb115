"""What languages are called: the codes that readings carry, in English and Chinese."""

from __future__ import annotations

_TABLE = """
zh-Hans Simplified Chinese 简体中文|zh-Hant Traditional Chinese 繁体中文|mixed Chinese and English 中英混合
und Undetermined 未能判定|en English 英语|fr French 法语|de German 德语|es Spanish 西班牙语|pt Portuguese 葡萄牙语
it Italian 意大利语|nl Dutch 荷兰语|vi Vietnamese 越南语|id Indonesian 印度尼西亚语|ms Malay 马来语|tl Tagalog 他加禄语
sw Swahili 斯瓦希里语|pl Polish 波兰语|cs Czech 捷克语|sk Slovak 斯洛伐克语|sl Slovenian 斯洛文尼亚语|hr Croatian 克罗地亚语
ro Romanian 罗马尼亚语|hu Hungarian 匈牙利语|tr Turkish 土耳其语|sv Swedish 瑞典语|da Danish 丹麦语|no Norwegian 挪威语
fi Finnish 芬兰语|et Estonian 爱沙尼亚语|lv Latvian 拉脱维亚语|lt Lithuanian 立陶宛语|ca Catalan 加泰罗尼亚语
sq Albanian 阿尔巴尼亚语|ja Japanese 日语|ko Korean 韩语|ru Russian 俄语|uk Ukrainian 乌克兰语|be Belarusian 白俄罗斯语
bg Bulgarian 保加利亚语|sr Serbian 塞尔维亚语|mk Macedonian 马其顿语|kk Kazakh 哈萨克语|ky Kyrgyz 吉尔吉斯语|mn Mongolian 蒙古语
ar Arabic 阿拉伯语|fa Persian 波斯语|ur Urdu 乌尔都语|ug Uyghur 维吾尔语|he Hebrew 希伯来语|el Greek 希腊语|hi Hindi 印地语
mr Marathi 马拉地语|ne Nepali 尼泊尔语|bn Bengali 孟加拉语|pa Punjabi 旁遮普语|gu Gujarati 古吉拉特语|or Odia 奥里亚语
ta Tamil 泰米尔语|te Telugu 泰卢固语|kn Kannada 卡纳达语|ml Malayalam 马拉雅拉姆语|si Sinhala 僧伽罗语|th Thai 泰语|lo Lao 老挝语
bo Tibetan 藏语|my Burmese 缅甸语|km Khmer 高棉语|ka Georgian 格鲁吉亚语|hy Armenian 亚美尼亚语|am Amharic 阿姆哈拉语
"""


def _parse(entry: str) -> tuple[str, tuple[str, str]]:
    code, rest = entry.split(" ", 1)
    english, chinese = rest.rsplit(" ", 1)
    return code, (english, chinese)


LANGUAGES: dict[str, tuple[str, str]] = dict(_parse(entry) for entry in _TABLE.strip().replace("\n", "|").split("|"))


def name_language(code: str, *, in_chinese: bool = False) -> str:
    """Return what people call a language; a code that is not in the table is its own name.

    Examples
    --------
    >>> name_language("zh-Hant"), name_language("fr", in_chinese=True)
    ('Traditional Chinese', '法语')
    """
    return LANGUAGES.get(code, (code, code))[in_chinese]
