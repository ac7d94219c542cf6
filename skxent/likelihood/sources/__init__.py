"""Where rows are, and sums over them: in this process, on a device, in Dask partitions."""
