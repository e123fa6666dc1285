"""The metrics of several processes as one text: each family once, each sample with the process that it is of."""

from __future__ import annotations

from collections.abc import Mapping

LABEL = "llm_mesh_process"
_UP = f"# HELP {LABEL}_up Whether the process tells its metrics.\n# TYPE {LABEL}_up gauge\n"
_HELP = "# HELP "


def joined(texts: Mapping[str, str | None]) -> str:
    """Prometheus' text format, from the texts by process; None stands for one that is silent."""
    families: dict[str, list[str]] = {}
    heads: dict[str, list[str]] = {}
    for process, text in texts.items():
        family = ""
        for line in (text or "").splitlines():
            if line.startswith(_HELP):
                family = line.split(" ", 3)[2]
                families.setdefault(family, [])
            if line.startswith("#"):
                head = heads.setdefault(family, [])
                if line not in head:
                    head.append(line)
            elif line:
                families[family].append(_labelled(line, process))
    up = "".join(f'{LABEL}_up{{{LABEL}="{process}"}} {int(text is not None)}\n' for process, text in texts.items())
    return _UP + up + "".join("\n".join((*heads[family], *samples)) + "\n" for family, samples in families.items())


def _labelled(sample: str, process: str) -> str:
    """A metric's name has neither brace nor blank, so the first of them ends it."""
    brace, blank = sample.find("{"), sample.find(" ")
    if 0 <= brace < blank:
        rest = sample[brace + 1 :]
        comma = "" if rest.startswith("}") else ","
        return f'{sample[:brace]}{{{LABEL}="{process}"{comma}{rest}'
    return f'{sample[:blank]}{{{LABEL}="{process}"}}{sample[blank:]}'
