"""Records that several threads read first at the same moment: their types are described by one of them."""

import re
import subprocess
import sys
from pathlib import Path

import punchlist

_SCRIPT = """
import sys
from threading import Barrier, Thread

import msgspec

from punchlist.model.json import convert

class Leaf(msgspec.Struct):
    number: int

branches = {f"b{n}": msgspec.defstruct(f"B{n}", [("leaf", "Leaf")], module=__name__) for n in range(400)}
Tree = msgspec.defstruct("Tree", [*branches.items()])
begin = Barrier(8)
read = []

def reading():
    begin.wait()
    read.append(convert({name: {"leaf": {"number": 1}} for name in branches}, Tree))

sys.setswitchinterval(1e-6)
threads = [Thread(target=reading) for _ in range(8)]
for each in threads:
    each.start()
for each in threads:
    each.join()
print(len(read))
"""


def test_threads_that_first_read_a_record_at_one_time_do_not_end_the_process() -> None:
    done = subprocess.run([sys.executable, "-c", _SCRIPT], capture_output=True, check=False, timeout=60)

    assert (done.returncode, done.stdout) == (0, b"8\n")


def test_what_reads_records_goes_by_the_one_module_that_has_their_types_described_first() -> None:
    reading = re.compile(r"json\.decode\([^\n]*\btype=|\bDecoder\(|\bmsgspec\.convert\(")
    sources = Path(punchlist.__path__[0]).rglob("*.py")

    found = {path.name: path.read_text(encoding="utf-8") for path in sources if reading.search(path.read_text("utf-8"))}

    assert set(found) == {"json.py", "chain.py"}
    assert found["chain.py"].index("prepare(known)") < found["chain.py"].index("json.Decoder(typing")
