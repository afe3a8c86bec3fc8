"""With `hashes` no text reaches the file; a purged submission leaves no byte behind."""

from __future__ import annotations

from pathlib import Path

from adjudge import Comparison, Criterion, Rubric, Submission, make_judge
from adjudge.ledger import Ledger
from adjudge.testing import ScriptedBackend

RUBRIC = Rubric(id="r", version="1", criteria=(Criterion(id="c", text="The text is polite."),))
SECRET = "Mrs Quillfeather of bed nine"
ITEMS = [
    Submission(id="a", input=f"about {SECRET}", output=f"{SECRET} is well", metadata={"name": SECRET}),
    Submission(id="b", input="another", output="fine"),
]


async def judged(path: Path, store: str, *, read_out: str = "label") -> ScriptedBackend:
    said = (
        f'{{"explanation": "{SECRET} is named", "level": "Yes"}}' if read_out == "reasoned" else {"Yes": 0.9, "No": 0.1}
    )
    backend = ScriptedBackend(said)
    ledger = Ledger(path, store=store)
    run = ledger.begin_run("{}")
    async with make_judge(RUBRIC, backend=backend, ledger=ledger, read_out=read_out) as judge:
        results = await judge.many(ITEMS)
        for position, result in enumerate(results):
            ledger.record_item(run, position, ITEMS[position], result.verdicts)
    return backend


def everything(folder: Path) -> bytes:
    return b"".join(file.read_bytes() for file in folder.iterdir())


async def test_hashes_keep_every_text_out_of_the_file_and_label_replies_resume(tmp_path: Path) -> None:
    backend = await judged(tmp_path / "l.sqlite", "hashes")
    assert backend.asked == 2
    assert SECRET.encode() not in everything(tmp_path)
    assert (await judged(tmp_path / "l.sqlite", "hashes")).asked == 0
    with Ledger(tmp_path / "l.sqlite") as ledger:
        (item, verdicts), _ = ledger.read_run(1)
    assert item.output.startswith("sha256:")
    assert verdicts[0].level == "met"


async def test_hashes_keep_a_judges_explanation_out_too_at_the_price_of_asking_again(tmp_path: Path) -> None:
    await judged(tmp_path / "l.sqlite", "hashes", read_out="reasoned")
    assert SECRET.encode() not in everything(tmp_path)
    assert (await judged(tmp_path / "l.sqlite", "hashes", read_out="reasoned")).asked == 2


async def test_a_purged_submission_leaves_no_byte_behind_and_the_others_stay(tmp_path: Path) -> None:
    await judged(tmp_path / "l.sqlite", "text", read_out="reasoned")
    assert SECRET.encode() in everything(tmp_path)
    with Ledger(tmp_path / "l.sqlite") as ledger:
        assert ledger.purge("a") > 0
        assert ledger.purge("a") == 0
        assert [item.id for item, _ in ledger.read_run(1)] == ["b"]
    left = everything(tmp_path)
    assert SECRET.encode() + b" is well" not in left
    assert b"about " + SECRET.encode() not in left


def test_purging_one_side_of_a_comparison_removes_the_comparison(tmp_path: Path) -> None:
    pair = Comparison(id="p", submissions=(Submission(id="p/1", output="x"), Submission(id="p/2", output="y")))
    with Ledger(tmp_path / "l.sqlite") as ledger:
        run = ledger.begin_run("{}")
        ledger.record_item(run, 0, pair, [])
        assert ledger.purge("p/2") == 1
        assert ledger.read_run(run) == []
