"""Runs that several chapters compare: training for minutes, the Town, calibrated probes."""
