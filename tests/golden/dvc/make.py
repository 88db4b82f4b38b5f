"""Makes `tree.json` beside it with the real DVC: python make.py DVC (the command; DVC 3).

Each entry of `steps` is data, and what `dvc add` left behind: pointers, .gitignore files, the names of the cache's
objects and the listings among them. `tests/unit/app/data/test_add.py` compares our own with it.
"""

import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path

# Name -> content; None makes an empty folder, "x:" before a content makes it executable, "-" removes the file.
STEPS = [
    {
        "add": ["data/plain.csv", "data/folder", "data/empty", "data/run.sh", "zero"],
        "files": {
            "data/plain.csv": "a,b\n1,2\n",
            "data/folder/one.csv": "a,b\n1,2\n",
            "data/folder/sub/crlf.txt": "x\r\ny\r\n",
            "data/folder/sub-dash": "1",
            "data/folder/sub.txt": "2",
            "data/folder/ümläut ☃.txt": "ü",
            "data/folder/zero": "",
            "data/folder/tool": "x:#!/bin/sh\n",
            "data/folder/none": None,
            "data/empty": None,
            "data/run.sh": "x:#!/bin/sh\necho 1\n",
            "zero": "",
        },
    },
    {
        "add": ["data/plain.csv", "data/folder", "data/run.sh"],
        "files": {"data/plain.csv": "a,b\n1,3\n", "data/folder/new": "1", "data/folder/zero": "-", "data/run.sh": "1"},
    },
    {"add": ["data/plain.csv", "data/folder"], "files": {}},
    {
        "add": [
            "names/it's [a] #1.txt", "names/yes", "names/123", "names/!neg", "names/#hash", "names/star*?",
            "names/a: b", "names/ünï.csv", "names/back\\slash", "names/-dash", "names/🙂 \"q\"", "names/1e5", "names/- x",
        ],
        "files": {
            "names/it's [a] #1.txt": "1", "names/yes": "2", "names/123": "3", "names/!neg": "4", "names/#hash": "5",
            "names/star*?": "6", "names/a: b": "7", "names/ünï.csv": "8", "names/back\\slash": "9", "names/-dash": "10",
            "names/🙂 \"q\"": "11", "names/1e5": "12", "names/- x": "13",
        },
    },
    {
        "add": ["kept/old.csv", "kept/noted.csv"],
        "files": {
            "kept/.gitignore": "*.tmp",
            "kept/old.csv": "old\r\n",
            "kept/old.csv.dvc": (
                "# made by DVC 2\nouts:\n- md5: 149603e6c03516362a8da23f624db945\n  size: 5\n  path: old.csv\n"
                "  desc: hello  # why\nmeta:\n  owner: me\n"
            ),
            "kept/noted.csv": "1\n2\n",
            "kept/noted.csv.dvc": (
                "outs:\n- md5: b026324c6904b2a9cb4b88d6d61c81d1\n  size: 2  # bytes\n  hash: md5\n  path: noted.csv\n"
                "meta: {a: 1}   # keep\n"
            ),
        },
    },
]  # fmt: skip


def write(root, files):
    """Brings files to disk."""
    for name, content in files.items():
        path = root / name
        if content is None:
            path.mkdir(parents=True, exist_ok=True)
        elif content == "-":
            path.unlink()
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.unlink(missing_ok=True)
            path.write_bytes(content.removeprefix("x:").encode())
            path.chmod(0o755 if content.startswith("x:") else 0o644)


def found(root):
    """Returns what DVC wrote: text files by name, objects by name and mode, listings by name."""
    texts = {
        path.relative_to(root).as_posix(): path.read_text("utf-8")
        for path in root.rglob("*")
        if path.is_file()
        and ".git" not in path.relative_to(root).parts
        and not path.is_relative_to(root / ".dvc" / "cache")
        and not path.is_relative_to(root / ".dvc" / "tmp")
        and (path.suffix == ".dvc" or path.name in {".gitignore", ".dvcignore", "config"})
    }
    cache = root / ".dvc" / "cache"
    objects = [path for path in cache.rglob("*") if path.is_file()]
    return {
        "texts": dict(sorted(texts.items())),
        "objects": sorted(f"{path.relative_to(cache).as_posix()} {path.stat().st_mode & 0o777:o}" for path in objects),
        "listings": {
            path.relative_to(cache).as_posix(): path.read_text("utf-8") for path in sorted(objects) if path.suffix == ".dir"
        },
    }


def main():
    """Writes tree.json."""
    dvc = str(Path(sys.argv[1]).absolute())
    environment = os.environ | {"DVC_NO_ANALYTICS": "1"}
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)

        def run(*command):
            done = subprocess.run(command, cwd=root, env=environment, check=True, capture_output=True, text=True)
            return done.stdout.strip()

        run("git", "init", "-q", ".")
        run(dvc, "init", "-q")
        steps = []
        for step in STEPS:
            write(root, step["files"])
            run(dvc, "add", "-q", "--", *step["add"])
            steps.append(step | {"found": found(root)})
        document = {"dvc": run(dvc, "--version"), "steps": steps}
    text = json.dumps(document, indent=1, ensure_ascii=False) + "\n"
    (Path(__file__).parent / "tree.json").write_text(text, "utf-8")


if __name__ == "__main__":
    main()
