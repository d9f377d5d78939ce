"""This package decides bars on a cluster of Apache Spark, which schedules what our readers read."""
