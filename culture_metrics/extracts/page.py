"""A check as a page: verdict, counts, problems by severity, and the account of rows and answers."""

from __future__ import annotations

import html
import re
from itertools import groupby
from typing import TYPE_CHECKING

import polars as pl

from culture_metrics.problems import SEVERITIES, WORDS, counted, listed

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Any

    from culture_metrics.extracts.report import ValidationReport

    Tiles = Sequence[tuple[str, int]]
    Row = dict[str, Any]

#: Rules broken in more columns than this are folded into one line.
UNFOLDED = 4
PLURALS = {"error": "Errors", "warning": "Warnings", "note": "Notes"}
#: Columns of the table of problems and their widths in per cent.
WIDTHS = {
    "What": 17,
    "Column": 13,
    "Rows": 7,
    "Found": 23,
    "Expected": 16,
    "What was done, what to do": 24,
}
#: A page is passed on. Which row gave the same answer throughout, or answered past a filter, is something
#: that a person answered, and a file is often in the order of a list of staff.
ONLY = (
    "Counts only: no answers and no row numbers. Row numbers, for whoever holds the file, are in .problems "
    "and in the workbook of .to_excel()."
)
#: What each severity asks of the reader.
MEANINGS = {
    "error": "Something was set aside or is not what it seems. Read these before you rely on the numbers.",
    "warning": "Worth a look; the numbers can be used.",
    "note": "For your information.",
}
STYLE = """
.cm-check{--ink:var(--jp-content-font-color1,var(--vscode-editor-foreground,#222));
--quiet:var(--jp-content-font-color2,var(--vscode-descriptionForeground,#595959));
--line:var(--jp-border-color2,#d9d9d9);--soft:var(--jp-layout-color2,var(--vscode-textBlockQuote-background,#f7f7f7));
--ground:var(--jp-layout-color0,var(--vscode-editor-background,#fff));
--error:#801650;--warning:#8a3b00;--note:#12436d;--ok:#1d6b5f;background:var(--ground);color:var(--ink);
font:14px/1.45 "Segoe UI",-apple-system,"Helvetica Neue",Arial,"Liberation Sans",sans-serif;max-width:1180px;
padding:4px 2px;text-align:left}
[data-jp-theme-light="false"] .cm-check,.vscode-dark .cm-check{--error:#ff9fc8;--warning:#ffb98a;
--note:#8cc4f2;--ok:#7fd1bf}
.cm-check.cm-check tr,.cm-check.cm-check tr:hover{background:none}
.cm-check .verdict{border-left:6px solid var(--c);background:var(--soft);padding:10px 16px;margin:0 0 12px}
.cm-check .verdict strong{color:var(--c);font-size:18px;display:block}
.cm-check .title{color:var(--quiet)}
.cm-check .error{--c:var(--error)}.cm-check .warning{--c:var(--warning)}.cm-check .note{--c:var(--note)}
.cm-check .ok{--c:var(--ok)}
.cm-check dl.tiles{display:flex;flex-wrap:wrap;gap:8px;margin:0 0 16px;padding:0}
.cm-check dl.tiles div{border:1px solid var(--line);border-top:3px solid var(--c,#949494);
padding:6px 14px 8px;min-width:104px;display:flex;flex-direction:column-reverse}
.cm-check dl.tiles dt{color:var(--quiet);font-size:13px;font-weight:400}
.cm-check dl.tiles dd{margin:0;font-size:24px;font-weight:600;font-variant-numeric:tabular-nums}
.cm-check .heading{color:var(--c,var(--ink));font-size:16px;font-weight:600;margin:18px 0 2px}
.cm-check section{border:0;margin:0;padding:0}
.cm-check .meaning{color:var(--quiet);margin:0 0 6px}
.cm-check .scroll{overflow-x:auto}
.cm-check table{border-collapse:collapse;width:100%;min-width:680px;margin:0;font-size:13px;
table-layout:fixed}
.cm-check table.account{width:auto;min-width:0;table-layout:auto}.cm-check table.account td{padding-left:18px}
.cm-check caption{text-align:left;color:var(--quiet);padding:0 0 4px;caption-side:top}
.cm-check th,.cm-check td{border-bottom:1px solid var(--line);padding:6px 10px 6px 0;vertical-align:top;
text-align:left;white-space:normal;overflow-wrap:anywhere;background:none;color:var(--ink)}
.cm-check thead th{border-bottom:2px solid var(--c,var(--quiet));font-weight:600;color:var(--quiet)}
.cm-check tbody th{font-weight:600}
.cm-check .number{text-align:right;font-variant-numeric:tabular-nums;white-space:nowrap;overflow-wrap:normal}
.cm-check .chip{border:1px solid var(--c);border-radius:3px;color:var(--c);font-size:11px;font-weight:600;
padding:0 5px;white-space:nowrap}
.cm-check code{font-size:12px;background:var(--soft);padding:1px 4px}
.cm-check summary{cursor:pointer}
.cm-check summary:focus-visible,.cm-check .scroll:focus-visible{outline:3px solid #ffbf47;outline-offset:-2px;
box-shadow:inset 0 0 0 1px var(--ink)}
.cm-check.cm-check th,.cm-check.cm-check td{text-align:left}.cm-check.cm-check .number{text-align:right}
.cm-check.cm-check dl.tiles dt,.cm-check.cm-check dl.tiles dd{display:block;float:none;width:auto;margin:0}
.cm-check .foot{color:var(--quiet);font-size:12px;margin:14px 0 0}
@media print{.cm-check details{display:block}.cm-check .scroll{overflow:visible}.cm-check table{min-width:0}
.cm-check .heading,.cm-check .meaning{break-after:avoid}}
"""


PAGE_STYLE = """
body{margin:24px auto;max-width:1180px;padding:0 16px;background:#fff}
h1{font:600 22px/1.3 "Segoe UI",-apple-system,"Helvetica Neue",Arial,sans-serif;color:#222}
.cm-check .title{display:none}
@media screen and (prefers-color-scheme:dark){:root{color-scheme:dark}body{background:#111}h1{color:#e0e0e0}
.cm-check{--ink:#e0e0e0;--quiet:#b3b3b3;--line:#4d4d4d;--soft:#242424;--ground:#111;--error:#ff9fc8;--warning:#ffb98a;
--note:#8cc4f2;--ok:#7fd1bf}}
"""


def report_html(report: ValidationReport, level: int = 3) -> str:
    """Return the report as a part of a page; headings are of the given level."""
    tiles = [("Rows used", report.rows_used), ("Answers made missing", report.cells_set_aside)]
    if report.counts_rows:
        other = f"Rows of other {report.extract.edition.survey.cycle}s"
        tiles[1:1] = [
            *([(other, report.rows_of_other_years)] if report.rows_of_other_years else []),
            ("Rows set aside", report.rows_set_aside - report.rows_of_other_years),
        ]
        tiles.insert(0, ("Rows in the file", report.rows_read))
    provenance = report.extract.provenance
    facts = [
        ("file", provenance.get("file")),
        ("sheet", provenance.get("sheet")),
        ("SHA-256", str(provenance.get("sha256") or "")[:16]),
    ]
    source = "; ".join(f"{name} {value}" for name, value in facts if value)
    return check_html(
        report.title,
        report.verdict,
        report.problems.with_columns(_in_words(report, "column"), _in_words(report, "found")),
        tiles,
        after=_account(report.reconciliation, level),
        foot=f"{source[:1].upper()}{source[1:]}. " if source else "",
        level=level,
    )


def _in_words(report: ValidationReport, name: str) -> pl.Expr:
    """Say the columns of breakdowns as the file does: `locality_1` is no reader's word."""
    words = report.extract.words
    if name == "column":
        return pl.col(name).replace(words)
    said = pl.col(name)
    for ours, word in words.items():
        said = said.str.replace_all(rf"\b{re.escape(ours)}\b", word.replace("$", "$$"))
    return said


def check_html(
    title: str,
    verdict: str,
    problems: pl.DataFrame,
    tiles: Tiles,
    *,
    after: str = "",
    foot: str = "",
    level: int = 3,
) -> str:
    """Return any check as a part of a page: it holds its style and loads nothing."""
    counts = {name: int((problems["severity"] == name).sum()) for name in SEVERITIES}
    state = next((name for name in ("error", "warning") if counts[name]), "ok")
    boxes = [(name, f"{n:,}", "") for name, n in tiles]
    boxes += [(PLURALS[name] if n != 1 else WORDS[name], f"{n:,}", name) for name, n in counts.items()]
    shown = "".join(
        f"<div class='{kind}'><dt>{html.escape(name)}</dt><dd>{n}</dd></div>" for name, n, kind in boxes
    )
    parts = [
        f"<div class='cm-check'><style>{STYLE}</style>",
        f"<div class='verdict {state}'><strong>{html.escape(verdict)}</strong>",
        f"<span class='title'>{html.escape(title)}</span></div>",
        f"<dl class='tiles'>{shown}</dl>",
        *(_severity(name, problems.filter(severity=name), level) for name, n in counts.items() if n),
        after,
        f"<p class='foot'>{html.escape(foot)}{ONLY}</p></div>",
    ]
    return "".join(parts)


def _severity(name: str, problems: pl.DataFrame, level: int) -> str:
    widths = "".join(f"<col style='width:{width}%'>" for width in WIDTHS.values())
    number = {"Rows": " class='number'"}
    head = "".join(f"<th scope='col'{number.get(text, '')}>{text}</th>" for text in WIDTHS)
    by_rule = groupby(
        problems.sort("rule", maintain_order=True).iter_rows(named=True), key=lambda row: row["rule"]
    )
    order = problems["rule"].unique(maintain_order=True).to_list()
    groups = {rule: list(rows) for rule, rows in by_rule}
    body = "".join(_rule(name, groups[rule]) for rule in order)
    lines = sum(len(rows) if len(rows) <= UNFOLDED else 1 for rows in groups.values())
    folded = f", in {counted(lines, 'line')}" if lines < problems.height else ""
    title = f"{PLURALS[name]} ({problems.height}{folded})"
    return (
        f"<section class='{name}'><h{level} class='heading'>{title}</h{level}>"
        f"<p class='meaning'>{MEANINGS[name]}</p>{_scrolled(PLURALS[name])}"
        f"<table><colgroup>{widths}</colgroup>"
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div></section>"
    )


def _rule(severity: str, rows: list[Row]) -> str:
    """Show the problems of one rule: one line each, or folded into one."""
    if len(rows) <= UNFOLDED:
        return "".join(_line(severity, row, html.escape(row["column"] or ""), row["rows"]) for row in rows)
    inner = ", ".join(
        html.escape(row["column"] or "") + (f" ({row['rows']:,})" if row["rows"] else "") for row in rows
    )
    columns = (
        f"<details><summary>{counted(len(rows), 'column')}: "
        f"{html.escape(listed((row['column'] for row in rows), 3))}</summary>{inner}</details>"
    )
    first = {
        **rows[0],
        "expected": rows[0]["expected"] if _one(rows, "expected") else "differs from column to column",
    }
    if not _one(rows, "found"):
        first["found"] = f"{rows[0]['found']}; and others"
    return _line(severity, first, columns, sum(row["rows"] for row in rows))


def _scrolled(name: str) -> str:
    """Return the start of a frame in which a wide table is scrolled, with keys as well."""
    return f"<div class='scroll' role='group' aria-label='{name}' tabindex='0'>"


def _one(rows: list[Row], name: str) -> bool:
    return len({row[name] for row in rows}) == 1


def _line(severity: str, row: Row, column: str, number: int) -> str:
    rule = row["rule"][:1].upper() + row["rule"][1:]
    return (
        f"<tr><th scope='row'><span class='chip'>{WORDS[severity]}</span> {html.escape(rule)}</th>"
        f"<td>{column}</td><td class='number'>{f'{number:,}' if number else ''}</td>"
        f"<td>{html.escape(row['found'])}</td>"
        f"<td>{html.escape(row['expected'])}</td><td>{html.escape(row['done'])}</td></tr>"
    )


def _account(table: pl.DataFrame, level: int) -> str:
    """Show where every row and answer went."""
    body = "".join(
        f"<tr><th scope='row'>{what.capitalize()} {html.escape(fate)}</th>"
        f"<td>{html.escape(reason or '')}</td><td class='number'>{n:,}</td></tr>"
        for what, fate, reason, n in table.iter_rows()
    )
    return (
        f"<section><h{level} class='heading'>Where every row and answer went</h{level}>"
        "<p class='meaning'>What was read is the sum of the lines beneath it. Answers that put people "
        f"into groups (age, gender) are not counted.</p>{_scrolled('Rows and answers')}"
        "<table class='account'>"
        "<thead><tr><th scope='col'>What</th><th scope='col'>Reason</th>"
        "<th scope='col' class='number'>Number</th></tr></thead>"
        f"<tbody>{body}</tbody></table></div></section>"
    )


def whole_page(body: str, title: str) -> str:
    """Make a page of its own of a part of one.

    A content security policy forbids the browser to load anything from anywhere.
    """
    name = html.escape(title)
    return (
        "<!DOCTYPE html>\n<html lang='en-GB'><head><meta charset='utf-8'>"
        "<meta http-equiv='Content-Security-Policy' "
        "content=\"default-src 'none'; style-src 'unsafe-inline'\">"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<title>{name}</title><style>{PAGE_STYLE}</style></head>"
        f"<body><main><h1>{name}</h1>{body}</main></body></html>\n"
    )
