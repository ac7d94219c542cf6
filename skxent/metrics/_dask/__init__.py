"""Metrics of Dask collections, whose partitions stay where they are.

What is one number of all samples comes back as that number; what has one number for each sample is
a Dask array, lazily.
"""
