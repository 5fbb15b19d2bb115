"""Whatever is wrong with a file is said in Chinese on a Chinese page: no sentence of the core slips through in English."""

import io
import re
import zipfile

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation

from careloop.desk.imports.models import ImportRun, State
from careloop.desk.jobs.worker import Worker
from careloop.desk.kernel.wording import in_words
from careloop.insight.errors import Sentence

MEANT = {
    "Careloop", "CSV", "XLSX", "JSON", "Lines", "ZIP", "UTF", "BOM", "GBK", "gzip", "NUL", "PDF", "bzip", "Sheet", "text", "Parquet",
    "parquet", "xlsx", "csv", "jsonl", "zip",
}  # fmt: skip
WORD = re.compile(r"[A-Za-z]{3,}")


def zip_bytes(parts: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in parts.items():
            archive.writestr(name, content)
    return stream.getvalue()


@pytest.fixture(autouse=True)
def upload_dir(settings, tmp_path):
    settings.UPLOAD_DIR = tmp_path / "uploads"


@pytest.fixture
def browser(client, cast) -> Client:
    """A supervisor who reads Chinese."""
    cast.supervisor.language = "zh-hans"
    cast.supervisor.save(update_fields=["language"])
    client.force_login(cast.supervisor)
    return client


def refusals_of(response) -> list[str]:
    return re.findall(r'<div class="banner bad" role="alert">(.*?)</div>', response.content.decode())


def english_in(said: str) -> set[str]:
    return set(WORD.findall(re.sub(r"(?:坏|a)\.\w+(?:\.\w+)?", "", said))) - MEANT


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("坏.csv", b"\x80\x81\xfe\n\xff\xfe\xfd\n" * 9, "坏.csv 的编码不是 UTF-8"),
        ("坏.xlsx", zip_bytes({"xl/workbook.xml": b" " * 60_000_000}), "疑似 ZIP 炸弹"),
        ("坏.xlsx", b"PK\x03\x04 nothing", "坏.xlsx 已损坏或不完整，请重新获取或导出。"),
        ("坏.xlsx", zip_bytes({"a.txt": b"x"}), "坏.xlsx 是 ZIP 压缩包但不是 XLSX 工作簿，请先解压。"),
        ("坏.xlsx", "评价\n好".encode(), "坏.xlsx 的名称表示 XLSX 工作簿，但内容是CSV 文本；请重命名或重新导出。"),
        ("坏.csv", b"", "坏.csv 为空（0 字节）"),
        ("坏.csv", b"\n\n", "坏.csv 为空，第一行应为列名。"),
        ("坏.pdf", b"%PDF-1.7", "坏.pdf 是 PDF 文档，请将表格导出为 CSV 或 XLSX。"),
        ("坏.csv.gz", b"\x1f\x8b\x08\x00 cut", "坏.csv.gz"),
        ("坏.jsonl", b"{broken\n", "JSON 在第 2 个字符处有误"),
        ("坏.parquet", b"PAR1 nothing PAR1", "坏.parquet 已损坏或不完整，请重新导出。"),
    ],
)
def test_files_that_cannot_be_read_are_refused_in_chinese(browser, name, content, told):
    response = browser.post("/imports/upload/", {"file": SimpleUploadedFile(name, content), "what": "FEEDBACK"})
    assert response.status_code == 422
    [said] = refusals_of(response)
    assert told in said
    assert english_in(said) == set()
    assert ImportRun.objects.count() == 0


def upload(browser: Client, content: bytes, name: str = "评价.csv") -> ImportRun:
    browser.post("/imports/upload/", {"file": SimpleUploadedFile(name, content), "what": "FEEDBACK"})
    return ImportRun.objects.get()


def chosen(cast, columns: dict[str, str]) -> dict[str, str]:
    form = {"destination": f"team:{cast.team.pk}", "region": "CN"}
    for number, (column, field) in enumerate(columns.items()):
        form |= {f"column-{number}": column, f"field-{number}": field}
    return form


def test_a_missing_column_is_told_in_chinese(browser, cast):
    run = upload(browser, "评价,评分\n好,5\n".encode())
    response = browser.post(f"/imports/{run.pk}/check/", chosen(cast, {"内容": "text"}))
    assert refusals_of(response) == ["表中没有“内容”列，现有 “评价”, “评分”，请从中选择。"]


def test_refused_rows_are_told_in_chinese_on_the_page_and_in_the_file(browser, cast):
    run = upload(browser, "评价,评分,日期\n好,5,2026-03-01\n差,七,2026-03-02\n中,3,2999-01-01\n缺\n".encode())
    browser.post(f"/imports/{run.pk}/check/", chosen(cast, {"评价": "text", "评分": "rating", "日期": "sent_at"}))
    Worker().run_until_empty()
    page = browser.get(f"/imports/{run.pk}/").content.decode()
    expected = [
        "第 2 行（文件第 3 行），“评分”列：“七”不是评分。",
        "第 3 行（文件第 4 行），“日期”列：时间 2999-01-01T00:00:00+00:00 在将来。",
        "第 4 行（文件第 5 行）有 1 个单元格，而表头有 3 个；从“评分”列起缺失。",
    ]
    assert set(re.findall(r"<li>(第 .*?)</li>", page)) == set(expected)
    browser.post(f"/imports/{run.pk}/start/")
    Worker().run_until_empty()
    rejects = b"".join(browser.get(f"/imports/{run.pk}/rejects/").streaming_content).decode("utf-8-sig").splitlines()
    assert rejects[0] == "行,文件行,列,原因,评价,评分,日期,（其他单元格）"
    assert [line.split(",")[3] for line in rejects[1:]] == expected


def test_a_file_that_breaks_off_is_told_in_the_language_of_whoever_looks(browser, cast, tmp_path):
    run = upload(browser, "评价\n好\n".encode())
    browser.post(f"/imports/{run.pk}/check/", chosen(cast, {"评价": "text"}))
    run.refresh_from_db()
    ImportRun.objects.filter(pk=run.pk).update(stored_path=str(tmp_path / "gone"))
    Worker().run_until_empty()
    run.refresh_from_db()
    with translation.override("en"):
        told = "评价.csv is not where it was any more; import it again: rows already stored are not doubled."
        assert (run.state, run.error) == (State.UPLOADED, told)
    ImportRun.objects.filter(pk=run.pk).update(state=State.FAILED)
    assert "评价.csv 已不在原来的位置，请重新导入；已保存的行不会重复。" in browser.get(f"/imports/{run.pk}/").content.decode()


def test_a_library_s_own_words_are_left_out_on_screens():
    with translation.override("en"):
        assert in_words(Sentence("{file} is damaged.", file="a.csv", detail="Error -3").to_json()) == "a.csv is damaged."
