"""`zhakou screen`: the machine check of the gate on the command line. Exit 0 for pass and flag, 24 for block."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Final

import click

from anonymize.detect.cli import refusing
from anonymize.errors import EXIT_CHECKS_FAILED
from anonymize.screen.engine import load_extract_or_refuse, screen_files
from anonymize.screen.pack import load_pack
from anonymize.screen.verdict import Outcome, Verdict
from anonymize.text import LANGUAGES, Language

_WORDS: Final = {
    "zh": {Outcome.PASS: "通过", Outcome.FLAG: "需人工判断", Outcome.BLOCK: "不予放行"},
    "en": {Outcome.PASS: "pass", Outcome.FLAG: "flag: a reviewer decides", Outcome.BLOCK: "block"},
}


@click.command("screen")
@click.argument("files", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--extract",
    "extracts",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Extract the files may come from; may be repeated.",
)
@click.option("--released", type=click.Path(path_type=Path), help="Folder of earlier releases.")
@click.option("--rules", type=click.Path(path_type=Path), help="Rule pack (TOML); the base pack if left out.")
@click.option("--json", "as_json", is_flag=True, help="Print the verdict as JSON.")
@click.option(
    "--language", type=click.Choice(LANGUAGES), default="zh", show_default=True, help="Language of the words."
)
@refusing
def screen(
    files: tuple[Path, ...],
    extracts: tuple[Path, ...],
    released: Path | None,
    rules: Path | None,
    as_json: bool,
    language: Language,
) -> None:
    """Check FILES that are to leave: type, hidden content, records, small cells, identifiers."""
    for extract in extracts:
        load_extract_or_refuse(extract)
    pack = load_pack(rules) if rules is not None else None
    verdict = screen_files(files, extracts=extracts, released=released, pack=pack)
    click.echo(
        json.dumps(verdict.as_json(language), ensure_ascii=False, indent=2) if as_json else _report(verdict, language)
    )
    if verdict.verdict is Outcome.BLOCK:
        sys.exit(EXIT_CHECKS_FAILED)


def _report(verdict: Verdict, language: Language) -> str:
    lines = [f"{_WORDS[language][verdict.verdict]}  [{verdict.pack} {verdict.pack_version}]"]
    for item in verdict.findings:
        place = " ".join(part for part in (item.file, item.where) if part)
        text, step = item.text.in_language(language), item.next_step.in_language(language)
        lines.append(f"{item.level.value:5} {item.rule} {item.code.value}  {place}: {text} {step}")
    return "\n".join(lines)


COMMANDS: Final = [screen]
