"""A centre's folder with a small register, people and a journal, for the alarm service and its commands."""

from collections.abc import Mapping
from contextlib import closing
from pathlib import Path

from edge.wire import Batch, Quality, encode, topic
from ingest.check import check
from ingest.config import Centre, load_centre
from ingest.journal import Journal

SITE, STREAM = "st-0", "0" * 32
REGISTER = {
    "regions.csv": "code,name,name_zh,level,parent\n150122,Togtoh,托克托县,banner,\n",
    "assets.csv": (
        "id,kind,name,name_zh,region,parent,customers,owner,responsible,phone,inspection_days,contract_until\n"
        "feeder_1,feeder,Feeder 1,1号线,150122,,0,County,Bao,138,30,\n"
        "station_0,water_works,Station,水站,150122,feeder_1,1,County,Wang,139,30,2030-01-01\n"
    ),
    "points.csv": (
        "point,asset,class,limits,nominal\n"
        "st-0/meter.voltage_v,station_0,D,gb12325-220,220\n"
        "st-0/outlet.ph,station_0,,works_outlet,\n"
    ),
    "plans.csv": "asset,start,end,nature,notice_id,reason\n",
    "alarms.toml": (
        'manager = "county"\n'
        '[[channels]]\nname = "sms"\nkind = "sms_http"\nurl = "http://127.0.0.1:9"\n'
        '[[people]]\nname = "county"\nchannels = ["sms"]\nphone = "138"\n'
        '[chains.high]\nsteps = [{ after_min = 0, person = "county" }]\n'
    ),
}
SUPPLY = "st-0/meter#supply_lost"


def alarm_centre(folder: Path, files: Mapping[str, str] = REGISTER) -> Centre:
    """Write the files, and return the centre as it loads."""
    (folder / "register").mkdir()
    for name, text in files.items():
        (folder / "register" / name).write_text(text, encoding="utf-8")
    (folder / "centre.toml").write_text("", encoding="utf-8")
    return load_centre(folder / "centre.toml")


def tell(centre: Centre, seq: int, at_ms: int, **values: float) -> None:
    """A site's readings of one instant reach the journal: `meter__voltage_v=0.0`."""
    names = [name.replace("__", ".") for name in values]
    rows = list(range(len(names)))
    batch = Batch(
        1, SITE, STREAM, seq, "boot", at_ms, names, rows, [0] * len(rows), list(values.values()), Quality.GOOD
    )
    with closing(Journal(Path(centre.data_dir) / centre.journal.path)) as journal:
        journal.commit([check(topic(SITE, "batch"), encode(batch), received_ms=at_ms)])
