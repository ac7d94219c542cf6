"""Row sources (rows in this process, on a device or in Dask partitions) and sums over them."""
