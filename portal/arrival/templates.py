"""Empty files to start from: headings, and one example line."""

from __future__ import annotations

import csv
import json
from pathlib import Path
from zoneinfo import ZoneInfo

from portal.arrival.files import PLAN, file_kinds
from portal.commissions.plans.versions import SHIPPED


def write_templates(folder: Path, *, zone: ZoneInfo) -> list[Path]:
    """Write every file of an import into a folder; raises `FileExistsError` rather than replace one."""
    folder.mkdir(parents=True, exist_ok=True)
    written = []
    for kind in file_kinds(zone):
        path = folder / kind.name
        with path.open("x", encoding="utf-8", newline="") as file:
            rows = csv.writer(file, lineterminator="\n")
            rows.writerow([column.name for column in kind.columns])
            rows.writerow([column.example for column in kind.columns])
        written.append(path)
    plan = folder / PLAN
    with plan.open("x", encoding="utf-8") as file:
        file.write(json.dumps(SHIPPED, indent=2) + "\n")
    return [*written, plan]
