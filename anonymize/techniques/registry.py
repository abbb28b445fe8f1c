"""All techniques by the names that policies call them, and how each is read."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

from anonymize.strict import Fields
from anonymize.techniques.drop import Drop
from anonymize.techniques.end_coding import BottomCode, TopCode
from anonymize.techniques.fake import Fake
from anonymize.techniques.generalize import Generalize
from anonymize.techniques.keep import Keep
from anonymize.techniques.mask import Mask
from anonymize.techniques.micro_aggregate import MicroAggregate
from anonymize.techniques.noise import Noise
from anonymize.techniques.pseudonymize import Pseudonymize
from anonymize.techniques.randomize import Randomize
from anonymize.techniques.rounding import Round
from anonymize.techniques.swap import Swap

Cellwise = Pseudonymize | Fake | Mask | Round | TopCode | BottomCode
"""Value by value (`technique.CellTechnique`)."""
Perturbing = MicroAggregate | Noise | Swap | Randomize
"""Whole columns at once (`technique.Perturbation`)."""
Technique = Drop | Keep | Generalize | Cellwise | Perturbing

WITHOUT_PARAMS: Final[Mapping[str, Technique]] = {Drop.name: Drop(), Keep.name: Keep()}
WITH_PARAMS: Final[Mapping[str, Callable[[Fields], Technique]]] = {
    Pseudonymize.name: Pseudonymize.read,
    Fake.name: Fake.read,
    Mask.name: Mask.read,
    Generalize.name: Generalize.read,
    Round.name: Round.read,
    TopCode.name: TopCode.read,
    BottomCode.name: BottomCode.read,
    MicroAggregate.name: MicroAggregate.read,
    Noise.name: Noise.read,
    Swap.name: Swap.read,
    Randomize.name: Randomize.read,
}
NAMES: Final = (*WITHOUT_PARAMS, *WITH_PARAMS)


def read_technique(name: str, fields: Fields) -> Technique:
    """The technique of a column; `fields` is the column's table, of which `params` is read.

    Raises:
        BadInput: parameters are missing, unknown or out of range.
    """
    if name in WITHOUT_PARAMS:
        return WITHOUT_PARAMS[name]
    params = fields.table("params")
    technique = WITH_PARAMS[name](params)
    params.close()
    return technique
