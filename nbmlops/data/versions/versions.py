"""Which version of a file or folder this is, by what DVC, git-lfs, Delta Lake and lakeFS leave beside it.

Only small files are read: pointers, logs, git's index. Keys, all texts:

- `dvc_file`, `dvc_data_hash`, `dvc_state`: the pointer, relative to the DVC repository; its hash; whether the data is
  the "same" (its MD5 is the pointer's), "changed", or, for folders and large files, of the "same size";
- `git_lfs_oid`: of a pointer that was not pulled, or of data that git knows to be unchanged;
- `delta_version`, `delta_table_id`: the newest version in the table's log;
- `lakefs_uri`, `lakefs_commit`: of a folder that `lakectl local` keeps.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from pathlib import Path

from nbmlops.core.errors import UsageError
from nbmlops.core.git import ask_git
from nbmlops.data.versions.dvc_pointer import Pointer, read_pointer

_SMALL = 64 << 20
_POINTER_BYTES = 1024
_LOG_BYTES = 1 << 20
_LFS = re.compile(rb"version https://git-lfs\.github\.com/spec/v1\n(?:.*\n)*?oid sha256:([0-9a-f]{64})\nsize \d+\n")
_DELTA_FILE = re.compile(r"(\d{20})\.(?:json|checkpoint[\w.-]*\.parquet)")
_LAKEFS = re.compile(r"(?m)^(src|at_head): *[\"']?([^\s\"']+)")


def version_of(path: Path) -> dict[str, str]:
    """Returns what is known of the version of a file or folder; nothing where nobody keeps versions of it.

    Args:
        path: The file or folder; what cannot be read is not known.
    """
    place = Path(os.path.abspath(path))  # noqa: PTH100  # a link is versioned where it stands
    found: dict[str, str] = {}
    for look in (_dvc, _git_lfs, _delta, _lakefs):
        try:
            found |= look(place)
        except OSError:  # a version that cannot be read is not known
            continue
    return found


def _dvc(place: Path) -> dict[str, str]:
    """Returns what the pointer of the path, or of a folder around it, says."""
    root = next((folder for folder in place.parents if (folder / ".dvc").is_dir()), None)
    if root is None:
        return {}
    for owner in (place, *place.parents):
        file = owner.with_name(f"{owner.name}.dvc")
        if owner == root:
            break
        if file.is_file():
            try:
                pointer = read_pointer(file.read_bytes(), file.name)
            except UsageError:  # broken, or of a form that names no single hash
                return {"dvc_file": file.relative_to(root).as_posix(), "dvc_state": "unreadable"}
            return {
                "dvc_file": file.relative_to(root).as_posix(),
                "dvc_data_hash": pointer.md5,
                "dvc_state": _state(owner, pointer),
            }
    return {}


def _state(owner: Path, pointer: Pointer) -> str:
    if owner.is_dir() is not pointer.md5.endswith(".dir"):
        return "changed"
    sizes = [file.stat().st_size for file in _files(owner)]
    counted = (sum(sizes), len(sizes)) if owner.is_dir() else (sizes[0], pointer.files)
    if pointer.size >= 0 and counted != (pointer.size, pointer.files):
        return "changed"
    if owner.is_dir() or sizes[0] > _SMALL:
        return "same size"
    found = hashlib.md5(owner.read_bytes(), usedforsecurity=False).hexdigest()
    return "same" if found == pointer.md5 else "changed"


def _files(owner: Path) -> Iterator[Path]:
    if not owner.is_dir():
        yield owner
        return
    for parent, _, names in os.walk(owner):
        yield from (Path(parent) / name for name in names)


def _git_lfs(place: Path) -> dict[str, str]:
    if not place.is_file():
        return {}
    with place.open("rb") as stream:
        found = _LFS.match(stream.read(_POINTER_BYTES))
    if found is None and _has_lfs_rules(place):
        # Data that was pulled: git has the pointer, if it says that the data is the one it belongs to.
        unchanged = ask_git(place.parent, "diff", "--quiet", "--", f":(literal){place}") is not None
        text = ask_git(place.parent, "show", f":./{place.name}") if unchanged else None
        found = _LFS.match((text or "")[:_POINTER_BYTES].encode())
    return {"git_lfs_oid": f"sha256:{found[1].decode()}"} if found else {}


def _has_lfs_rules(place: Path) -> bool:
    """Returns whether a `.gitattributes` above names LFS's filter: git is asked only then."""
    for folder in place.parents:
        file = folder / ".gitattributes"
        if file.is_file() and b"filter=lfs" in file.read_bytes()[:_LOG_BYTES]:
            return True
        if (folder / ".git").exists():
            return False
    return False


def _delta(place: Path) -> dict[str, str]:
    """Returns the newest version in the log of the table that the path is, or is a file of."""
    table = next((folder for folder in (place, place.parent) if (folder / "_delta_log").is_dir()), None)
    if table is None:
        return {}
    names = [match for entry in (table / "_delta_log").iterdir() if (match := _DELTA_FILE.fullmatch(entry.name))]
    if not names:
        return {}
    found = {"delta_version": str(max(int(match[1]) for match in names))}
    commits = sorted((match[0] for match in names if match[0].endswith(".json")), reverse=True)
    for name in (*commits[-1:], *commits[:20]):  # the first commit has it, if it is still there; later ones may
        if identity := _table_id(table / "_delta_log" / name):
            return found | {"delta_table_id": identity}
    return found


def _table_id(commit: Path) -> str:
    if commit.stat().st_size > _LOG_BYTES:
        return ""
    for line in commit.read_bytes().splitlines():
        try:
            action = json.loads(line)
            identity = action["metaData"]["id"]
        except (ValueError, KeyError, TypeError):
            continue
        return identity if isinstance(identity, str) and len(identity) <= 100 else ""
    return ""


def _lakefs(place: Path) -> dict[str, str]:
    """Returns where `lakectl local` has the folder from, and at which commit."""
    file = next((one for folder in (place, *place.parents) if (one := folder / ".lakefs_ref.yaml").is_file()), None)
    if file is None:
        return {}
    said = dict(_LAKEFS.findall(file.read_text("utf-8", "replace")[:_LOG_BYTES]))
    if not said.get("src", "").startswith("lakefs://"):
        return {}
    commit = {"lakefs_commit": said["at_head"]} if "at_head" in said else {}
    return {"lakefs_uri": said["src"]} | commit
