"""Make a county from a seed and a size: a run can be repeated from two numbers."""

import numpy as np

from simulators.county import USUAL_SIZE, Asset, County, Device, DeviceRole, Gateway, Region, Size
from simulators.names import BANNER, GACHAS, LEAGUE, PEOPLE, SUMUS, Name

TRANSFORMER_KVA = (50.0, 80.0, 100.0, 160.0, 200.0)
POLL_POWER_S = 60.0
POLL_WATER_S = 30.0


def make_county(seed: int, size: Size = USUAL_SIZE) -> County:
    """The county that belongs to a seed and a size."""
    rng = np.random.default_rng([seed, 1])
    regions = _regions(size)
    gachas = [region for region in regions if region.level == "gacha"]
    assets, gateways = _power(rng, size, gachas)
    for more_assets, more_gateways in (_water_works(size, gachas, assets), _lift_station(gachas, assets)):
        assets += more_assets
        gateways += more_gateways
    assets += [
        Asset(f"village-{index + 1}", "village", region.name, region.code, None) for index, region in enumerate(gachas)
    ]
    return County(seed, size, tuple(regions), tuple(assets), tuple(gateways))


def _regions(size: Size) -> list[Region]:
    """League, banner, one sumu for every two feeders, and two gachas in each sumu."""
    sumus = max((size.feeders + 1) // 2, 1)
    regions = [Region("15", LEAGUE, "league", None), Region("1501", BANNER, "banner", "15")]
    for s in range(sumus):
        code = f"1501{s + 1:02d}"
        regions.append(Region(code, SUMUS[s % len(SUMUS)], "sumu", "1501"))
        for g in range(2):
            name = GACHAS[(2 * s + g) % len(GACHAS)]
            regions.append(Region(f"{code}{g + 1:02d}", Name(f"{name.en} Gacha", f"{name.zh}嘎查"), "gacha", code))
    return regions


def _power(rng: np.random.Generator, size: Size, gachas: list[Region]) -> tuple[list[Asset], list[Gateway]]:
    substation = Asset("ss1", "substation", Name("Qingshui 35 kV substation", "清水35千伏变电站"), "1501", None)
    assets, gateways, heads = [substation], list[Gateway](), list[Device]()
    for f in range(size.feeders):
        region = gachas[f % len(gachas)]
        feeder = Asset(
            f"f{f + 1}",
            "feeder",
            _numbered(region.name, f"10 kV feeder {f + 1}", f"10千伏{f + 1}线"),
            region.code,
            "ss1",
        )
        members, gateway = _feeder(rng, size, feeder, f)
        assets += [feeder, *members]
        gateways.append(gateway)
        heads.append(_switchgear(f"feeder{f + 1}", "feeder_head", feeder.id, f + 2))
    bus = _switchgear("bus", "bus", "ss1", 1)
    assets.append(Asset("gw-ss1", "gateway", Name("Substation gateway", "变电站网关"), "1501", "ss1"))
    return assets, [Gateway("qingshui-substation", "gw-ss1", "ss1", 7200.0, (bus, *heads)), *gateways]


def _feeder(rng: np.random.Generator, size: Size, feeder: Asset, number: int) -> tuple[list[Asset], Gateway]:
    """The feeder's transformers, line ends and gateway; the gateway is fed by the transformer in the middle."""
    assets, devices = list[Asset](), list[Device]()
    for k in range(size.transformers):
        transformer = _transformer(rng, feeder, k)
        assets.append(transformer)
        devices.append(_terminal(transformer, k))
    for e in range(size.line_ends):
        parent = assets[size.transformers - 1 - e]
        end = Asset(
            f"{parent.id}-end",
            "customer_group",
            _numbered(parent.name, "line end", "末端"),
            feeder.region,
            parent.id,
            customers=int(rng.integers(8, 25)),
            phone=parent.phone,
        )
        assets.append(end)
        devices.append(_line_end(end, size.transformers + e + 1))
    middle = assets[size.transformers // 2]
    gateway = Asset(f"gw-{feeder.id}", "gateway", _numbered(feeder.name, "gateway", "网关"), feeder.region, middle.id)
    battery_s = float(rng.integers(180, 420))
    return [*assets, gateway], Gateway(f"feeder-{number + 1}", gateway.id, middle.id, battery_s, tuple(devices))


def _transformer(rng: np.random.Generator, feeder: Asset, k: int) -> Asset:
    kva = float(rng.choice(TRANSFORMER_KVA))
    person = int(rng.integers(len(PEOPLE)))
    return Asset(
        f"{feeder.id}-t{k + 1:02d}",
        "transformer",
        _numbered(feeder.name, f"transformer {k + 1}", f"{k + 1}号台区"),
        feeder.region,
        feeder.id,
        customers=max(int(kva * rng.uniform(0.6, 1.1)), 12),
        kva=kva,
        responsible=PEOPLE[person],
        phone=f"0000-{person + 1:04d}",
    )


def _water_works(size: Size, gachas: list[Region], power: list[Asset]) -> tuple[list[Asset], list[Gateway]]:
    """Water works with a clear well, a well pump, a doser, and a sensor at the end of the network."""
    assets, gateways = list[Asset](), list[Gateway]()
    transformers = [asset for asset in power if asset.kind == "transformer"]
    for w in range(size.works):
        region = gachas[w % len(gachas)]
        supply = transformers[(w * size.transformers + 1) % len(transformers)]
        works = Asset(
            f"ww{w + 1}", "water_works", _numbered(region.name, "water works", "水厂"), region.code, supply.id
        )
        asset = Asset(f"gw-{works.id}", "gateway", _numbered(works.name, "gateway", "网关"), region.code, supply.id)
        plc = Device("works", "works", works.id, 1, "plc", "simulated_works", POLL_WATER_S, backup=True)
        end = Device(
            "network_end",
            "network_end",
            works.id,
            2,
            "remote",
            "simulated_works",
            POLL_WATER_S,
            only=("free_chlorine_mg_l", "turbidity_ntu", "pressure_mpa"),
            backup=True,
            serial=True,
        )
        assets += [works, asset]
        gateways.append(Gateway(f"works-{w + 1}", asset.id, supply.id, 3600.0, (plc, end)))
    return assets, gateways


def _lift_station(gachas: list[Region], power: list[Asset]) -> tuple[list[Asset], list[Gateway]]:
    """One sewage lift station with a wet well and two pumps."""
    region = gachas[-1]
    supply = [asset for asset in power if asset.kind == "transformer"][-1]
    station = Asset(
        "ls1", "sewage_station", _numbered(region.name, "lift station", "污水提升站"), region.code, supply.id
    )
    asset = Asset("gw-ls1", "gateway", _numbered(station.name, "gateway", "网关"), region.code, supply.id)
    plc = Device("lift", "lift", station.id, 1, "plc", "simulated_lift_station", POLL_WATER_S, backup=True)
    return [station, asset], [Gateway("lift-1", asset.id, supply.id, 3600.0, (plc,))]


def _terminal(asset: Asset, k: int) -> Device:
    """A transformer's terminal: every second one has a backup supply, the first has a TCP link of its own."""
    direct = k == 0
    return Device(
        f"t{k + 1:02d}",
        "transformer",
        asset.id,
        k + 1,
        "t01" if direct else "rs485",
        "simulated_terminal",
        POLL_POWER_S,
        backup=k % 2 == 0,
        serial=not direct,
    )


def _switchgear(name: str, role: DeviceRole, asset: str, unit: int) -> Device:
    """A 10 kV measurement behind a 10 000/100 V transformer; line voltages, from the station's battery."""
    return Device(
        name,
        role,
        asset,
        unit,
        "switchgear",
        "simulated_terminal",
        POLL_POWER_S,
        backup=True,
        pt_ratio=100.0,
        serial=True,
    )


def _line_end(end: Asset, unit: int) -> Device:
    """A customer's meter at the far end of a low-voltage line: dead without supply."""
    only = (
        "l1.voltage_v",
        "l1.current_a",
        "energy_kwh",
        "power_fail_count",
        "powered_time_h",
        "last_power_fail_start_s",
        "last_power_fail_end_s",
    )
    name = end.id.split("-", 1)[1].replace("-", "_")
    return Device(name, "line_end", end.id, unit, "rs485", "simulated_terminal", POLL_POWER_S, only=only, serial=True)


def _numbered(name: Name, en: str, zh: str) -> Name:
    return Name(f"{name.en} {en}", f"{name.zh}{zh}")
