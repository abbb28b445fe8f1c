"""A notebook file on its way to the browser: outputs as strict as live ones, and nothing that grants itself trust.

Pure. The kernel can write the file as it likes, so a saved output is judged like a message; see `sandbox.server.mime`.
"""

from __future__ import annotations

from typing import Any

import nbformat

from sandbox.server.mime import clean_bundle

_ATTACHED = ("image/png", "image/jpeg")


class NotANotebook(Exception):
    """The text is no notebook of the current format."""


def read_notebook(text: str) -> dict[str, Any]:
    """The notebook as plain JSON values, cleaned.

    Raises:
        NotANotebook: it cannot be read or does not fit the format.
    """
    try:
        notebook = nbformat.reads(text, as_version=4)
        nbformat.validate(notebook)
    except Exception as error:  # of many kinds: the file is hostile, the answer is one
        raise NotANotebook from error
    return clean_notebook(notebook)


def write_notebook(content: object) -> str:
    """The text of a notebook that the browser sent, cleaned the same way."""
    try:
        notebook = nbformat.from_dict(content)
        nbformat.validate(notebook)
    except Exception as error:  # as above
        raise NotANotebook from error
    return str(nbformat.writes(nbformat.from_dict(clean_notebook(notebook)), version=4))


def clean_notebook(notebook: Any) -> dict[str, Any]:
    """Every output rebuilt, every claim of trust removed, attachments limited to images."""
    for cell in notebook["cells"]:
        cell["metadata"].pop("trusted", None)
        if "outputs" in cell:
            cell["outputs"] = [kept for output in cell["outputs"] if (kept := _output(output)) is not None]
        if "attachments" in cell:
            cell["attachments"] = {name: _attachment(bundle) for name, bundle in cell["attachments"].items()}
    return dict(notebook)


def _attachment(bundle: object) -> dict[str, str]:
    return {kind: value for kind, value in clean_bundle(bundle).items() if kind in _ATTACHED}


def _output(output: Any) -> dict[str, Any] | None:
    match output["output_type"]:
        case "stream":
            return {"output_type": "stream", "name": output["name"], "text": _joined(output["text"])}
        case "error":
            return {
                "output_type": "error",
                "ename": str(output["ename"]),
                "evalue": str(output["evalue"]),
                "traceback": [str(line) for line in output["traceback"]],
            }
        case "display_data" | "execute_result" as kind:
            data = clean_bundle(output["data"])
            if not data:
                return None
            kept: dict[str, Any] = {"output_type": kind, "data": data, "metadata": {}}
            if kind == "execute_result":
                kept["execution_count"] = output.get("execution_count")
            return kept
        case _:
            return None


def _joined(text: str | list[str]) -> str:
    return text if isinstance(text, str) else "".join(text)
