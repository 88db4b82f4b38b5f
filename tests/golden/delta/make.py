"""Makes `table/` beside it with the real library (pip install deltalake pyarrow): three versions, one checkpoint."""

import shutil
from pathlib import Path

import pyarrow as pa
from deltalake import DeltaTable, write_deltalake

TABLE = Path(__file__).parent / "table"

shutil.rmtree(TABLE, ignore_errors=True)
for number in range(3):
    write_deltalake(TABLE, pa.table({"a": [number]}), mode="append" if number else "error")
    if number == 1:
        DeltaTable(TABLE).create_checkpoint()
for part in TABLE.glob("*.parquet"):
    part.unlink()  # the log is what is read
