"""Languages by their names: scripts, small words and a model; an honest “und” for what carries none."""

import subprocess
import sys
import time

import pytest

from careloop.insight import Reading, read
from careloop.insight.text.background import common_english_words
from careloop.insight.text.language import find_languages
from careloop.insight.text.language_names import LANGUAGES, name_language
from careloop.insight.text.sequences import read_characters


def find(*texts):
    return find_languages(texts, read_characters(texts), common_english_words())


OURS = {
    "zh-Hans": ["好", "iPhone很好用", "USB Type-C接口坏了，请问怎么办"],
    "zh-Hant": ["請問什麼時候發貨", "這個產品壞掉了"],
    "en": ["refund", "wheres my stuff", "WORST APP EVER", "is gout a chronic illness", "Update bricked my device", "Doesnt work"],
    "mixed": ["退款 please, the agent was rude and I have been waiting 我很生气"],
    "fr": ["Le colis n'est jamais arrivé", "C'est nul", "merci"],
    "de": ["Die Ware war defekt", "Sehr schlechter Service", "Danke schön"],
    "es": ["¿Dónde está mi pedido?", "Quiero un reembolso por favor", "La batería no funciona", "hola"],
    "pt": ["Quero meu dinheiro de volta", "O produto não funciona"],
    "it": ["Vorrei un rimborso", "Dov'è il mio ordine?"],
    "nl": ["Waar is mijn bestelling?"],
    "vi": ["Đơn hàng của tôi ở đâu?", "Sản phẩm bị hỏng rồi"],
    "id": ["Di mana pesanan saya?", "Saya ingin pengembalian dana"],
    "tr": ["Siparişim nerede?"],
    "pl": ["Gdzie jest moje zamówienie?"],
    "ru": ["Где мой заказ", "Верните деньги"],
    "uk": ["Де моє замовлення?"],
    "kk": ["Менің тапсырысым қайда?"],
    "ar": ["أين طلبي؟"],
    "fa": ["سفارش من کجاست؟"],
    "ur": ["میرا آرڈر کہاں ہے؟"],
    "th": ["คำสั่งซื้อของฉันอยู่ที่ไหน"],
    "ja": ["注文した商品が届きません", "返品したい"],
    "ko": ["환불해 주세요"],
    "hi": ["मेरा ऑर्डर कहाँ है?"],
    "el": ["Πού είναι η παραγγελία μου;"],
    "he": ["איפה ההזמנה שלי?"],
    "ta": ["என் ஆர்டர் எங்கே?"],
    "km": ["តើការបញ្ជាទិញរបស់ខ្ញុំនៅឯណា"],
}


@pytest.mark.parametrize(("name", "text"), [(name, text) for name, texts in OURS.items() for text in texts])
def test_language_is_found(name, text):
    (language,) = find(text)
    assert language.name == name
    assert language.probability >= 0.5


@pytest.mark.parametrize("text", ["", " ", "👍👍", "12345 !!!", "?", "asdf qwer zxcv", "\x00", "https://"])
def test_what_carries_no_language_is_undetermined_with_low_probability(text):
    (language,) = find(text)
    assert (language.name, language.probability) == ("und", 0.1)


def test_neighbours_do_not_change_a_language():
    texts = [text for texts in OURS.values() for text in texts]
    assert find(*texts) == [find(text)[0] for text in texts]


def test_a_reading_says_how_sure_its_language_is():
    chinese, nothing = read(["请问什么时候发货", "👍"])
    assert (chinese.language, chinese.language_probability) == ("zh-Hans", 0.99)
    assert (nothing.language, nothing.language_probability) == ("und", 0.1)
    stored = {name: value for name, value in chinese.to_json().items() if name != "language_probability"}
    assert Reading.from_json(stored).language_probability == 0.0  # stored before it was told


def test_every_language_that_is_found_has_a_name_in_english_and_chinese():
    assert set(OURS) <= set(LANGUAGES)
    assert all(english.isascii() and not chinese.isascii() for english, chinese in LANGUAGES.values())
    assert name_language("zh-Hant") == "Traditional Chinese"
    assert name_language("fr", in_chinese=True) == "法语"
    assert name_language("xx") == "xx"


def test_chinese_and_english_load_no_model():
    code = (
        "import sys; from careloop.insight.text.language import find_languages; "
        "from careloop.insight.text.sequences import read_characters; texts = ['很好', 'very good', '👍']; "
        "names = [one.name for one in find_languages(texts, read_characters(texts), {'very', 'good'})]; "
        "print(names, 'py3langid' in sys.modules)"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert told == "['zh-Hans', 'en', 'und'] False\n"


def test_a_text_of_a_million_letters_takes_no_longer_than_its_beginning():
    find("voilà")
    began = time.process_time()
    assert find("où est ma commande " * 50_000)[0].name == "fr"
    assert time.process_time() - began < 1.0
