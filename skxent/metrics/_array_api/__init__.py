"""Metrics of arrays of other libraries, where they are, in functions of the array API standard.

The modules mirror those of NumPy one room up, with the same names, checks and messages. Only
scalars come to the host: sums, counts, and the first bad row for its message. Labels are coded by
their distinct values, which are few: those come to the host, where NumPy's functions decide about
them.
"""
