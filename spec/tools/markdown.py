"""Markdown, as the generated parts of `spec/` use it."""


def table(heads: tuple[str, ...], rows: list[tuple[object, ...]]) -> str:
    """A Markdown table, without the columns in which nothing is said."""
    kept = [at for at in range(len(heads)) if any(str(row[at]) for row in rows)]
    lines = [[heads[at] for at in kept], *([str(row[at]) for at in kept] for row in rows)]
    written = ["| " + " | ".join(line) + " |" for line in lines]
    return "\n".join([written[0], "|" + "---|" * len(kept), *written[1:]]) + "\n"
