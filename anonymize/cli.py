"""The anonymizer's commands: `zhakou anonymize`, `zhakou risk`, and those of detect and screen.

Also run as `python -m anonymize.cli`, where a worker process has nothing of the hub. With `--json` a refusal is
printed as `{"refused": {...}}`, so that the caller never reads words to learn what happened.
"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, assert_never

import click

from anonymize.detect.cli import COMMANDS as DETECT_COMMANDS
from anonymize.errors import AnonymizeError, BadInput, NotFound, Place
from anonymize.ladder import build_rung
from anonymize.pipeline import Extracted
from anonymize.policy import AnonymizationPolicy, load_policy
from anonymize.privacy.classes import measure_classes
from anonymize.privacy.population import PopulationUniques, estimate_population_uniques
from anonymize.privacy.risk import Risk, measure_risk
from anonymize.rung import RUNG_NAMES, RUNG_WARNINGS, Rung
from anonymize.screen.cli import COMMANDS as SCREEN_COMMANDS
from anonymize.table import read_table
from anonymize.techniques.pseudonymize import MIN_KEY_BYTES
from anonymize.text import LANGUAGES, Language, Text

MAX_KEY_BYTES: Final = 4096

STEPS: Final[dict[str, Text]] = {
    "read": Text("读取", "reading"),
    "detect": Text("检测", "detecting"),
    "transform": Text("转换", "transforming"),
    "search": Text("搜索层级", "searching levels"),
    "measure": Text("度量", "measuring"),
    "draw": Text("抽取", "drawing"),
    "write": Text("写入", "writing"),
    "verify": Text("复核", "verifying"),
    "done": Text("完成", "done"),
}

_language = click.option(
    "--language", type=click.Choice(LANGUAGES), default="zh", show_default=True, help="Language of the words."
)
_json = click.option("--json", "as_json", is_flag=True, help="Print JSON instead of words.")


@click.command("anonymize")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--policy", "policy_file", type=click.Path(path_type=Path), required=True, help="The policy (TOML).")
@click.option("--out", type=click.Path(path_type=Path), required=True, help="A new folder for the three files.")
@click.option(
    "--key-file",
    type=click.Path(path_type=Path),
    help="The licence's key: a file of at least 32 random bytes. Needed for pseudonyms; without it rows are "
    "ordered by a key used once, and two runs differ.",
)
@click.option(
    "--rung",
    type=click.Choice([str(rung) for rung in Rung]),
    default=str(Rung.FULL),
    show_default=True,
    help="How much to show: the columns only, made-up rows, a sample, or all rows; the columns are the same on each.",
)
@click.option("--rows", type=int, help="At most so many rows; for the synthetic and the sampled rung.")
@click.option(
    "--title", nargs=2, metavar="ZH EN", help="What the table is called in Chinese and English, for the report."
)
@_json
@_language
def anonymize(
    table: Path,
    policy_file: Path,
    out: Path,
    key_file: Path | None,
    rung: str,
    rows: int | None,
    title: tuple[str, str] | None,
    as_json: bool,
    language: Language,
) -> None:
    """Make an extract of TABLE (Parquet, CSV, XLSX) as the policy says, or refuse and write nothing.

    Writes extract.parquet, manifest.json and report.html to the new folder OUT.
    """
    with _refusals(language, as_json=as_json), _progress(language) as tell:
        policy = load_policy(policy_file)
        done = build_rung(
            rung=Rung(rung),
            source=table,
            policy=policy,
            key=_key(key_file, policy),
            out_dir=out,
            created_at=datetime.now(UTC),
            rows=rows,
            title=None if title is None else Text(*title),
            progress=tell,
        )
    click.echo(json.dumps(_files(done), ensure_ascii=False) if as_json else _summary(done, language))


@click.command("risk")
@click.argument("table", type=click.Path(path_type=Path))
@click.option("--quasi", multiple=True, required=True, help="Quasi-identifiers, with commas between or repeated.")
@click.option("--sensitive", multiple=True, help="Sensitive attributes, with commas between or repeated.")
@click.option(
    "--population",
    type=click.IntRange(min=1),
    help="People the table was drawn from: estimates how many of them are unique (Zayatz, Pitman, SNB, Dankar).",
)
@_json
@_language
def risk(
    table: Path,
    quasi: tuple[str, ...],
    sensitive: tuple[str, ...],
    population: int | None,
    as_json: bool,
    language: Language,
) -> None:
    """Measure the risk of re-identification in TABLE: k, l, t, three attackers, uniques."""
    with _refusals(language, as_json=as_json):
        frame = read_table(table)
        names = [_columns(chosen, frame.columns, table.name) for chosen in (quasi, sensitive)]
        classes = measure_classes(frame, *names)
        outside = None if population is None else estimate_population_uniques(classes, population=population)
    found = measure_risk(classes)
    if as_json:
        beyond = {} if outside is None else {"population_uniques": outside.as_json()}
        click.echo(json.dumps({**found.as_json(), **beyond}, ensure_ascii=False))
    else:
        click.echo("\n".join([_risk_lines(found, language), *_population_lines(outside, language)]))


COMMANDS: Final[list[click.Command]] = [*DETECT_COMMANDS, anonymize, risk, *SCREEN_COMMANDS]


@click.group(commands=COMMANDS)
def main() -> None:
    """Tables in, safer tables and a report out."""


@contextmanager
def _refusals(language: Language, *, as_json: bool) -> Iterator[None]:
    """Say a refusal in words (and as JSON when asked), and leave with its exit code."""
    try:
        yield
    except AnonymizeError as refused:
        if as_json:
            click.echo(json.dumps({"refused": refused.as_json(language)}, ensure_ascii=False))
        click.echo(refused.sentence(language), err=True)
        sys.exit(refused.exit_code)


@contextmanager
def _progress(language: Language) -> Iterator[Callable[[str, float], None]]:
    """A progress bar on standard error when a person is watching, nothing otherwise."""
    if not sys.stderr.isatty():
        yield lambda step, share: None
        return
    with click.progressbar(length=100, file=sys.stderr, item_show_func=lambda item: item) as bar:

        def tell(step: str, share: float) -> None:
            bar.update(round(share * 100) - bar.pos, STEPS[step].in_language(language))

        yield tell


def _key(key_file: Path | None, policy: AnonymizationPolicy) -> bytes:
    if key_file is None:
        if any(rule.technique.uses_key for rule in policy.columns):
            raise BadInput(
                code="key.missing",
                subject="--key-file",
                text=Text(
                    "规则含有由密钥决定的方法（假名、虚构、噪声、互换、随机化），但没有给出密钥。",
                    "The policy has techniques that a key decides (pseudonyms, inventions, noise, swapping, "
                    "randomizing), but no key was given.",
                ),
                next_step=Text(
                    "请用 --key-file 指定该协议的密钥文件。", "Name the licence's key file with --key-file."
                ),
            )
        return secrets.token_bytes(MIN_KEY_BYTES)
    try:
        with key_file.open("rb") as file:
            return file.read(MAX_KEY_BYTES)
    except OSError as failed:
        raise NotFound(
            code="key.not_found",
            subject="--key-file",
            text=Text("找不到密钥文件或无权读取。", "There is no such key file, or it can't be read."),
            next_step=Text("请检查路径和权限。", "Check the path and its permissions."),
        ) from failed


def _columns(chosen: Sequence[str], present: Sequence[str], table: str) -> list[str]:
    names: list[str] = []
    for option in chosen:
        # A column may have a comma in its name: then the option as a whole is the name.
        names += [option] if option in present else [name.strip() for name in option.split(",") if name.strip()]
    for name in names:
        if name not in present:
            raise Place(table=table, column=name).refuse(
                "column.not_found",
                found=Text("表中没有该列", "the table has no such column"),
                next_step=Text("请检查列名。", "Check the name of the column."),
            )
    return list(dict.fromkeys(names))


def _files(done: Extracted) -> dict[str, Any]:
    return {
        "rung": str(done.rung),
        "extract": str(done.extract_path),
        "manifest": str(done.manifest_path),
        "report": str(done.report_path),
        "rows": done.manifest["rows"],
        "k": done.k,
        "digests": done.manifest["digests"],
        "loss": done.manifest["loss"],
    }


def _summary(done: Extracted, language: Language) -> str:
    digest = done.manifest["digests"]["extract"]
    lines = Text(
        f"{_figures(done).zh}\n  数据   {done.extract_path}\n  清单   {done.manifest_path}\n"
        f"  报告   {done.report_path}\n  SHA-256 {digest}",
        f"{_figures(done).en}\n  data     {done.extract_path}\n  manifest {done.manifest_path}\n"
        f"  report   {done.report_path}\n  SHA-256  {digest}",
    )
    return lines.in_language(language)


def _figures(done: Extracted) -> Text:
    rows, loss = done.manifest["rows"], done.manifest["loss"]["value"]
    name, warning = RUNG_NAMES[done.rung], RUNG_WARNINGS[done.rung]
    match done.rung:
        case Rung.FULL:
            return Text(
                f"已生成脱敏数据包：{done.rows} 行，k = {done.k}，删除 {rows['suppressed']} 行，"
                f"细节损失 (NCP) {loss:.1%}",
                f"Extract made: {done.rows} rows, k = {done.k}, {rows['suppressed']} rows removed, "
                f"detail lost {loss:.1%} NCP",
            )
        case Rung.SAMPLED:
            k_map = done.manifest["sample"]["population"]["k_map"]
            return Text(
                f"已生成{name.zh}：{done.rows} 行（全量 {rows['of']} 行），样本内 k = {done.k}，k-map = {k_map}",
                f"Made, {name.en}: {done.rows} of {rows['of']} rows, k = {done.k} in the sample, k-map = {k_map}",
            )
        case Rung.SYNTHETIC | Rung.METADATA:
            return Text(
                f"已生成{name.zh}：{done.rows} 行。{warning.zh}", f"Made, {name.en}: {done.rows} rows. {warning.en}"
            )
        case _ as unknown:
            assert_never(unknown)


def _risk_lines(found: Risk, language: Language) -> str:
    lines = [
        Text(f"行数 {found.rows}，等价类 {found.classes}", f"{found.rows} rows in {found.classes} classes"),
        Text(
            f"k = {found.k}，独一无二的行 {found.uniques}", f"k = {found.k}, rows alone in their class: {found.uniques}"
        ),
        Text(
            f"重标识风险：最高 {found.prosecutor_max:.4f}，平均 {found.prosecutor_mean:.4f}，"
            f"记者模型最高 {found.journalist_max:.4f}，营销者模型 {found.marketer:.4f}",
            f"risk: prosecutor highest {found.prosecutor_max:.4f}, mean {found.prosecutor_mean:.4f}; "
            f"journalist highest {found.journalist_max:.4f}; marketer {found.marketer:.4f}",
        ),
    ]
    lines += [
        Text(f"{name}:l = {value},t = {found.t[name]:.4f}", f"{name}: l = {value}, t = {found.t[name]:.4f}")
        for name, value in found.l.items()
    ]
    return "\n".join(line.in_language(language) for line in lines)


def _population_lines(found: PopulationUniques | None, language: Language) -> list[str]:
    if found is None:
        return []
    shares = {"Zayatz": found.zayatz, "Pitman": found.pitman, "SNB": found.snb}
    zh = "，".join(f"{name} {'无解' if share is None else f'{share:.4f}'}" for name, share in shares.items())
    en = ", ".join(f"{name} {'no answer' if share is None else f'{share:.4f}'}" for name, share in shares.items())
    text = Text(
        f"总体 {found.population} 人中唯一者的估计占比：{found.dankar:.4f}（Dankar 规则采用 {found.believed}）；{zh}",
        f"estimated share unique among {found.population} people: {found.dankar:.4f} (Dankar's rule takes "
        f"{found.believed}); {en}",
    )
    return [text.in_language(language)]


if __name__ == "__main__":
    main()
