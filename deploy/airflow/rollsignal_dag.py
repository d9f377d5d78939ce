"""The nightly run as a DAG of Airflow 3: put this file into the folder of DAGs.

It needs rollsignal as a command of the workers, and a folder with bars/btc.csv and config.yaml.
"""

import os
import subprocess
from datetime import UTC, datetime, timedelta

from airflow.exceptions import AirflowException, AirflowFailException
from airflow.sdk import dag, task

FOLDER = os.environ.get("ROLLSIGNAL_FOLDER", "/srv/rollsignal")
# Where somebody must look, and trying again does not help: a bug, the command line, the bars, an
# output that cannot be created, the config. Airflow tries the others again.
NO_CODES = (1, 2, 65, 73, 78)


@dag(
    schedule="30 2 * * *",
    start_date=datetime(2024, 1, 1, tzinfo=UTC),
    catchup=False,
    # Two runs never write the same state: the second would end with 75.
    max_active_runs=1,
    default_args={"retries": 8, "retry_delay": timedelta(minutes=30)},
)
def rollsignal() -> None:
    """Decide the signals of last night's bars."""

    @task(execution_timeout=timedelta(hours=1))
    def run(expected: str) -> None:
        """Run the job; `expected` is the day whose bars must be there."""
        command = "rollsignal run --input bars/btc.csv --state btc.state --record record.json"
        done = subprocess.run([*command.split(), "--expect", expected], cwd=FOLDER, check=False)
        if done.returncode in NO_CODES:
            raise AirflowFailException(f"exit code {done.returncode}: somebody must look")
        if done.returncode:
            raise AirflowException(f"exit code {done.returncode}: try again")

    # The day on which it runs: a bar of that day shows that the day before is whole.
    run("{{ ds }}")


rollsignal()
