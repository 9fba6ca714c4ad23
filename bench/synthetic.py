"""Synthetic regression streams by formula: a row of features and its target at a time, from a seed.

STREAMS: name -> (generator, names of the features, rows). A generator takes a `random.Random` and yields features and
target without end; Python's own generator gives the same numbers in every version and on every machine.
"""
import itertools
import math
import random


def normals(draw, n):
    return [draw.gauss(0, 1) for _ in range(n)]


def dot(a, b):
    return sum(p * q for p, q in zip(a, b))


# ---- series whose last value is hard to beat -------------------------------------------------------------------------


def room_co2(draw):
    """ppm in a room every two minutes: people come in the day and breathe, air is changed by a fan or a window."""
    people, ppm, window = 0, 420.0, 0
    for t in itertools.count():
        hour, weekday = t * 2 / 60 % 24, t * 2 // 1440 % 7
        busy = 8 < hour < 18 and weekday < 5
        if draw.random() < 0.05:
            people = draw.randint(0, 6) if busy else 0
        if draw.random() < 0.02:
            window = int(draw.random() < 0.3)
        fan = 0.02 if busy else 0.004
        ppm += 4.5 * people - (fan + 0.04 * window) * (ppm - 420) + draw.gauss(0, 3)
        yield [hour, weekday, fan, window, people + draw.gauss(0, 1)], ppm


def room_temperature(draw):
    """Degrees indoors every ten minutes: walls, sun and a thermostat."""
    inside, wall, cloud = 20.0, 19.0, 0.5
    for t in itertools.count():
        hour, day = t / 6 % 24, t / 144
        cloud = min(1.0, max(0.0, cloud + draw.gauss(0, 0.05)))
        sun = max(0.0, math.sin((hour - 6) * math.pi / 12)) * (1 - 0.8 * cloud)
        outside = 6 + 8 * math.sin(day / 58) + 4 * math.sin((hour - 9) * math.pi / 12) + draw.gauss(0, 0.4)
        heater = 1.0 if inside < (21 if 6 < hour < 22 else 17) else 0.0
        wall += 0.01 * (inside - wall) + 0.004 * (outside - wall)
        inside += 0.05 * (wall - inside) + 0.02 * (outside - inside) + 0.3 * heater + 0.15 * sun + draw.gauss(0, 0.04)
        yield [hour, outside, sun + draw.gauss(0, 0.05), heater, cloud], inside


def occupancy(draw):
    """Persons in an office each minute, from light, sound and the air."""
    persons, air = 0, 400.0
    for t in itertools.count():
        hour = t / 60 % 24
        chance = 0.03 if 8 < hour < 17 else 0.004
        if draw.random() < chance:
            persons += 1
        elif persons and draw.random() < (0.02 if hour < 17 else 0.08):
            persons -= 1
        air += 0.03 * (400 + 90 * persons - air) + draw.gauss(0, 2)
        light = (120 if persons else 0) + 60 * max(0.0, math.sin((hour - 6) * math.pi / 12)) + draw.gauss(0, 8)
        yield [hour, light, air, persons * draw.random() + draw.gauss(0, 0.2)], persons


def rain(draw):
    """Millimetres an hour: dry most of the time, showers of a few hours, skewed amounts."""
    wet, front = 0.0, 0.0
    for t in itertools.count():
        front = 0.97 * front + draw.gauss(0, 0.25)
        if wet > 0.05:
            wet *= draw.uniform(0.4, 1.25)
        elif draw.random() < 0.03 * math.exp(front):
            wet = draw.expovariate(0.7)
        else:
            wet = 0.0
        humidity = 60 + 12 * front + 8 * math.sqrt(wet) + draw.gauss(0, 5)
        yield [t / 24 % 365, humidity, 1013 - 9 * front + draw.gauss(0, 3)], wet


def random_walk(draw):
    """A walk; one feature is a part of each of its steps."""
    level = 100.0
    while True:
        hint, other = normals(draw, 2)
        level += 0.3 * hint + draw.gauss(0, 1)
        yield [hint, other, level + draw.gauss(0, 30)], level


def queue(draw):
    """Seconds a caller waits (Lindley): the wait before, a service, a gap."""
    wait, load = 0.0, 0.8
    for t in itertools.count():
        load = min(1.1, max(0.3, load + draw.gauss(0, 0.01)))
        service, gap = draw.expovariate(1 / 60), draw.expovariate(load / 60)
        wait = max(0.0, wait + service - gap)
        yield [load + draw.gauss(0, 0.05), service, gap, t % 500], wait


def levels(draw):
    """Levels that jump by fifty times the noise every 150 rows or so."""
    level = 0.0
    while True:
        if draw.random() < 1 / 150:
            level = draw.uniform(-50, 50)
        x = normals(draw, 3)
        yield x, level + 0.5 * x[0] + draw.gauss(0, 1)


def load(draw):
    """An hour's load of a grid: hour, weekday, temperature in both directions, weather that lasts."""
    weather = 0.0
    for t in itertools.count():
        hour, day = t % 24, t // 24
        weather = 0.98 * weather + draw.gauss(0, 0.5)
        warm = 12 + 10 * math.sin((day - 100) * math.pi / 182) + 4 * math.sin((hour - 9) * math.pi / 12) + weather
        shape = math.sin((hour - 7) * math.pi / 12) + 0.5 * math.sin(hour * math.pi / 6)
        need = 50 + 10 * shape - 8 * (day % 7 > 4) * (hour > 6) + 0.08 * (warm - 15) ** 2
        yield [hour, day % 7, warm, day], need + draw.gauss(0, 1)


# ---- rows in random order --------------------------------------------------------------------------------------------


def no_signal(draw):
    while True:
        yield normals(draw, 8), 5 + draw.gauss(0, 1)


def products(draw):
    while True:
        x = normals(draw, 6)
        yield x, x[0] * x[1] + 2 * x[2] * abs(x[3]) + x[0] * x[4] * x[5] + draw.gauss(0, 0.3)


def cut(draw):
    """A tree of thresholds."""
    while True:
        x = [draw.random() for _ in range(8)]
        y = (3 if x[1] < 0.3 else -1) if x[0] < 0.4 else (x[2] > 0.5) * 4 + (x[3] > 0.7) * (2 if x[4] > 0.5 else -2)
        yield x, y + draw.gauss(0, 0.3)


def skewed(draw):
    """Delays: the long tails of two features carry the target."""
    while True:
        delay, queue_time = math.exp(1.5 * draw.gauss(0, 1)), math.exp(1.2 * draw.gauss(0, 1))
        hour, rest = draw.uniform(0, 24), normals(draw, 3)
        yield [delay, queue_time, hour, *rest], delay + 0.5 * queue_time + 0.4 * rest[0] + draw.gauss(0, 1)


def arm(draw):
    """The distance of an arm's end with four joints from a point."""
    lengths, goal = (1.0, 0.8, 0.6, 0.4), (0.7, 0.4)
    while True:
        joints = [draw.uniform(-1.6, 1.6) for _ in lengths]
        angles = list(itertools.accumulate(joints))
        x = dot(lengths, map(math.cos, angles)) - goal[0]
        y = dot(lengths, map(math.sin, angles)) - goal[1]
        yield [*joints, draw.gauss(0, 1)], math.hypot(x, y) + draw.gauss(0, 0.05)


def waves(draw):
    """Sums of smooth curves of single features."""
    while True:
        x = [draw.uniform(-2, 2) for _ in range(7)]
        y = math.sin(3 * x[0]) + x[1] ** 2 + math.exp(x[2]) / 3 + abs(x[3]) + 0.5 * math.cos(5 * x[4])
        yield x, y + draw.gauss(0, 0.3)


def outliers(draw):
    """Noise that grows with a feature, and one target in a hundred that is wrong."""
    while True:
        x = normals(draw, 6)
        noise = draw.gauss(0, 0.3 * math.exp(x[5])) + (draw.gauss(0, 30) if draw.random() < 0.01 else 0)
        yield x, 2 * x[0] - x[1] + math.tanh(2 * x[2]) + noise


def codes(draw):
    """Categories as integers whose order has no meaning: 40 shops, 12 wares, their effects and a price."""
    shops, wares = normals(draw, 40), normals(draw, 12)
    while True:
        shop, ware, price = int(40 * draw.random() ** 2), draw.randrange(12), draw.uniform(1, 10)
        y = 2 * shops[shop] + 1.5 * wares[ware] - 0.3 * price * (ware % 3) + draw.gauss(0, 0.7)
        yield [shop, ware, price, draw.random()], y


def missing(draw):
    """Sensors that fail for thirty rows; whether the last one is missing is a part of the target."""
    down = [0, 0, 0, 0, 0]
    while True:
        x = normals(draw, 5)
        down = [max(0, left - 1) if left or draw.random() > 0.01 else 30 for left in down]
        y = x[0] + 0.7 * x[1] * x[2] - x[3] + 1.5 * (down[4] > 0) + draw.gauss(0, 0.3)
        yield [None if left else value for left, value in zip(down, x)], y


def copies(draw):
    """Five causes, each seen by six instruments with noise of their own."""
    while True:
        x = normals(draw, 5)
        seen = [value + draw.gauss(0, 0.5) for value in x for _ in range(6)]
        yield seen, x[0] - 2 * x[1] + x[2] * x[3] + max(0.0, x[4]) + draw.gauss(0, 0.2)


# ---- concepts that move ----------------------------------------------------------------------------------------------


def drift(draw):
    """A plane whose slopes walk, and a curve that stays."""
    slopes = normals(draw, 6)
    while True:
        x = normals(draw, 6)
        slopes = [0.9995 * w + draw.gauss(0, 0.03) for w in slopes]
        yield x, dot(slopes, x) + math.sin(2 * x[0]) + draw.gauss(0, 0.3)


def regimes(draw):
    """One of three concepts for some hundred rows each; they come back."""
    planes, now = [normals(draw, 10) for _ in range(3)], 0
    while True:
        if draw.random() < 1 / 400:
            now = draw.randrange(3)
        x = normals(draw, 10)
        yield x, dot(planes[now], x) + 3 * now + (x[0] * x[1] if now == 1 else 0) + draw.gauss(0, 0.5)


STREAMS = {
    "syn_arm": (arm, "a b c d noise", 6000),
    "syn_codes": (codes, "shop ware price noise", 6000),
    "syn_copies": (copies, " ".join(f"s{i}" for i in range(30)), 6000),
    "syn_cut": (cut, "a b c d e f g h", 6000),
    "syn_drift": (drift, "a b c d e f", 6000),
    "syn_levels": (levels, "a b c", 6000),
    "syn_load": (load, "hour weekday temperature day", 6000),
    "syn_missing": (missing, "a b c d e", 6000),
    "syn_no_signal": (no_signal, "a b c d e f g h", 4000),
    "syn_occupancy": (occupancy, "hour light co2 sound", 6000),
    "syn_outliers": (outliers, "a b c d e f", 6000),
    "syn_products": (products, "a b c d e f", 6000),
    "syn_queue": (queue, "load service gap turn", 6000),
    "syn_rain": (rain, "day humidity pressure", 6000),
    "syn_random_walk": (random_walk, "hint other blurred", 6000),
    "syn_regimes": (regimes, "a b c d e f g h i j", 6000),
    "syn_room_co2": (room_co2, "hour weekday fan window people", 6000),
    "syn_room_temperature": (room_temperature, "hour outside sun heater cloud", 6000),
    "syn_skewed": (skewed, "delay queue hour a b c", 6000),
    "syn_waves": (waves, "a b c d e f g", 6000),
}


def rows_of(name):
    """The header, and the rows with the target last."""
    make, names, count = STREAMS[name]
    steps = itertools.islice(make(random.Random(name)), count)
    return [*names.split(), "target"], [[*features, target] for features, target in steps]
