"""What every command of the anonymizer shares: refusals as words and exit codes, progress for a person who watches."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Final

import click

from anonymize.errors import AnonymizeError, no_such_column
from anonymize.text import LANGUAGES, Language, Text

STEPS: Final[dict[str, Text]] = {
    "read": Text("读取", "reading"),
    "detect": Text("检测", "detecting"),
    "transform": Text("转换", "transforming"),
    "search": Text("搜索层级", "searching levels"),
    "measure": Text("度量", "measuring"),
    "subsets": Text("列的组合", "sets of columns"),
    "link": Text("关联", "linking"),
    "learn": Text("训练", "learning"),
    "draw": Text("抽取", "drawing"),
    "write": Text("写入", "writing"),
    "verify": Text("复核", "verifying"),
    "done": Text("完成", "done"),
}

language_option = click.option(
    "--language", type=click.Choice(LANGUAGES), default="zh", show_default=True, help="Language of the words."
)
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")


@contextmanager
def refusals(language: Language, *, as_json: bool) -> Iterator[None]:
    """Say a refusal in words (and as JSON when asked), and leave with its exit code."""
    try:
        yield
    except AnonymizeError as refused:
        if as_json:
            click.echo(json.dumps({"refused": refused.as_json(language)}, ensure_ascii=False))
        click.echo(refused.sentence(language), err=True)
        sys.exit(refused.exit_code)


@contextmanager
def progress_bar(language: Language) -> Iterator[Callable[[str, float], None]]:
    """A progress bar on standard error when a person is watching, nothing otherwise."""
    if not sys.stderr.isatty():
        yield lambda step, share: None
        return
    with click.progressbar(length=100, file=sys.stderr, item_show_func=lambda item: item) as bar:

        def tell(step: str, share: float) -> None:
            bar.update(round(share * 100) - bar.pos, STEPS[step].in_language(language))

        yield tell


def chosen_columns(chosen: Sequence[str], present: Sequence[str], table: str) -> list[str]:
    """The columns that options name, each once, in the order named.

    Raises:
        BadInput: the table has no such column.
    """
    names: list[str] = []
    for option in chosen:
        # A column may have a comma in its name: then the option as a whole is the name.
        names += [option] if option in present else [name.strip() for name in option.split(",") if name.strip()]
    for name in names:
        if name not in present:
            raise no_such_column(table, name)
    return list(dict.fromkeys(names))
