"""Data sets that may not be shipped: what to get, from where, under which licence, and where to put it."""

from __future__ import annotations

from dataclasses import dataclass

from adjudge.errors import InputError


@dataclass(frozen=True, slots=True)
class Published:
    """A data set of others."""

    name: str
    """Its name and paper."""
    where: str
    """Public page."""
    licence: str
    """Its terms."""
    what: str
    """What to download."""

    @property
    def advice(self) -> str:
        """What to download, from where, under which licence, and where to put it."""
        return (
            f"{self.name} is published on {self.where} under {self.licence}; download {self.what}, "
            "put it anywhere and give its path (-T source=PATH, or -J train=PATH to a judge that learns)"
        )

    def missing(self, path: object) -> InputError:
        """The error for a path where it is not."""
        return InputError(f"{path}: no such file or folder; {self.advice}")


PHRASEBANK = Published(
    name="Financial PhraseBank (Malo et al. 2014, arXiv:1307.5336)",
    where="researchgate.net (FinancialPhraseBank-v1.0) and huggingface.co (takala/financial_phrasebank)",
    licence="the licence CC BY-NC-SA 3.0 (not for commercial use)",
    what=(
        "the archive and unpack it: a folder with Sentences_AllAgree.txt, …75Agree, …66Agree and …50Agree "
        "(.gz works too)"
    ),
)
FOMC = Published(
    name="FOMC stance (Shah et al. 2023, Trillion Dollar Words)",
    where="github.com (gtfintechlab/fomc-hawkish-dovish)",
    licence="the licence CC BY-NC 4.0 (not for commercial use)",
    what="a labelled file with the columns sentence and label, or original_sent and true_label (CSV, JSONL or Parquet)",
)
WRITINGBENCH = Published(
    name="WritingBench (Wu et al. 2025, arXiv:2503.05244)",
    where="github.com (X-PLUG/WritingBench)",
    licence="the licence Apache-2.0",
    what="benchmark_all.jsonl (rows of other domains are passed over)",
)
