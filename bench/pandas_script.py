"""The usual script: pandas reads the table, a float rolling mean decides, JSON comes out."""

import argparse
import json
import logging
import time

import numpy as np
import pandas as pd
import yaml

started = time.time()
parser = argparse.ArgumentParser()
for flag in ("--input", "--config", "--output", "--log-file"):
    parser.add_argument(flag, required=True)
arguments = parser.parse_args()
logging.basicConfig(filename=arguments.log_file, level=logging.INFO)
with open(arguments.config) as file:
    config = yaml.safe_load(file)
np.random.seed(config["seed"])
bars = pd.read_csv(arguments.input)
logging.info("rows loaded: %d", len(bars))
rolling_mean = bars["close"].rolling(config["window"]).mean()
signal = (bars["close"] > rolling_mean)[rolling_mean.notna()].astype(int)
metrics = {
    "version": config["version"],
    "rows_processed": len(bars),
    "metric": "signal_rate",
    "value": round(float(signal.mean()), 4),
    "latency_ms": int((time.time() - started) * 1000),
    "seed": config["seed"],
    "status": "success",
}
with open(arguments.output, "w") as file:
    json.dump(metrics, file, indent=2)
print(json.dumps(metrics, indent=2))
